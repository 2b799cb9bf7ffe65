//! Overlays that cannot take more than they were given, where the host's file system keeps limits for projects.

use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::host_disk::{EXT4, EXT4_QUOTA, HostDisk, XFS};
use crate::world::World;

/// Systems whose containers are on a disk of the host's that keeps limits. A kernel without them must say so, and gives
/// none.
fn with_quotas() -> Vec<(HostDisk, World)> {
    let made = [EXT4_QUOTA, XFS].map(|kind| {
        let world = World::new();
        match HostDisk::new(&world.root, kind, "prjquota") {
            Some(disk) => {
                crate::userland::write(&world.archive());
                world.install("tiny-1.0").ok();
                Some((disk, world))
            }
            None => {
                eprintln!("this kernel keeps no limits for projects on {}", kind.1[0]);
                without_quotas(&world, if kind == EXT4_QUOTA { EXT4 } else { kind });
                None
            }
        }
    });
    made.into_iter().flatten().collect()
}

const FILL: &str = "i=0; while why=$(dd if=/dev/zero of=/root/fill.$i bs=64k count=16 2>&1); do i=$((i+1)); done; \
                    echo \"$why\"; exit 3";

/// Bytes that a directory of the host's takes.
fn taken(at: &std::path::Path) -> u64 {
    let below = fs::read_dir(at).unwrap().flatten().map(|entry| match entry.file_type().unwrap().is_dir() {
        true => taken(&entry.path()),
        false => entry.metadata().unwrap().blocks() * 512,
    });
    below.sum()
}

#[test]
fn filled_to_the_brim_and_grown_while_it_runs() {
    for (_disk, world) in with_quotas() {
        world.run(["create", "web", "--size", "8M"]).ok();
        world.run(["create", "other", "--size", "8M"]).ok();
        world.run(["config", "web", "--command", "sleeper=sleep 1000"]).ok();
        world.run(["start", "web"]).ok();
        let full = world.sh(FILL);
        assert!(full.status == 3 && full.out.to_lowercase().contains("no space"), "{full}");
        let took = taken(&world.lib("web/upper"));
        assert!((6 << 20..=8 << 20).contains(&took), "{took}");
        let shown = world.report("web");
        assert_eq!(shown["limit_bytes"], 8 << 20, "{shown}");
        assert!(shown["used_bytes"].as_u64().unwrap() > 7 << 20, "{shown}");
        world.run(["exec", "other", "--", "sh", "-c", "echo x > /root/x"]).ok();

        world.run(["resize", "web", "16M"]).ok();
        world.sh("dd if=/dev/zero of=/root/more bs=64k count=64").ok();
        assert_eq!(world.report("web")["limit_bytes"], 16 << 20);
        world.run(["resize", "web", "4M"]).fails(64, &["cannot be given 4 MiB"]);
        world.run(["stop", "web"]).ok();
        world.assert_quiet();
    }
}

#[test]
fn nothing_is_left_of_a_limit() {
    for (disk, world) in with_quotas() {
        let before = disk.projects();
        for _ in 0..3 {
            world.run(["create", "web", "--size", "8M"]).ok();
            assert_ne!(disk.projects(), before);
            world.sh("echo x > /etc/issue").ok();
            world.run(["delete", "--wait", "web"]).ok();
            assert_eq!(disk.projects(), before);
        }
        world.assert_sound();
    }
}

#[test]
fn a_create_or_delete_that_dies_is_put_right() {
    for (disk, world) in with_quotas() {
        world.run(["create", "other", "--size", "8M"]).ok();
        let none = disk.projects();
        for (verb, point) in ["create", "delete"].into_iter().flat_map(|verb| (1..16).map(move |n| (verb, n)))
        {
            let args: &[&str] =
                if verb == "create" { &["create", "web", "--size", "8M"] } else { &["delete", "web"] };
            if verb == "delete" && !world.file("web").exists() {
                world.run(["create", "web", "--size", "8M"]).ok();
            }
            let crashed = world.crash(point, args).has_crashed();
            world.run(["doctor", "--repair"]).ok();
            world.assert_sound();
            if !world.file("web").exists() {
                assert_eq!(disk.projects(), none, "{verb} died at {point}");
            }
            assert!(crashed || point > 4, "{verb} has more points");
        }
    }
}

#[test]
fn a_copy_and_what_is_brought_back_are_limited_too() {
    for (_disk, world) in with_quotas() {
        world.run(["create", "web", "--size", "8M"]).ok();
        world.sh("mkdir /root/d; dd if=/dev/zero of=/root/d/a bs=64k count=16; ln -s a /root/d/b").ok();
        world.run(["snapshot", "web", "one"]).ok();
        world.run(["clone", "web", "copy"]).ok();
        world.run(["rollback", "web", "--snapshot", "one"]).ok();
        for name in ["web", "copy"] {
            let full = world.run(["exec", name, "--", "sh", "-c", FILL]);
            assert!(full.status == 3 && full.out.to_lowercase().contains("no space"), "{name}: {full}");
            let took = taken(&world.lib(name).join("upper"));
            assert!(took <= 8 << 20, "{name}: {took}");
        }
    }
}

#[test]
fn without_quotas_it_is_refused() {
    for kind in [EXT4, XFS] {
        without_quotas(&World::new(), kind);
    }
}

fn without_quotas(world: &World, kind: (u64, &[&str])) {
    let _disk = HostDisk::new(&world.root, kind, "defaults").unwrap();
    crate::userland::write(&world.archive());
    world.install("tiny-1.0").ok();
    let before = world.lasting();
    let refused = world.run(["create", "web", "--storage", "overlay", "--size", "8M"]);
    refused.fails(69, &["has no project quotas", "hint: use --storage md, or mount"]);
    world.run(["create", "web", "--storage", "overlay", "--size", "8"]).fails(78, &["too small"]);
    before.assert_same(&world.lasting(), "what was refused");
    world.run(["create", "web", "--storage", "overlay"]).ok();
    world.run(["resize", "web", "8M"]).fails(69, &["has no project quotas"]);
}
