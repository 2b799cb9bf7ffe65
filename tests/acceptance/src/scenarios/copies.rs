//! Copies of containers: cloned, renamed, written into a file and read from it again; and what a dry run leaves.

use crate::scenario::{Scenario, both};
use crate::system::ISOLATIONS;
use crate::world::World;

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        both("copies::a_container_is_cloned_renamed_exported_and_imported", copied),
        both("copies::a_dry_run_shows_its_steps_and_changes_nothing", dry),
    ]
}

fn copied(world: &World) {
    world.install().ok();
    for storage in ["nullfs", "md"] {
        world.create("web", storage, ISOLATIONS[0]).ok();
        world
            .sh("mkdir /root/a && echo precious > /root/a/b && chmod 4711 /root/a/b && ln /root/a/b /root/c")
            .ok();
        world.run(["clone", "web", "twin"]).ok();
        world.sh("rm -r /root/a /root/c").ok();
        world.run(["rename", "twin", "other"]).ok();
        let file = world.dir().join(format!("{storage}.qchroot"));
        let file = file.to_str().unwrap();
        world.run(["export", "other", file]).ok();
        world.run(["delete", "--wait", "web", "other"]).ok();
        world.run(["import", file, "back"]).ok();
        let script = "cat /root/c && test -u /root/a/b && test /root/a/b -ef /root/c";
        assert_eq!(world.sh_in("back", script).ok(), "precious\n", "{storage}");
        world.run(["delete", "--wait", "back"]).ok();
    }
    world.assert_quiet();
    world.assert_sound();
}

fn dry(world: &World) {
    world.with_sleeper("nullfs", ISOLATIONS[1]);
    for args in [&["start", "web"][..], &["delete", "web"], &["create", "other", "--storage", "nullfs"]] {
        let steps = world.run([&["--dry-run", "--json"], args].concat()).json();
        let steps = steps.as_array().unwrap();
        assert!(!steps.is_empty() && steps.iter().all(|step| step["do"].is_string()), "{steps:?}");
    }
    assert_eq!(world.state("web"), "stopped");
    assert!(!world.file("other").exists());
    world.assert_quiet();
    world.assert_sound();
}
