//! Plug-ins that were written for an older border: they go on working, and those for a newer one are refused.

use crate::plugins::{built, built_with};
use crate::world::World;

#[test]
fn a_release_source_for_the_first_border_installs() {
    let world = World::new();
    world.put_plugin("acme.old", &built("border-1-0"));
    let said = world.run(["install", "--source", "acme.old", "-o", "greeting=as ever"]).ok();
    assert!(said.starts_with("old-1.0-"), "{said}");
    world.run(["create", "web"]).ok();
    world.run(["start", "web"]).ok();
    assert_eq!(world.run(["exec", "web", "--", "cat", "/etc/greeting"]).ok(), "as ever");
    world.run(["stop", "web"]).ok();
    world.assert_quiet();
    world.assert_sound();
}

#[test]
fn a_storage_for_the_first_border_holds_a_container() {
    let world = World::installed();
    world.put_plugin("acme.old", &built_with("border-1-0", &["storage"]));
    world.create("web", "acme.old").ok();
    world.run(["start", "web"]).ok();
    world.sh("echo kept > /root/file").ok();
    world.run(["stop", "web"]).ok();
    assert_eq!(world.sh("cat /root/file").ok(), "kept\n");
    world.run(["rename", "web", "other"]).ok();
    world.run(["delete", "--wait", "other"]).ok();
    world.assert_quiet();
    world.assert_sound();
}

#[test]
fn a_border_that_this_program_does_not_know_is_refused_before_anything_runs() {
    for (feature, words) in [("says-1-9", "1.9"), ("says-2-0", "2.0")] {
        let world = World::new();
        let file = world.put_plugin("acme.old", &built_with("border-1-0", &[feature]));
        let refused = world.run(["install", "--source", "acme.old"]);
        refused.fails(76, &[file.to_str().unwrap(), words, "hint: "]);
        assert!(!world.root.join("releases").exists(), "nothing was begun");
    }
}
