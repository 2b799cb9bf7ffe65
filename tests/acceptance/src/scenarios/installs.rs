//! Releases are installed from distribution sets.

use std::fs;

use crate::scenario::{Scenario, both};
use crate::userland;
use crate::world::World;

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![both("installs::sets_become_a_base_and_are_installed_again_while_containers_run", again)]
}

fn again(world: &World) {
    let said = world.install().ok();
    assert!(said.ends_with(" is installed\n"), "{said}");
    for (path, shared) in
        [("bin/sh", true), ("libexec/ld-elf.so.1", true), ("etc/passwd", false), ("root", false)]
    {
        let (here, there) = if shared { ("sharedfs", "template") } else { ("template", "sharedfs") };
        assert!(
            fs::symlink_metadata(world.lib(&format!("{here}/{path}"))).is_ok(),
            "{path} is not in {here}"
        );
        assert!(!world.lib(&format!("{there}/{path}")).is_file(), "{path} is in {there}");
    }
    let releases = || world.run(["release", "list", "--json"]).json();
    assert_eq!(releases()[0]["version"], userland::release());
    assert_eq!(releases()[0]["current"], true);
    world.create("web", "nullfs", "chroot").ok();
    world.run(["config", "web", "--command", "sleeper=sleep 1000"]).ok();
    world.run(["start", "web"]).ok();
    let running = world.inside();
    world.install().ok();
    assert_eq!(world.state("web"), "started");
    assert_eq!(world.inside(), running, "the second install has ended or started something");
    world.sh("echo it still runs").says("it still runs");
    world.run(["stop", "web"]).ok();
    world.assert_quiet();
    world.assert_sound();
}
