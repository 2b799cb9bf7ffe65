//! Which trees cannot be containers, and drives that are not where they were.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::trees::Drive;
use crate::world::{RunWith, World};

#[track_caller]
fn refused(world: &World, tree: &Path, status: i32, texts: &[&str]) {
    let ran = world.command(["create", "web", "--source-tree"]).ran(&[tree.to_str().unwrap()]);
    ran.fails(status, texts);
    assert!(!world.file("web").exists() && !world.lib("web").exists());
}

#[test]
fn trees_that_cannot_be_containers_are_refused() {
    let world = World::with_sleeper("overlay");
    let at = |name: &str| world.dir().join(name);
    world.run(["delete", "--wait", "web"]).ok();
    fs::create_dir_all(at("empty")).unwrap();
    fs::create_dir_all(at("full/usr")).unwrap();
    fs::write(at("file"), "").unwrap();
    symlink("full", at("link")).unwrap();
    refused(&world, &at("none"), 66, &["none does not exist", "is the drive mounted?"]);
    refused(&world, &at("empty"), 66, &["there is no userland in", "is the drive mounted?"]);
    refused(&world, &at("file"), 78, &["file is no directory"]);
    refused(&world, &at("link"), 78, &["leads through a link", "name the directory itself", "/full"]);
    refused(&world, &at("link/usr"), 78, &["leads through a link"]);
    refused(&world, Path::new("/"), 78, &["the running system's own root"]);
    refused(&world, world.dir(), 78, &["where containers are kept"]);
    refused(&world, &world.lib("current/template"), 78, &["leads through a link"]);
    let base = fs::canonicalize(world.lib("current/template")).unwrap();
    refused(&world, &base, 78, &["where containers are kept"]);
    world
        .run(["create", "web", "--storage", "tree"])
        .fails(78, &["needs the directory", "--source-tree DIR"]);
    let climbs = ["create", "web", "--storage", "tree", "-o", "storage.path=a/../b"];
    world.run(climbs).fails(78, &["is not an absolute path"]);
    let release = fs::read_link(world.lib("current")).unwrap();
    let release = release.file_name().unwrap().to_str().unwrap();
    let full = format!("storage.path={}", at("full").display());
    let given = ["create", "web", "--storage", "tree", "-o", &full, "--release", release];
    world.run(given).fails(64, &["storage tree takes no release"]);
    world.assert_sound();
}

#[test]
fn a_relative_path_is_taken_from_where_one_is() {
    let drive = Drive::mounted();
    let mut create = drive.world.command(["create", "web", "--source-tree", "./the drive/"]);
    create.current_dir(drive.world.dir()).ran(&[]).ok();
    drive.world.sh("true").ok();
}

#[test]
fn a_drive_that_is_not_mounted_is_named_and_nothing_is_done_in_its_place() {
    let drive = Drive::with_web();
    let world = &drive.world;
    world.run(["config", "web", "--command", "sleeper=sleep 1000"]).ok();
    drive.unmount();
    let said = ["there is no userland in", "the drive", "hint: is the drive mounted?"];
    world.run(["start", "web"]).fails(66, &said);
    world.run(["console", "web"]).fails(66, &said);
    assert_eq!(fs::read_dir(&drive.at).unwrap().count(), 0, "something was made where the drive is missing");
    assert_eq!(world.state("web"), "stopped");
    world.assert_sound();
    drive.mount();
    world.run(["start", "web"]).ok();
    world.run(["stop", "web"]).ok();
    drive.unmount();
    world.run(["delete", "--wait", "web"]).ok();
    drive.mount();
    assert!(drive.at.join("bin/busybox").is_file());
}

#[test]
fn another_release_than_the_hosts_is_a_warning() {
    let drive = Drive::with_web();
    let own = fs::read_to_string("/etc/os-release").unwrap();
    let id = own.lines().find(|line| line.starts_with("ID=")).unwrap();
    fs::write(drive.at.join("etc/os-release"), format!("{id}\nVERSION_ID=\"1\"\n")).unwrap();
    let ran = drive.world.sh("true");
    assert!(ran.status == 0 && ran.err.contains("on a host of"), "{ran}");
}
