//! Plug-ins that were written for an older border: they go on working.

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
