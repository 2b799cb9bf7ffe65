//! Containers that start and stop with the system: the scripts and units as they are shipped, run in order.

pub mod rc_d;
pub mod rcorder;
pub mod scripts;

use std::fs;
use std::process::Command;

use crate::program::Ran;
use crate::world::{World, until};
use scripts::{Script, boot_file};

/// Containers `db` and `web`, which start with the system, and `spare`, which does not.
pub fn three() -> World {
    let world = World::installed();
    for (name, storage) in [("db", "nullfs"), ("spare", "overlay"), ("web", "overlay")] {
        world.create(name, storage).ok();
        world.run(["config", name, "--command", "sleeper=sleep 1000"]).ok();
    }
    world.run(["config", "spare", "--boot", "no"]).ok();
    world
}

#[track_caller]
pub fn assert_states(world: &World, db: &str, spare: &str, web: &str) {
    assert_eq!(["db", "spare", "web"].map(|name| world.state(name)), [db, spare, web]);
}

/// What every script of the kind does, whatever the shell.
pub fn life(script: &Script) {
    let world = &script.world;
    script.run("status").is(script.stopped_status(), &["db", "stopped"]);
    let said = script.run("start").is(0, &["db: Start chroot completed", "web: Start chroot completed"]);
    assert!(!said.contains("spare"), "{said}");
    assert_states(world, "started", "stopped", "started");
    script.run("status").is(0, &["db", "started"]);
    script.run("start").is(0, &["already started"]);
    let before = world.inside();
    script.run("restart").is(0, &["web: Chroot is stopped", "web: Start chroot completed"]);
    assert!(world.inside().iter().all(|pid| !before.contains(pid)), "other processes");
    world.run(["start", "spare"]).ok();
    script.run("stop").is(0, &["spare: Chroot is stopped"]);
    assert_states(world, "stopped", "stopped", "stopped");
    script.run("stop").is(0, &[]);
    script.run("status").is(script.stopped_status(), &["web", "stopped"]);
    world.assert_quiet();
}

/// A power cut in the middle, and the next boot.
pub fn reboot(script: &Script) {
    let world = &script.world;
    script.run("start").is(0, &[]);
    world.pull_the_plug();
    fs::remove_dir_all(world.root.join("run")).unwrap();
    script.run("status").is(script.stopped_status(), &[]);
    let said = script.run("start").is(0, &["db: Start chroot completed", "web: Start chroot completed"]);
    assert!(!said.contains("already started"), "{said}");
    assert_states(world, "started", "stopped", "started");
    script.run("stop").is(0, &[]);
    world.assert_quiet();
    world.assert_sound();
}

#[test]
fn the_init_script_in_each_shell() {
    for shell in [&["dash"][..], &["busybox", "sh"], &["bash", "--posix"]] {
        let script = Script::init_d(three(), shell);
        life(&script);
        reboot(&script);
    }
}

#[test]
fn the_init_script_says_what_went_wrong_as_lsb_wants() {
    let script = Script::init_d(three(), &["dash"]);
    script.run("jump").is(2, &["usage: ", "force-reload"]);
    script.run("reload").is(3, &["nothing to reload"]);
    script.run("try-restart").is(0, &[]);
    assert_states(&script.world, "stopped", "stopped", "stopped");
    script.run("start").is(0, &[]);
    script.run("try-restart").is(0, &["db: Start chroot completed"]);
    script.run("force-reload").is(0, &["db: Start chroot completed"]);
    // One that cannot be started is told, and the others start.
    script.run("stop").is(0, &[]);
    script.world.run(["config", "db", "broken"]).ok();
    script.run("start").is(1, &["out of luck", "web: Start chroot completed"]);
    assert_states(&script.world, "stopped", "stopped", "started");
    script.run("stop").is(0, &[]);
    let gone = script.with("PROGRAM=/nonexistent/qchroot\n");
    gone.run("start").is(5, &["is not installed"]);
    gone.run("status").is(4, &["is not installed"]);
}

#[test]
fn systemd_finds_nothing_wrong_with_the_units() {
    let world = World::new();
    let units = world.dir().join("usr/lib/systemd/system");
    fs::create_dir_all(units.parent().unwrap()).unwrap();
    let copy = Command::new("cp").args(["-a", "/lib/systemd/system"]).arg(&units).status();
    assert!(copy.unwrap().success(), "Debian's systemd is installed");
    let program = world.dir().join("usr/sbin/qchroot");
    fs::create_dir_all(program.parent().unwrap()).unwrap();
    fs::copy(crate::program::path(), &program).unwrap();
    for unit in ["qchroot.service", "qchroot@.service"] {
        fs::write(units.join(unit), boot_file(unit)).unwrap();
    }
    let mut verify = Command::new("systemd-analyze");
    verify.args(["verify", "--man=no", "--root"]).arg(world.dir());
    let ran = Ran::of(verify.args(["qchroot.service", "qchroot@web-1.service"]));
    assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{ran}");
}

#[test]
fn what_the_units_run_starts_and_stops_containers() {
    let all = Script::unit(three(), "qchroot.service", "");
    all.run("ExecStart").is(0, &["db: Start chroot completed", "web: Start chroot completed"]);
    assert_states(&all.world, "started", "stopped", "started");
    all.run("ExecStop").is(0, &["web: Chroot is stopped"]);
    let one = Script::unit(all.world, "qchroot@.service", "spare");
    one.run("ExecStart").is(0, &["spare: Start chroot completed"]);
    one.run("ExecStart").is(0, &["already started"]);
    assert_states(&one.world, "stopped", "started", "stopped");
    one.run("ExecStop").is(0, &["spare: Chroot is stopped"]);
    one.world.assert_quiet();
}

/// A unit that failed is killed, not stopped: see the comment there.
#[test]
fn one_container_that_fails_does_not_fail_the_unit() {
    let world = three();
    world.run(["config", "db", "broken"]).ok();
    let all = Script::unit(world, "qchroot.service", "");
    all.run("ExecStart").is(0, &["out of luck", "web: Start chroot completed"]);
    until("web runs", || all.world.report("web")["services"][0]["state"] == "running");
}

#[test]
fn the_example_of_the_settings_is_taken_as_it_is() {
    let world = World::with_web("overlay");
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/qchroot.toml.example");
    let text = fs::read_to_string(example).unwrap();
    fs::write(world.root.join("etc/qchroot.toml"), &text).unwrap();
    world.create("plain", "overlay").ok();
    let lines = text.lines().map(|line| match line.strip_prefix('#') {
        Some(rest) if !rest.starts_with(' ') => rest,
        _ => line,
    });
    fs::write(world.root.join("etc/qchroot.toml"), lines.collect::<Vec<_>>().join("\n")).unwrap();
    world.create("full", "overlay").ok();
}
