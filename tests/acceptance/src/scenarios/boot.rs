//! The script that starts and stops the containers with the machine.

use std::fs;
use std::process::Command;

use crate::ran::Ran;
use crate::scenario::{Scenario, freebsd};
use crate::world::{World, program, until};

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![freebsd("boot::the_rc_script_starts_tells_and_stops", script)]
}

const SCRIPT: &str = include_str!("../../../../crates/cli/boot/qchroot.rc.d");

fn script(world: &World) {
    world.with_sleeper("nullfs", "chroot");
    let file = world.dir().join("qchroot");
    fs::write(&file, SCRIPT).unwrap();
    let rc = |verb: &str| {
        let mut command = Command::new("/bin/sh");
        command
            .arg(&file)
            .arg(verb)
            .env("QCHROOT_ROOT", &world.root)
            .env("qchroot_program", program().unwrap());
        Ran::of(command.current_dir("/").env("qchroot_enable", "YES"))
    };
    assert_eq!(rc("rcvar").ok().lines().filter(|line| line.starts_with("qchroot_enable=")).count(), 1);
    rc("start").says("Start chroot completed.");
    until("the service runs", || world.run(["ps", "web"]).ok().contains("sleep 1000"));
    rc("status").says("started");
    rc("stop").says("Chroot is stopped.");
    assert_ne!(rc("status").status, 0);
    world.assert_quiet();
    world.run(["config", "web", "--boot", "no"]).ok();
    rc("start").ok();
    assert_eq!(world.state("web"), "stopped");
    let order =
        Ran::of(Command::new("/bin/sh").args(["-c", "exec rcorder /etc/rc.d/* \"$0\""]).arg(&file)).ok();
    let place = |name: &str| order.lines().position(|line| line.ends_with(name));
    assert!(place("/qchroot") > place("/LOGIN") && place("/qchroot") < place("/securelevel"), "{order}");
}
