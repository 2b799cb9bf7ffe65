//! What the stronger isolation of each system keeps apart, and what a plain chroot does not.

use std::process::Command;

use crate::scenario::{Scenario, both};
use crate::system::{FREEBSD, ISOLATIONS, output};
use crate::world::{HostProcess, World};

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        both("isolations::processes_outside_are_out_of_sight", sight),
        both("isolations::a_host_name_of_its_own", host_name),
        both("isolations::a_container_restarts_at_once_ten_times", restarts).limit(300),
    ]
}

fn sight(world: &World) {
    let mut outside = HostProcess::start(Command::new("sleep").arg("4321"));
    world.with_web("nullfs", ISOLATIONS[1]);
    let pid = outside.pid();
    world.sh(&format!("kill -0 {pid}")).fails(1, &[]);
    world.sh(&format!("kill -9 {pid}; ps ax | grep 'sleep 432[1]'")).fails(1, &[]);
    assert!(outside.is_alive(), "a process of the host's was ended from inside");
    world.assert_quiet();
}

fn host_name(world: &World) {
    world.with_web("nullfs", ISOLATIONS[1]);
    assert_eq!(world.sh("uname -n").ok(), "web\n");
    world.run(["config", "web", "-o", &option("other.example.org")]).ok();
    assert_eq!(world.sh("uname -n").ok(), "other.example.org\n");
    world.create("plain", "nullfs", ISOLATIONS[0]).ok();
    assert_eq!(world.sh_in("plain", "uname -n").ok(), output("uname", &["-n"]));
    world.assert_quiet();
}

fn option(name: &str) -> String {
    let key = if FREEBSD { "host.hostname" } else { "host_name" };
    format!("isolation.{key}={name}")
}

fn restarts(world: &World) {
    world.with_sleeper("nullfs", ISOLATIONS[1]);
    for _ in 0..10 {
        assert_eq!(world.run(["start", "web"]).ok(), "web: Start chroot completed.\n");
        assert_eq!(world.state("web"), "started");
        assert_eq!(world.run(["stop", "web"]).ok(), "web: Chroot is stopped.\n");
    }
    world.assert_quiet();
    world.assert_sound();
}
