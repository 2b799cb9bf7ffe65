//! Disks that are dirty, spoilt, or in somebody else's hands: each stops its own container at most.

use std::fs::{self, File};
use std::os::unix::fs::symlink;

use crate::scenario::{Scenario, both, freebsd};
use crate::system::{self, ISOLATIONS};
use crate::world::World;

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        both("disks::one_that_is_attached_already_or_spoilt_stops_its_own_container_only", refused),
        both("disks::one_that_was_not_unmounted_is_put_in_order_before_it_is_mounted", dirty),
        freebsd("disks::a_device_that_a_dead_process_left_is_freed_by_the_next_command", left),
        freebsd("disks::a_device_of_a_container_that_is_gone_is_freed_by_any_other", lost),
    ]
}

/// Two containers with disks, the first of which can be refused.
fn two(world: &World) {
    world.with_web("md", ISOLATIONS[0]);
    world.create("other", "md", ISOLATIONS[0]).ok();
    world.sh("echo kept > /root/letter").ok();
}

fn refused(world: &World) {
    two(world);
    let (disk, aside) = (world.lib("web/disk.img"), world.dir().join("aside.img"));
    let refused = |status: i32, texts: &[&str]| {
        world.sh("true").fails(status, texts);
        world.sh_in("other", "true").ok();
    };

    let attached = system::attach(&disk, None);
    refused(75, &["is attached already", &attached.device]);
    world.run(["check", "web"]).fails(75, &[&attached.device]);
    system::detach(&attached);

    fs::rename(&disk, &aside).unwrap();
    symlink(&aside, &disk).unwrap();
    refused(73, &["disk.img is a link, not a file"]);
    fs::remove_file(&disk).unwrap();
    fs::rename(&aside, &disk).unwrap();

    fs::copy(&disk, &aside).unwrap();
    let file = File::options().write(true).open(&disk).unwrap();
    file.set_len(20 << 20).unwrap();
    drop(file);
    refused(65, &["was cut short", "20971520", "qchroot check"]);
    fs::copy(&aside, &disk).unwrap();
    fs::remove_file(&aside).unwrap();
    assert_eq!(world.sh("cat /root/letter").ok(), "kept\n");
    world.assert_quiet();
    world.assert_sound();
}

/// A copy of a disk that is mounted is what a power cut leaves.
fn dirty(world: &World) {
    two(world);
    world.run(["config", "web", "--command", "sleeper=sleep 1000"]).ok();
    world.run(["start", "web"]).ok();
    world.sh("echo more > /root/second; sync; sync").ok();
    let (disk, aside) = (world.lib("web/disk.img"), world.dir().join("aside.img"));
    fs::copy(&disk, &aside).unwrap();
    world.run(["stop", "web"]).ok();
    fs::copy(&aside, &disk).unwrap();
    world.run(["start", "web"]).ok();
    assert_eq!(world.sh("cat /root/letter").ok(), "kept\n");
    let log = fs::read_to_string(world.root.join("log/web/disk.log")).unwrap();
    assert!(log.contains("(preen) begins") && log.contains("the disk was repaired"), "{log}");
    world.run(["stop", "web"]).ok();
    world.run(["delete", "--wait", "web", "other"]).ok();
    world.assert_quiet();
    world.assert_sound();
}

/// The label is the one that qchroot gives, so this is what a kill between attaching and mounting leaves.
fn left(world: &World) {
    two(world);
    let disk = world.lib("web/disk.img");
    system::attach(&disk, Some("qchroot"));
    world.run(["check", "web"]).ok();
    assert_eq!(world.disks().len(), 0);
    system::attach(&disk, Some("qchroot"));
    world.run(["resize", "web", "96M"]).ok();
    assert_eq!(world.sh("cat /root/letter").ok(), "kept\n");
    world.assert_quiet();
    world.assert_sound();
}

fn lost(world: &World) {
    two(world);
    system::attach(&world.lib("web/disk.img"), Some("qchroot"));
    world.run(["delete", "--wait", "web"]).ok();
    world.sh_in("other", "true").ok();
    world.assert_quiet();
    world.assert_sound();
}
