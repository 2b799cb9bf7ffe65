//! A reboot in the middle of everything: processes, mounts, loop devices, control groups and the run directory are
//! gone, or a run directory of the boot before is still there. What starts with the system comes back in its order.

use std::fs;
use std::path::Path;

use crate::world::World;

const STARTED: &str = "Start chroot completed.";

/// `db`, `web` which requires it, and `lazy`, which does not start with the system.
fn three(storage: &str, isolation: &str) -> World {
    let world = World::installed();
    for name in ["web", "db", "lazy"] {
        world.create_in(name, storage, isolation).ok();
        world.run(["config", name, "--command", "sleeper=sleep 1000"]).ok();
    }
    world.run(["config", "web", "--requires", "db"]).ok();
    world.run(["config", "lazy", "--boot", "no"]).ok();
    world
}

/// What a boot makes gone.
fn switch_off(world: &World) {
    world.pull_the_plug();
    world.detach_disks();
}

/// The run directory is on a disk: it is there after a boot, and tells of the boot before.
fn age(run: &Path) {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    for name in ["db", "lazy", "web"] {
        for file in ["start", "boot"] {
            let at = run.join(name).join(file);
            let text = fs::read_to_string(&at).unwrap();
            fs::write(&at, text.replace(boot.trim(), "a-boot-before")).unwrap();
        }
    }
}

fn comes_back(world: &World, what: &str) {
    for name in ["db", "lazy", "web"] {
        assert_eq!(world.state(name), "stopped", "{what}: {name}");
    }
    let ran = world.run(["start", "--boot"]);
    assert_eq!(ran.out, format!("db: {STARTED}\nweb: {STARTED}\n"), "{what}: {ran}");
    assert_eq!((ran.status, world.state("lazy").as_str()), (0, "stopped"), "{what}: {ran}");
    assert_eq!(world.run(["start", "lazy"]).ok(), format!("lazy: {STARTED}\n"), "{what}");
    for name in ["db", "lazy", "web"] {
        let report = world.report(name);
        assert_eq!(report["state"], "started", "{what}: {report}");
        assert_eq!(report["services"][0]["state"], "running", "{what}: {report}");
    }
}

fn sleeps_through_reboots(storage: &str, isolation: &str) {
    let world = three(storage, isolation);
    let what = format!("{storage}, {isolation}");
    world.run(["start", "-A"]).ok();
    switch_off(&world);
    fs::remove_dir_all(world.root.join("run")).unwrap();
    comes_back(&world, &what);
    switch_off(&world);
    age(&world.root.join("run"));
    comes_back(&world, &format!("{what}, with an old run directory"));
    world.run(["stop", "-A", "--timeout", "9"]).ok();
    world.assert_quiet();
    world.assert_sound();
}

#[test]
fn overlay_in_a_chroot() {
    sleeps_through_reboots("overlay", "chroot");
}

#[test]
fn nullfs_in_a_chroot() {
    sleeps_through_reboots("nullfs", "chroot");
}

#[test]
fn md_in_a_chroot() {
    sleeps_through_reboots("md", "chroot");
}

#[test]
fn overlay_in_namespaces() {
    sleeps_through_reboots("overlay", "namespaces");
}

#[test]
fn nullfs_in_namespaces() {
    sleeps_through_reboots("nullfs", "namespaces");
}

#[test]
fn md_in_namespaces() {
    sleeps_through_reboots("md", "namespaces");
}
