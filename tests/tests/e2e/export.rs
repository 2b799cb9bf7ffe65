//! A container carried away in one file and brought back: what is inside is the same, other tools read the file, and
//! an interrupted export is continued.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sha2::{Digest, Sha256};

use crate::everything;
use crate::program::Ran;
use crate::world::{World, until};

const STORAGES: [(&str, &str); 2] = [("overlay", "upper"), ("nullfs", "root")];

fn file(world: &World, name: &str) -> PathBuf {
    world.dir().join(name)
}

/// One with a container of every kind of file, exported to `web.qchroot`.
fn exported(storage: &str, private: &str) -> World {
    let world = World::with_web(storage);
    everything::plant(&world.lib(&format!("web/{private}")), storage == "overlay");
    world.run(["export", "web", file(&world, "web.qchroot").to_str().unwrap()]).ok();
    world
}

fn sha256(at: &Path) -> String {
    Sha256::digest(fs::read(at).unwrap()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn what_is_brought_back_is_what_was_carried_away() {
    for (storage, private) in STORAGES {
        let world = exported(storage, private);
        let before = everything::of(&world.lib(&format!("web/{private}")), true);
        let path = file(&world, "web.qchroot");
        world.run(["import", path.to_str().unwrap(), "copy"]).ok();
        everything::assert_same(&before, &everything::of(&world.lib(&format!("copy/{private}")), true));
        assert_eq!(fs::read(world.file("copy")).unwrap(), fs::read(world.file("web")).unwrap());
        assert_eq!(world.run(["exec", "copy", "cat", "/all/first"]).ok(), "one file");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        world.assert_quiet();
        world.assert_sound();
    }
}

#[test]
fn a_container_goes_to_another_host_under_its_own_name() {
    let world = World::with_web("overlay");
    world.sh("echo kept > /root/file; rm /etc/not-executable").ok();
    world.run(["config", "web", "--command", "sleeper=sleep 1000", "--boot", "no"]).ok();
    let path = file(&world, "web.qchroot");
    let path = path.to_str().unwrap();
    world.run(["export", "web", path]).ok();
    let other = World::new();
    fs::copy(world.archive(), other.archive()).unwrap();
    other.run(["import", path]).fails(66, &["tiny-1.0", "digest ", "hint: `qchroot install"]);
    other.install("tiny-1.0").ok();
    let planned = other.run(["--dry-run", "import", path]).ok();
    for line in ["unpack ", "starts with the system: no", "service sleeper", "storage overlay"] {
        assert!(planned.contains(line), "no {line:?} in {planned}");
    }
    assert!(!other.lib("web").exists() && !other.file("web").exists());
    let told = other.run(["import", path, "--json"]).json();
    assert_eq!((told["name"].as_str(), told["file"]["boot"].as_bool()), (Some("web"), Some(false)));
    assert_eq!(
        other.sh("cat /root/file; ls /etc/not-executable 2>/dev/null || echo gone").ok(),
        "kept\ngone\n"
    );
    other.run(["start", "web"]).ok();
    other.run(["export", "web", "/var/tmp/never"]).fails(75, &["web is started", "qchroot stop web"]);
    other.run(["stop", "web", "--timeout", "3"]).ok();
    other.run(["import", path]).fails(73, &["there is a container web already"]);
}

#[test]
fn another_release_is_taken_only_where_it_has_the_same_version() {
    let world = exported("nullfs", "root");
    let path = file(&world, "web.qchroot");
    let path = path.to_str().unwrap();
    let other = World::installed();
    crate::userland::write_with(&other.archive(), &[("usr/bin/more", "other\n")]);
    other.install("tiny-1.0").ok();
    let releases = other.run(["release", "list", "--json"]).json();
    let current = releases.as_array().unwrap().iter().find(|release| release["current"] == true).unwrap();
    let id = current["id"].as_str().unwrap().to_owned();
    other.run(["import", path, "here", "--release", &id]).ok();
    assert_eq!(other.report("here")["release"], id.as_str());
    other.install("tiny-1.1").ok();
    let newer = other.run(["release", "list", "--json"]).json();
    let newer = newer.as_array().unwrap().iter().find(|release| release["version"] == "tiny-1.1").unwrap();
    let id = newer["id"].as_str().unwrap().to_owned();
    other.run(["import", path, "there", "--release", &id]).fails(78, &["does not suit web", "tiny-1.0"]);
    assert!(!other.lib("there").exists());
}

#[test]
fn a_disk_is_carried_with_its_holes_and_gets_an_identity_of_its_own() {
    let world = World::installed();
    world.run(["create", "web", "--storage", "md", "--size", "64M"]).ok();
    world.sh("echo kept > /root/file; chmod 6755 /root/file").ok();
    let path = file(&world, "web.qchroot");
    let path = path.to_str().unwrap();
    let told = world.run(["export", "web", path, "--json"]).json();
    assert!(told["bytes"].as_u64().unwrap() < 1 << 20, "{told}");
    world.run(["import", path, "copy"]).ok();
    assert_eq!(
        world.run(["exec", "copy", "sh", "-c", "cat /root/file; stat -c %a /root/file"]).ok(),
        "kept\n6755\n"
    );
    let identity = |name: &str| {
        let disk = world.lib(name).join("disk.img");
        Ran::of(Command::new("blkid").args(["-o", "value", "-s", "UUID"]).arg(disk)).ok()
    };
    assert_ne!(identity("web"), identity("copy"));
    assert_eq!(fs::read_dir(world.lib("copy")).unwrap().count(), 2, "a root and a disk");
    let unpacked = world.dir().join("unpacked");
    fs::create_dir(&unpacked).unwrap();
    Ran::of(Command::new("tar").arg("-C").arg(&unpacked).args(["--zstd", "-xSf", path])).ok();
    assert_eq!(sha256(&unpacked.join("disk.img")), sha256(&world.lib("web/disk.img")));
    world.assert_quiet();
}

#[test]
fn gnu_tar_and_bsdtar_read_an_export() {
    let world = exported("overlay", "upper");
    let before = |attributes| everything::of(&world.lib("web/upper"), attributes);
    let path = file(&world, "web.qchroot");
    let unpack = |name: &str, command: &mut Command| {
        let into = world.dir().join(name);
        fs::create_dir(&into).unwrap();
        Ran::of(command.arg("-C").arg(&into).arg("-xpf").arg(&path)).ok();
        into.join("data")
    };
    let gnu = ["--zstd", "--numeric-owner", "--xattrs", "--xattrs-include=*"];
    everything::assert_same(
        &before(true),
        &everything::of(&unpack("gnu", Command::new("tar").args(gnu)), true),
    );
    let bsd = unpack("bsd", Command::new("bsdtar").args(["--numeric-owner"]));
    let (mut before, mut now) = (before(false), everything::of(&bsd, false));
    // bsdtar takes the fraction of a time before 1970 for one that goes forward.
    for tree in [&mut before, &mut now] {
        tree.remove(Path::new("all/old"));
    }
    everything::assert_same(&before, &now);
    Ran::of(Command::new("zstd").arg("-tq").arg(&path)).ok();
}

#[test]
fn a_stream_is_the_same_bytes_as_a_file() {
    let world = exported("nullfs", "root");
    let out = world.command(["export", "web", "-"]).stderr(Stdio::null()).output().unwrap();
    assert!(out.status.success());
    assert!(out.stdout == fs::read(file(&world, "web.qchroot")).unwrap());
}

#[test]
fn a_file_that_is_there_is_replaced_only_when_told_so() {
    let world = exported("nullfs", "root");
    let path = file(&world, "web.qchroot");
    let before = sha256(&path);
    world.sh("echo more > /root/more").ok();
    let path_text = path.to_str().unwrap();
    world.run(["export", "web", path_text]).fails(73, &["exists already", "--force"]);
    assert_eq!(sha256(&path), before);
    world.run(["export", "web", path_text, "--force"]).ok();
    assert_ne!(sha256(&path), before);
    let part = file(&world, "new.part");
    fs::write(&part, "somebody's notes").unwrap();
    world.run(["export", "web", file(&world, "new").to_str().unwrap()]).fails(73, &["not of an export"]);
    assert_eq!(fs::read_to_string(&part).unwrap(), "somebody's notes");
    let inside = world.lib("web/root/x");
    world.run(["export", "web", inside.to_str().unwrap()]).fails(64, &["lies in the container"]);
}

/// A container with more than one frame's worth of bytes that do not compress.
fn large() -> World {
    let world = World::with_web("overlay");
    let mut noise = vec![];
    fs::File::open("/dev/urandom").unwrap().take(48 << 20).read_to_end(&mut noise).unwrap();
    fs::write(world.lib("web/upper/noise"), noise).unwrap();
    world
}

/// Starts an export and stops it by `signal` once a part of it is written.
fn interrupt(world: &World, path: &Path, signal: Signal) -> Ran {
    let mut command = world.command(["export", "web", path.to_str().unwrap()]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let part = PathBuf::from(format!("{}.part", path.display()));
    until("a part is written", || fs::metadata(&part).is_ok_and(|meta| meta.len() > 5 << 20));
    kill(Pid::from_raw(child.id().try_into().unwrap()), signal).unwrap();
    Ran::new("export", &child.wait_with_output().unwrap())
}

#[test]
fn an_interrupted_export_is_continued_to_the_same_file() {
    let world = large();
    let (whole, cut) = (file(&world, "whole"), file(&world, "cut"));
    world.run(["export", "web", whole.to_str().unwrap()]).ok();
    // Whoever started the tests may have had SIGINT ignored.
    let gave_up = interrupt(&world, &cut, Signal::SIGTERM);
    assert!(gave_up.status == 71 && gave_up.err.contains("goes on where this one stopped"), "{gave_up}");
    assert_eq!(interrupt(&world, &cut, Signal::SIGKILL).status, 137);
    world.assert_sound();
    assert!(!cut.exists());
    let told = world.run(["export", "web", cut.to_str().unwrap(), "--json"]).json();
    assert!(told["kept"].as_u64().unwrap() > 4 << 20, "{told}");
    assert_eq!(told["sha256"], sha256(&whole));
    assert_eq!(sha256(&cut), sha256(&whole));
    assert!(!file(&world, "cut.part").exists());
}

#[test]
fn a_part_that_is_torn_damaged_or_of_another_time_is_kept_only_as_far_as_it_is_right() {
    let world = large();
    let (whole, again) = (file(&world, "whole"), file(&world, "again"));
    world.run(["export", "web", whole.to_str().unwrap()]).ok();
    let bytes = fs::read(&whole).unwrap();
    let mut flipped = bytes.clone();
    flipped[20 << 20] ^= 1;
    let mut longer = bytes.clone();
    longer.write_all(&[0; 100]).unwrap();
    for part in [&bytes[..3], &bytes[..200], &bytes[..17 << 20], &bytes, &flipped, &longer] {
        fs::write(file(&world, "again.part"), part).unwrap();
        world.run(["export", "web", again.to_str().unwrap(), "--force"]).ok();
        assert!(fs::read(&again).unwrap() == bytes, "from {} bytes", part.len());
    }
    fs::write(world.lib("web/upper/noise"), "silence").unwrap();
    fs::write(file(&world, "again.part"), &bytes[..17 << 20]).unwrap();
    world.run(["export", "web", again.to_str().unwrap(), "--force"]).ok();
    world.run(["import", again.to_str().unwrap(), "copy"]).ok();
    assert_eq!(world.run(["exec", "copy", "cat", "/noise"]).ok(), "silence");
}

#[test]
fn a_full_disk_leaves_a_part_and_an_import_that_fails_leaves_nothing() {
    let world = large();
    let small = world.dir().join("small");
    fs::create_dir(&small).unwrap();
    Ran::of(Command::new("mount").args(["-t", "tmpfs", "-o", "size=8M", "tmpfs"]).arg(&small)).ok();
    let target = small.join("web");
    let failed = world.run(["export", "web", target.to_str().unwrap()]);
    let part = small.join("web.part").exists();
    Ran::of(Command::new("umount").arg(&small)).ok();
    failed.fails(74, &["no space left on device", "goes on where"]);
    assert!(part);
}
