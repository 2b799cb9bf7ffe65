//! Disks of capped containers that somebody cut, replaced, attached or pulled the plug on: only their own container
//! refuses, and says what to do.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt, chown, symlink};
use std::path::Path;
use std::process::Command;

use crate::capped::two;
use crate::program::Ran;
use crate::tree::Tree;
use crate::world::World;

fn image(world: &World) -> std::path::PathBuf {
    world.lib("web/disk.img")
}

/// With the disk of `web` spoilt, `start -A` starts the other container, and `web` refuses with this status and hint.
#[track_caller]
fn only_web_refuses(status: i32, spoil: impl FnOnce(&Path), texts: &[&str]) -> World {
    let world = two();
    spoil(&image(&world));
    let lasting = || Tree::without(&world.root, &["run", "log", "lib/db/disk.img"]);
    let before = lasting();
    let ran: Ran = world.run(["start", "-A"]);
    assert_eq!(ran.status, status, "{ran}");
    for text in texts.iter().chain(&["web", "hint: "]) {
        assert!(ran.err.contains(text) || ran.out.contains(text), "no {text:?} in {ran}");
    }
    assert_eq!(world.state("db"), "started", "{ran}");
    assert_eq!(world.state("web"), "stopped", "{ran}");
    world.run(["stop", "-A"]).ok();
    assert_eq!(before.diff(&lasting()), "");
    world
}

#[test]
fn a_disk_that_was_cut_short() {
    let cut = |at: &Path| File::options().write(true).open(at).unwrap().set_len(20 << 20).unwrap();
    only_web_refuses(65, cut, &["cut short"]);
}

#[test]
fn a_disk_that_was_emptied() {
    only_web_refuses(65, |at| fs::write(at, "").unwrap(), &["disk"]);
}

#[test]
fn a_disk_that_holds_something_else() {
    let other = |at: &Path| {
        File::options().write(true).open(at).unwrap().write_all_at(&[0; 1 << 20], 0).unwrap();
        assert!(Command::new("mkswap").arg(at).output().unwrap().status.success());
    };
    only_web_refuses(65, other, &["disk"]);
}

#[test]
fn a_disk_that_was_replaced_by_a_link() {
    let link = |at: &Path| {
        fs::rename(at, at.with_extension("bak")).unwrap();
        symlink(at.with_extension("bak"), at).unwrap();
    };
    only_web_refuses(73, link, &["is a link"]);
}

#[test]
fn a_disk_of_somebody_elses() {
    only_web_refuses(77, |at| chown(at, Some(1), None).unwrap(), &["belongs to user 1"]);
}

#[test]
fn a_disk_that_somebody_has_attached() {
    let mut device = String::new();
    let attach = |at: &Path| {
        let shown = Command::new("losetup").args(["--find", "--show"]).arg(at).output().unwrap();
        device = String::from_utf8(shown.stdout).unwrap().trim().to_owned();
    };
    let world = only_web_refuses(75, attach, &["losetup"]);
    assert!(Command::new("losetup").args(["--detach", &device]).status().unwrap().success());
    world.run(["start", "web"]).ok();
}

#[test]
fn a_container_stops_though_its_disk_was_moved_away() {
    let world = two();
    world.run(["start", "web"]).ok();
    let at = image(&world);
    fs::rename(&at, at.with_extension("bak")).unwrap();
    symlink("/etc/passwd", &at).unwrap();
    world.run(["stop", "web"]).ok();
    world.assert_quiet();
    fs::rename(at.with_extension("bak"), &at).unwrap();
    world.run(["start", "web"]).ok();
}

/// Puts a copy in the disk's place that was made while it was mounted, as a power cut leaves it.
fn stop_uncleanly(world: &World) {
    world.run(["start", "web"]).ok();
    world.sh("echo kept > /root/file").ok();
    let (at, copy) = (image(world), world.dir().join("copy"));
    rustix::fs::syncfs(File::open(world.lib("web/root")).unwrap()).unwrap();
    fs::copy(&at, &copy).unwrap();
    world.run(["stop", "web"]).ok();
    fs::rename(copy, at).unwrap();
}

#[test]
fn after_an_unclean_stop_the_disk_is_put_in_order_and_the_log_tells() {
    let world = two();
    stop_uncleanly(&world);
    world.run(["start", "web"]).ok();
    assert_eq!(world.sh("cat /root/file").ok(), "kept\n");
    let log = fs::read_to_string(world.root.join("log/web/disk.log")).unwrap();
    assert!(log.contains("(preen) begins") && log.trim_end().ends_with("repaired"), "{log}");
}

#[test]
fn after_an_unclean_stop_nothing_happens_unasked_where_it_is_to_be_refused() {
    let world = two();
    world.run(["config", "web", "-o", "storage.check=refuse"]).ok();
    stop_uncleanly(&world);
    world.run(["start", "web"]).fails(65, &["not unmounted in order", "hint: `qchroot check"]);
    world.assert_quiet();
    world.run(["check", "web"]).ok();
    world.run(["start", "web"]).ok();
    assert_eq!(world.sh("cat /root/file").ok(), "kept\n");
}
