//! Snapshots, rollbacks to them, clones and renames that die at any of their steps, and their repairs that die too.

use std::fs;

use crate::crash::{Cure, Sweep, nothing, used};
use crate::world::World;

const STORAGES: [&str; 2] = ["overlay", "nullfs"];

/// A container that was used, with a snapshot, and a file that is newer.
fn kept(storage: &str) -> World {
    let world = used(storage);
    world.sh("echo then > /root/file; rm /www/index.html").ok();
    world.run(["snapshot", "web", "then"]).ok();
    world
}

fn sweep(world: &World, args: &[&str], prepare: &dyn Fn(&World)) {
    let points =
        Sweep { world, args, prepare, cures: &[Cure::Doctor], refused: args, always: &nothing }.run();
    assert!(points >= 2, "`{}` has {points} points", args.join(" "));
}

#[test]
fn a_rollback_to_a_snapshot() {
    for storage in STORAGES {
        let world = kept(storage);
        let private = world.lib(if storage == "overlay" { "web/upper" } else { "web/root" });
        sweep(&world, &["rollback", "web", "--snapshot", "then"], &|_| {
            fs::write(private.join("root/file"), "now").unwrap();
        });
    }
}

#[test]
fn taking_and_removing_a_snapshot() {
    for storage in STORAGES {
        let world = kept(storage);
        let has = |world: &World| world.lib("web/snapshots/other").exists();
        sweep(&world, &["snapshot", "web", "other"], &|world| {
            if has(world) {
                world.run(["snapshot", "web", "--remove", "other"]).ok();
            }
        });
        sweep(&world, &["snapshot", "web", "--remove", "other"], &|world| {
            if !has(world) {
                world.run(["snapshot", "web", "other"]).ok();
            }
        });
    }
}

#[test]
fn a_clone() {
    for storage in STORAGES {
        let world = kept(storage);
        sweep(&world, &["clone", "web", "copy"], &|world| {
            if world.file("copy").exists() {
                world.run(["delete", "--wait", "copy"]).ok();
            }
        });
    }
}

#[test]
fn a_rename() {
    for storage in STORAGES {
        let world = kept(storage);
        sweep(&world, &["rename", "web", "shop"], &|world| {
            if world.file("shop").exists() {
                world.run(["rename", "shop", "web"]).ok();
            }
        });
    }
}
