//! Mounts of others inside a container: `delete` refuses, and nothing behind them is lost.

use std::fs;
use std::path::Path;

use nix::mount::{MntFlags, MsFlags, mount, umount2};

use crate::tree::Tree;
use crate::world::World;

#[test]
fn delete_refuses_while_something_is_mounted_inside() {
    let world = World::with_web("nullfs");
    let home = world.dir().join("home");
    fs::create_dir_all(home.join("alice")).unwrap();
    fs::write(home.join("alice/thesis"), "precious").unwrap();
    let before = Tree::with_times(&home);
    let none = None::<&str>;
    for at in ["tmp", "root", "etc/init.d"] {
        let at = world.lib("web/root").join(at);
        mount(Some(&home), &at, none, MsFlags::MS_BIND, none).unwrap();
        let tree = world.lasting();
        world.run(["delete", "web"]).fails(75, &["cannot delete web", "is mounted on", at.to_str().unwrap()]);
        tree.assert_same(&world.lasting(), "the refused delete");
        before.assert_same(&Tree::with_times(&home), "what is mounted");
        umount2(&at, MntFlags::empty()).unwrap();
    }
    mount(Some("tmpfs"), &world.lib("web/root/tmp"), Some("tmpfs"), MsFlags::empty(), none).unwrap();
    fs::write(world.lib("web/root/tmp/file"), "in memory").unwrap();
    world.run(["delete", "web"]).fails(75, &["tmpfs is mounted on"]);
    assert_eq!(fs::read_to_string(world.lib("web/root/tmp/file")).unwrap(), "in memory");
    umount2(&world.lib("web/root/tmp"), MntFlags::empty()).unwrap();
    world.run(["delete", "--wait", "web"]).ok();
    before.assert_same(&Tree::with_times(&home), "what was mounted");
}

#[test]
fn delete_refuses_beside_the_root_too() {
    let world = World::with_web("overlay");
    let home = world.dir().join("home");
    fs::create_dir(&home).unwrap();
    fs::write(home.join("thesis"), "precious").unwrap();
    bind(&home, &world.lib("web/upper"));
    world.run(["delete", "web"]).fails(75, &["is mounted on", "web/upper"]);
    umount2(&world.lib("web/upper"), MntFlags::empty()).unwrap();
    world.run(["delete", "--wait", "web"]).ok();
    assert_eq!(fs::read_to_string(home.join("thesis")).unwrap(), "precious");
}

#[test]
fn stop_unmounts_what_was_mounted_inside_and_loses_nothing() {
    let world = World::with_sleeper("overlay");
    let home = world.dir().join("home");
    fs::create_dir(&home).unwrap();
    fs::write(home.join("thesis"), "precious").unwrap();
    world.run(["start", "web"]).ok();
    bind(&home, &world.lib("web/root/tmp"));
    world.sh("cat /tmp/thesis").ok();
    assert_eq!(world.run(["stop", "web"]).ok(), "web: Chroot is stopped.\n");
    world.assert_quiet();
    assert_eq!(fs::read_to_string(home.join("thesis")).unwrap(), "precious");
    world.run(["start", "web"]).ok();
    world.run(["stop", "web"]).ok();
    world.run(["delete", "--wait", "web"]).ok();
    assert_eq!(fs::read_to_string(home.join("thesis")).unwrap(), "precious");
}

#[test]
fn a_removal_that_was_interrupted_does_not_cross_a_mount_either() {
    let world = World::with_web("nullfs");
    let home = world.dir().join("home");
    fs::create_dir(&home).unwrap();
    fs::write(home.join("thesis"), "precious").unwrap();
    let trash = world.lib(".trash/web.1.tree");
    // The tree was given up: from here the only way is forward.
    assert!(world.crash(4, ["delete", "web"]).has_crashed() && trash.exists());
    bind(&home, &trash.join("root/tmp"));
    let repaired = world.run(["doctor", "--repair"]);
    assert_eq!(fs::read_to_string(home.join("thesis")).unwrap(), "precious", "{repaired}");
    assert!(repaired.status == 75 && repaired.out.contains("root/tmp"), "{repaired}");
    umount2(&trash.join("root/tmp"), MntFlags::empty()).unwrap();
    world.run(["doctor", "--repair"]).ok();
    assert!(!trash.exists());
    world.assert_sound();
}

fn bind(from: &Path, to: &Path) {
    mount(Some(from), to, None::<&str>, MsFlags::MS_BIND, None::<&str>).unwrap();
}
