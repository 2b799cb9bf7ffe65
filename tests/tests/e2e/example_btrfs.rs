//! The example of a third party's storage, as a shared library on a btrfs of its own: containers are subvolumes.

use std::path::PathBuf;
use std::process::Command;

use crate::host_disk::HostDisk;
use crate::program::{Ran, build};
use crate::userland;
use crate::world::{RunWith, World};

const BTRFS: (u64, &[&str]) = (512 << 20, &["mkfs.btrfs", "-q", "-f"]);

const STORAGE: [&str; 2] = ["--storage", "example.btrfs"];

const FILL: &str = "i=0; while why=$(dd if=/dev/urandom of=/root/fill.$i bs=64k count=16 2>&1); do i=$((i+1)); done; \
                    echo \"$why\"; exit 3";

/// A system on a btrfs, which is unmounted after it.
struct Lab {
    world: World,
    disk: HostDisk,
}

impl Lab {
    fn new() -> Self {
        let world = World::new();
        let disk = HostDisk::new(&world.root, BTRFS, "defaults").expect("this kernel has btrfs");
        world.put_plugin("example.btrfs", &library());
        userland::write(&world.archive());
        world.install("tiny-1.0").ok();
        Self { world, disk }
    }

    fn with_quotas() -> Self {
        let lab = Self::new();
        lab.btrfs(&["quota", "enable"]).ok();
        lab
    }

    fn btrfs(&self, words: &[&str]) -> Ran {
        Command::new("btrfs").args(words).ran(&[self.disk.at.to_str().unwrap()])
    }

    /// Paths of all subvolumes.
    fn subvolumes(&self) -> Vec<String> {
        let listed = self.btrfs(&["subvolume", "list", "-o"]).ok();
        let mut all: Vec<String> =
            listed.lines().filter_map(|line| Some(line.split_once(" path ")?.1.to_owned())).collect();
        all.sort();
        all
    }

    #[track_caller]
    fn ok<const N: usize>(&self, args: [&str; N]) -> String {
        self.world.run(args).ok()
    }

    fn create(&self, name: &str, size: &str) -> Ran {
        self.world.command(["create", name, "--size", size]).ran(&STORAGE)
    }
}

fn library() -> PathBuf {
    build(&["--package=qchroot-example-btrfs"], "libqchroot_example_btrfs.so")
}

#[test]
fn a_container_is_a_subvolume_with_a_limit_for_all_its_life() {
    let lab = Lab::with_quotas();
    let world = &lab.world;
    lab.create("web", "16M").ok();
    assert_eq!(lab.subvolumes(), ["lib/web/root"]);
    lab.ok(["start", "web"]);
    world.sh("echo first > /root/file").ok();
    let full = world.sh(FILL);
    assert!(full.status == 3 && full.out.to_lowercase().contains("quota exceeded"), "{full}");
    lab.btrfs(&["filesystem", "sync"]).ok();
    let shown = world.report("web");
    assert_eq!(shown["limit_bytes"], 16 << 20, "{shown}");
    assert!(shown["used_bytes"].as_u64().unwrap() > 15 << 20, "{shown}");
    world.run(["resize", "web", "8M"]).fails(64, &["8 MiB is too small for what web holds", "in use"]);
    lab.ok(["resize", "web", "32M"]);
    world.sh("dd if=/dev/urandom of=/root/more bs=64k count=64").ok();
    lab.ok(["stop", "web"]);

    lab.ok(["snapshot", "web", "one"]);
    world.sh("echo second > /root/file").ok();
    lab.ok(["rollback", "web", "--snapshot", "one"]);
    assert_eq!(world.sh("cat /root/file").ok(), "first\n");
    lab.ok(["clone", "web", "copy"]);
    lab.ok(["rename", "copy", "other"]);
    assert_eq!(lab.subvolumes(), ["lib/other/root", "lib/web/root", "lib/web/snapshots/one/data"]);
    for name in ["web", "other"] {
        let full = world.run(["exec", name, "--", "sh", "-c", FILL]);
        assert!(full.status == 3 && full.out.to_lowercase().contains("quota exceeded"), "{name}: {full}");
        assert_eq!(world.report(name)["limit_bytes"], 32 << 20);
    }
    lab.ok(["snapshot", "web", "--remove", "one"]);
    for name in ["web", "other"] {
        lab.ok(["delete", "--wait", name]);
    }
    assert_eq!(lab.subvolumes(), Vec::<String>::new());
    world.assert_sound();
}

#[test]
fn a_container_is_carried_away_and_brought_back() {
    let lab = Lab::new();
    let file = lab.world.dir().join("web.export");
    let file = file.to_str().unwrap();
    lab.world.command(["create", "web"]).ran(&STORAGE).ok();
    lab.world.sh("echo mine > /root/file").ok();
    lab.ok(["export", "web", file]);
    lab.ok(["delete", "--wait", "web"]);
    lab.ok(["import", file, "back"]);
    assert_eq!(lab.subvolumes(), ["lib/back/root"]);
    assert_eq!(lab.world.run(["exec", "back", "--", "cat", "/root/file"]).ok(), "mine\n");
    lab.world.assert_sound();
}

#[test]
fn what_is_missing_is_said() {
    let world = World::installed();
    world.put_plugin("example.btrfs", &library());
    let refused = world.command(["create", "web"]).ran(&STORAGE);
    refused.fails(69, &["is no btrfs but", "hint: mount a btrfs on"]);
    assert!(!world.lib("web").exists());

    let lab = Lab::new();
    lab.create("web", "16M").fails(69, &["does not count", "hint: `btrfs quota enable"]);
    lab.world.command(["create", "web"]).ran(&STORAGE).ok();
    lab.world.run(["resize", "web", "16M"]).fails(69, &["does not count"]);
    assert_eq!(lab.subvolumes(), ["lib/web/root"]);
}

#[test]
fn what_dies_is_put_right_and_leaves_no_subvolume() {
    let lab = Lab::with_quotas();
    let world = &lab.world;
    lab.create("web", "16M").ok();
    world.sh("echo first > /root/file").ok();
    let verbs: [&[&str]; 5] = [
        &["create", "new", STORAGE[0], STORAGE[1], "--size", "8M"],
        &["clone", "web", "new"],
        &["snapshot", "web", "one"],
        &["rollback", "web", "--snapshot", "kept"],
        &["delete", "new"],
    ];
    lab.ok(["snapshot", "web", "kept"]);
    for (verb, point) in verbs.into_iter().flat_map(|verb| (1..30).map(move |point| (verb, point))) {
        if verb[0] == "delete" && !world.file("new").exists() {
            lab.create("new", "8M").ok();
        }
        let crashed = world.crash(point, verb).has_crashed();
        lab.ok(["doctor", "--repair"]);
        world.assert_sound();
        assert_eq!(world.sh("cat /root/file").ok(), "first\n", "{verb:?} died at {point}");
        let mut there = vec!["lib/web/root", "lib/web/snapshots/kept/data"];
        there.extend(world.file("new").exists().then_some("lib/new/root"));
        there.extend(world.lib("web/snapshots/one").exists().then_some("lib/web/snapshots/one/data"));
        there.sort_unstable();
        assert_eq!(lab.subvolumes(), there, "{verb:?} died at {point}");
        if !crashed {
            assert!(point > 4, "{verb:?} has more points");
            break;
        }
        if verb[0] != "delete" && world.file("new").exists() {
            lab.ok(["delete", "--wait", "new"]);
        }
        if world.lib("web/snapshots/one").exists() {
            lab.ok(["snapshot", "web", "--remove", "one"]);
        }
    }
}
