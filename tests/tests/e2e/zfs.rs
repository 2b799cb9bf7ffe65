//! Containers on ZFS: the real program and the real kernel's mounts, with a stand-in for zfs(8).

use std::fs;

use crate::pool::{self, datasets, is_inside, zfs};
use crate::world::World;

const DATASET: &str = "storage.dataset=tank/qchroot";

fn create(world: &World, name: &str, size: &str) {
    world.run(["create", name, "--storage", "zfs", "--size", size, "-o", DATASET]).ok();
}

#[test]
fn a_container_lives_on_a_clone_of_its_release() {
    if !is_inside("zfs::a_container_lives_on_a_clone_of_its_release") {
        return;
    }
    let world = pool::world();
    create(&world, "web", "64M");
    world.run(["config", "web", "--command", "sleeper=sleep 1000"]).ok();
    world.run(["start", "web"]).ok();
    world.sh("echo mine > /root/file; test -x /bin/sh").ok();
    let report = world.report("web");
    assert_eq!((report["state"].as_str(), report["limit_bytes"].as_u64()), (Some("started"), Some(64 << 20)));
    assert!(report["used_bytes"].as_u64().is_some_and(|used| used > 0), "{report}");
    assert_ne!(world.sh("echo no > /sharedfs/file").status, 0, "the shared part can be written");
    create(&world, "db", "64M");
    world.run(["exec", "db", "--", "sh", "-c", "test ! -e /root/file"]).ok();
    world.run(["stop", "web"]).ok();
    world.assert_quiet();
    assert!(!world.lib("web/root/root").exists(), "its files are in the data set alone");
    assert_eq!(world.sh("cat /root/file").ok(), "mine\n");
    world.run(["resize", "web", "128M"]).ok();
    assert_eq!(world.report("web")["limit_bytes"].as_u64(), Some(128 << 20));
    world.run(["resize", "web", "2G"]).fails(64, &["2 GiB are more than there is", "hint: "]);
    world.run(["delete", "web", "--wait"]).ok();
    world.run(["delete", "db", "--wait"]).ok();
    assert_eq!(datasets(), Vec::<String>::new());
    world.assert_quiet();
    world.assert_sound();
}

#[test]
fn snapshots_clones_and_other_names() {
    if !is_inside("zfs::snapshots_clones_and_other_names") {
        return;
    }
    let world = pool::world();
    create(&world, "web", "64M");
    world.sh("echo monday > /root/file").ok();
    world.run(["snapshot", "web", "monday"]).ok();
    world.sh("echo tuesday > /root/file; rm /etc/passwd").ok();
    world.run(["rollback", "web", "--snapshot", "monday"]).ok();
    assert_eq!(world.sh("cat /root/file; test -e /etc/passwd && echo there").ok(), "monday\nthere\n");
    world.run(["clone", "web", "copy"]).ok();
    world.run(["delete", "web", "--wait"]).ok();
    world.run(["rename", "copy", "web"]).ok();
    assert_eq!(world.sh("cat /root/file").ok(), "monday\n");
    world.run(["snapshot", "web", "later"]).ok();
    assert!(world.run(["snapshot", "web", "--list"]).ok().contains("later"));
    world.run(["delete", "web", "--wait"]).ok();
    assert_eq!(datasets(), Vec::<String>::new());
    world.assert_sound();
}

#[test]
fn what_is_not_there_or_not_ours_is_refused() {
    if !is_inside("zfs::what_is_not_there_or_not_ours_is_refused") {
        return;
    }
    let world = pool::world();
    let refused = |option: &str| {
        let before = world.lasting();
        let ran = world.run(["create", "web", "--storage", "zfs", "-o", option]);
        before.assert_same(&world.lasting(), "a refused create");
        ran
    };
    refused("storage.dataset=tank/none")
        .fails(66, &["there is no data set tank/none", "zfs create -p tank/none"]);
    refused("storage.dataset=/tank").fails(78, &["is no name of a data set"]);
    refused("storage.nosuid=no").fails(78, &["storage.dataset=tank/qchroot"]);
    zfs(&["create", "-o", "mountpoint=none", "tank/qchroot/web"]).ok();
    refused(DATASET).fails(73, &["tank/qchroot/web", "qchroot did not make it"]);
    assert_eq!(datasets(), ["web"]);
}

#[test]
fn a_create_or_delete_that_dies_is_put_right() {
    if !is_inside("zfs::a_create_or_delete_that_dies_is_put_right") {
        return;
    }
    let world = pool::world();
    let args = ["create", "web", "--storage", "zfs", "--size", "64M", "-o", DATASET];
    for point in 1.. {
        let ran = world.crash(point, args);
        if !ran.has_crashed() {
            ran.ok();
            assert!(point > 10, "the first create has more steps than {point}");
            break;
        }
        world.run(["doctor", "--repair"]).ok();
        world.assert_quiet();
        world.assert_sound();
        if !world.file("web").exists() {
            assert_eq!(datasets(), Vec::<String>::new(), "after point {point}");
            continue;
        }
        world.sh("true").ok();
        world.run(["delete", "web", "--wait"]).ok();
    }
    for point in 1.. {
        if !world.file("web").exists() {
            world.run(args).ok();
        }
        let ran = world.crash(point, ["delete", "web"]);
        if !ran.has_crashed() {
            ran.ok();
            break;
        }
        world.run(["doctor", "--repair"]).ok();
        match fs::exists(world.file("web")).unwrap() {
            true => drop(world.sh("true").ok()),
            false => assert_eq!(datasets(), Vec::<String>::new(), "after point {point}"),
        }
        world.assert_quiet();
    }
}
