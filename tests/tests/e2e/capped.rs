//! Capped containers: nobody takes one byte more than was given, and what is given can be changed.

use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::program::Ran;
use crate::world::{RunWith, World};

const LIMIT: u64 = 64 << 20;

/// Two containers with a service each and 64 MiB.
pub fn two() -> World {
    let world = World::with_sleeper("md");
    world.create("db", "md").ok();
    world.run(["config", "db", "--command", "sleeper=sleep 1000"]).ok();
    world
}

fn fill(world: &World) -> Ran {
    world.sh("cat /dev/zero > /fill")
}

#[test]
fn a_container_that_is_full_has_taken_what_it_was_given_and_no_more() {
    let world = two();
    world.run(["start", "-A"]).ok();
    let full = fill(&world);
    assert!(full.err.contains("No space left on device"), "{full}");
    let inside: u64 = world.sh("stat -c %s /fill").ok().trim().parse().unwrap();
    assert!(inside > LIMIT / 10 * 8 && inside < LIMIT, "{inside}");
    assert_ne!(world.sh("cat /fill > /more").status, 0, "there is space for one more");
    let image = fs::metadata(world.lib("web/disk.img")).unwrap();
    assert!(image.len() == LIMIT && image.blocks() * 512 <= LIMIT, "{image:?}");
    let report = world.report("web");
    assert_eq!(report["limit_bytes"], LIMIT);
    assert!(report["used_bytes"].as_u64().unwrap() > LIMIT / 10 * 9, "{report}");
    let other = "head -c 30000000 /dev/zero > /some; stat -c %s /some";
    assert_eq!(world.run(["exec", "db", "--", "sh", "-c", other]).ok(), "30000000\n");
}

#[test]
fn a_container_that_is_full_stops_starts_grows_and_goes() {
    let world = two();
    world.run(["start", "web"]).ok();
    fill(&world);
    for _ in 0..2 {
        world.run(["stop", "web"]).ok();
        world.assert_quiet();
        world.run(["start", "web"]).ok();
        assert_eq!(world.state("web"), "started");
    }
    world.run(["stop", "web"]).ok();
    world.run(["resize", "web", "96M"]).ok();
    assert_eq!(world.report("web")["limit_bytes"], 96 << 20);
    world.run(["start", "web"]).ok();
    world.sh("head -c 20000000 /dev/zero > /more").ok();
    world.run(["stop", "web"]).ok();
    world.run(["resize", "web", "32M"]).fails(64, &["too small for what web holds", "remove files inside"]);
    world.sh("rm /fill /more; echo kept > /root/file").ok();
    world.run(["resize", "web", "32M"]).ok();
    assert_eq!(world.sh("cat /root/file").ok(), "kept\n");
    world.run(["delete", "--wait", "web"]).ok();
    assert!(!world.lib("web").exists());
    world.assert_quiet();
    world.assert_sound();
}

#[test]
fn a_base_is_shared_and_a_disk_is_made_of_it_once() {
    let world = two();
    world.run(["start", "-A"]).ok();
    assert_ne!(world.sh("echo x > /bin/sh").status, 0, "a program of the base can be written");
    let template = || {
        let dir = fs::read_dir(world.lib("current/disks")).unwrap().flatten();
        dir.map(|entry| (entry.file_name(), entry.metadata().unwrap().mtime())).collect::<Vec<_>>()
    };
    let before = template();
    world.create("third", "md").ok();
    assert_eq!(template(), before);
}

#[test]
fn every_file_system_has_what_it_takes() {
    let world = World::installed();
    for (fs, size) in [("xfs", "320M"), ("btrfs", "160M")] {
        let option = format!("storage.fs={fs}");
        world.command(["create", fs, "--storage", "md", "--size", size]).ran(&["-o", &option]).ok();
        let script = "echo kept > /root/file; cat /dev/zero > /fill";
        let full = world.run(["exec", fs, "--", "sh", "-c", script]);
        assert!(full.err.contains("No space left on device"), "{full}");
        assert_eq!(world.run(["exec", fs, "--", "cat", "/root/file"]).ok(), "kept\n");
        assert!(fs::metadata(world.lib(&format!("{fs}/disk.img"))).unwrap().blocks() * 512 <= 320 << 20);
    }
    world.assert_quiet();
}

#[test]
fn sizes_that_cannot_be_are_refused_and_leave_nothing() {
    let world = World::installed();
    let before = world.lasting();
    let create = |args: &[&str]| world.command(["create", "web", "--storage", "md"]).ran(args);
    create(&[]).fails(64, &["needs a size", "--size 512M"]);
    for size in ["much", "-1", "1.5G", "", "99999999999T"] {
        let ran = create(&[&format!("--size={size}")]);
        assert!([64, 78].contains(&ran.status) && ran.err.contains("size"), "{ran}");
    }
    for size in ["0", "1M", "9000000T"] {
        let ran = create(&["--size", size]);
        assert!([64, 78].contains(&ran.status), "{ran}");
    }
    create(&["--size", "64M", "-o", "storage.fs=xfs"]).fails(78, &["xfs needs 300 MiB at least"]);
    create(&["--size", "64M", "-o", "storage.fs=ufs"]).fails(78, &["leave out fs, or use ext4"]);
    create(&["--size", "64M", "-o", "storage.check=never"]).fails(78, &["use preen, repair or refuse"]);
    let all = create(&["--size", "8000G", "-o", "storage.preallocate=true"]);
    all.fails(64, &["not enough space", "free where containers are kept", "make room on the host"]);
    assert_eq!(world.lasting().diff(&before), "");
}

#[test]
fn what_is_preallocated_is_taken_at_once() {
    let world = World::installed();
    let args = ["create", "web", "--storage", "md", "--size", "64M", "-o", "storage.preallocate=true"];
    world.run(args).ok();
    assert!(fs::metadata(world.lib("web/disk.img")).unwrap().blocks() * 512 >= LIMIT);
    world.run(["resize", "web", "80M"]).ok();
    assert!(fs::metadata(world.lib("web/disk.img")).unwrap().blocks() * 512 >= 80 << 20);
}
