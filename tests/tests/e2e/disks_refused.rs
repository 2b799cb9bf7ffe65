//! Disks that somebody else has, or that are not what they were: one container is refused with what to do, the others
//! go on.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::process::Command;

use crate::program::Ran;
use crate::world::World;

/// A device of another program's that shows a file, until this goes.
struct Attached(String);

impl Attached {
    fn new(file: &str) -> Self {
        Self(Ran::of(Command::new("losetup").args(["-f", "--show", file])).ok().trim().to_owned())
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        Ran::of(Command::new("losetup").args(["-d", &self.0])).ok();
    }
}

#[test]
fn a_disk_that_is_not_ours_alone_or_spoilt_stops_its_own_container_only() {
    let world = World::installed();
    for name in ["web", "db"] {
        world.run(["create", name, "--storage", "md", "--size", "64M"]).ok();
    }
    world.sh("echo kept > /etc/letter").ok();
    let disk = world.lib("web/disk.img");
    let (path, aside) = (disk.to_str().unwrap(), world.dir().join("aside.img"));
    let refused = |status: i32, texts: &[&str]| {
        world.sh("true").fails(status, texts);
        world.run(["exec", "db", "--", "true"]).ok();
    };

    let attached = Attached::new(path);
    let device = attached.0.trim_start_matches("/dev/").to_owned();
    refused(75, &["is attached already", &device, "losetup -j", path]);
    drop(attached);

    fs::rename(&disk, &aside).unwrap();
    symlink(&aside, &disk).unwrap();
    refused(73, &["disk.img is a link, not a file"]);
    fs::remove_file(&disk).unwrap();
    fs::rename(&aside, &disk).unwrap();

    fs::set_permissions(&disk, fs::Permissions::from_mode(0o666)).unwrap();
    refused(77, &["others than the superuser can write it", "chmod go-w"]);
    fs::set_permissions(&disk, fs::Permissions::from_mode(0o600)).unwrap();

    Ran::of(Command::new("cp").args(["--sparse=always", path, aside.to_str().unwrap()])).ok();
    let file = File::options().write(true).open(&disk).unwrap();
    file.set_len(20 << 20).unwrap();
    refused(65, &["was cut short", "20971520", "67108864", "qchroot check"]);
    file.set_len(64 << 20).unwrap();
    file.write_all_at(&[0xff; 1024], 1024).unwrap();
    refused(65, &["web/disk.img"]);

    Ran::of(Command::new("cp").args(["--sparse=always", aside.to_str().unwrap(), path])).ok();
    assert_eq!(world.sh("cat /etc/letter").ok(), "kept\n");
    world.assert_quiet();
}
