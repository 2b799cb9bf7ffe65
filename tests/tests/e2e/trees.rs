//! A container over an existing tree: a drive is entered, used and left as it was found, whatever way it ends.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::program::Ran;
use crate::terminal::Terminal;
use crate::tree::Tree;
use crate::userland;
use crate::world::{RunWith, World, free_port, page, until};

/// A system without any release, and a drive with a userland on it.
pub struct Drive {
    /// Where it is mounted.
    pub at: PathBuf,
    image: PathBuf,
    pub world: World,
}

impl Drive {
    #[track_caller]
    pub fn mounted() -> Self {
        let world = World::new();
        let (at, image) = (world.dir().join("the drive"), world.dir().join("drive.img"));
        fs::create_dir(&at).unwrap();
        fs::File::create(&image).unwrap().set_len(32 << 20).unwrap();
        host("mkfs.ext4", &["-q", "-F", image.to_str().unwrap()]);
        let drive = Self { at, image, world };
        drive.mount();
        userland::write(&drive.world.archive());
        let (archive, at) = (drive.world.archive(), drive.at.to_str().unwrap());
        host("tar", &["-xpf", archive.to_str().unwrap(), "-C", at]);
        drive
    }

    /// With a container `web` over it.
    #[track_caller]
    pub fn with_web() -> Self {
        let drive = Self::mounted();
        drive.create().ok();
        drive
    }

    pub fn create(&self) -> Ran {
        self.world.command(["create", "web", "--source-tree"]).ran(&[self.at.to_str().unwrap()])
    }

    pub fn mount(&self) {
        host("mount", &["-o", "loop", self.image.to_str().unwrap(), self.at.to_str().unwrap()]);
    }

    pub fn unmount(&self) {
        umount2(&self.at, MntFlags::empty()).unwrap();
    }

    pub fn remount(&self, how: &str) {
        host("mount", &["-o", &format!("remount,{how}"), self.at.to_str().unwrap()]);
    }

    pub fn tree(&self) -> Tree {
        Tree::with_times(&self.at)
    }

    /// Asserts that nothing is up any more and that the drive is as it was.
    #[track_caller]
    pub fn assert_left(&self, before: &Tree, what: &str) {
        until("everything is taken down", || self.world.mounts().is_empty());
        self.world.assert_quiet();
        before.assert_same(&self.tree(), what);
        self.world.assert_sound();
    }
}

impl Drop for Drive {
    fn drop(&mut self) {
        self.world.pull_the_plug();
        let _ = umount2(&self.at, MntFlags::MNT_DETACH);
    }
}

#[track_caller]
fn host(program: &str, args: &[&str]) {
    Ran::of(Command::new(program).args(args)).ok();
}

/// What the host resolves names by.
fn host_names() -> String {
    fs::read_to_string("/etc/resolv.conf").expect("this host has a resolv.conf")
}

#[test]
fn a_drive_is_entered_and_left_as_it_was() {
    let drive = Drive::mounted();
    let before = drive.tree();
    drive.create().ok();
    drive.assert_left(&before, "create");
    let world = &drive.world;
    assert_eq!(world.sh("cat /etc/resolv.conf").ok(), host_names());
    let devices = world.sh("echo x > /dev/null; test -e /proc/1/comm && echo $(ls /dev)").ok();
    assert_eq!(devices, "fd full null ptmx pts random stderr stdin stdout tty urandom zero\n");
    world.sh("echo x > /etc/resolv.conf").fails(1, &["Read-only file system"]);
    drive.assert_left(&before, "exec");
    let mut console = Terminal::run(&mut world.command(["console", "web"]));
    console.expect("web:/root# ");
    console.type_in("tty\r");
    console.expect("/dev/pts/0\r\n");
    console.type_in("exit\r");
    assert_eq!(console.end(), 0);
    drive.assert_left(&before, "console");
    world.run(["delete", "--wait", "web"]).ok();
    drive.assert_left(&before, "delete");
}

#[test]
fn what_programs_write_stays_in_the_tree() {
    let drive = Drive::with_web();
    drive.world.sh("echo mended > /etc/hostname").ok();
    assert_eq!(fs::read_to_string(drive.at.join("etc/hostname")).unwrap(), "mended\n");
    drive.world.run(["delete", "--wait", "web"]).ok();
    assert_eq!(fs::read_to_string(drive.at.join("etc/hostname")).unwrap(), "mended\n");
}

#[test]
fn services_of_the_tree_start_and_stop() {
    let drive = Drive::mounted();
    let (world, port) = (&drive.world, free_port());
    fs::write(drive.at.join("etc/port"), port.to_string()).unwrap();
    let before = drive.tree();
    drive.create().ok();
    world.run(["config", "web", "httpd"]).ok();
    world.run(["config", "web", "nothing"]).fails(66, &["web has no service nothing"]);
    assert_eq!(world.run(["start", "web"]).ok(), "web: Start chroot completed.\n");
    until("httpd answers", || page(port).as_deref() == Some("a page from inside\n"));
    let report = world.report("web");
    assert_eq!((&report["storage"], &report["release"]), (&"tree".into(), &"".into()), "{report}");
    world.run(["delete", "web"]).fails(75, &["cannot delete web"]);
    world.run(["stop", "web"]).ok();
    drive.assert_left(&before, "start and stop");
}

#[test]
fn whatever_is_missing_is_made_for_the_session_and_taken_away() {
    let drive = Drive::with_web();
    let remove: &[&dyn Fn()] = &[
        &|| fs::remove_dir(drive.at.join("dev")).unwrap(),
        &|| fs::remove_dir(drive.at.join("proc")).unwrap(),
        &|| symlink("../run/names/stub.conf", drive.at.join("etc/resolv.conf")).unwrap(),
        &|| {
            fs::remove_file(drive.at.join("etc/resolv.conf")).unwrap();
            fs::write(drive.at.join("etc/resolv.conf"), "nameserver 203.0.113.7\n").unwrap();
        },
    ];
    for (n, act) in remove.iter().enumerate() {
        act();
        let before = drive.tree();
        let said = drive.world.sh("test -c /dev/null && test -e /proc/1/comm && cat /etc/resolv.conf").ok();
        assert_eq!(said, host_names(), "{n}");
        drive.assert_left(&before, &format!("exec {n}"));
    }
}

#[test]
fn a_tree_that_cannot_be_written_is_entered() {
    let drive = Drive::with_web();
    let world = &drive.world;
    fs::write(drive.at.join("etc/resolv.conf"), "").unwrap();
    drive.remount("ro");
    let before = drive.tree();
    assert_eq!(world.sh("cat /etc/resolv.conf").ok(), host_names());
    drive.assert_left(&before, "exec");
    drive.remount("rw");
    world.run(["config", "web", "-o", "storage.read_only=yes"]).ok();
    world.sh("touch /etc/new").fails(1, &["Read-only file system"]);
    fs::remove_dir(drive.at.join("dev")).unwrap();
    let error = world.sh("true").fails(78, &["has no directory dev, and cannot be changed"]);
    assert!(error.contains("hint: make the directory"), "{error}");
    world.assert_quiet();
}

#[test]
fn mounts_below_the_tree_are_shown_when_wanted() {
    let drive = Drive::with_web();
    let (world, home) = (&drive.world, drive.at.join("home"));
    mount(Some("tmpfs"), &home, Some("tmpfs"), MsFlags::empty(), None::<&str>).unwrap();
    fs::write(home.join("thesis"), "precious").unwrap();
    world.sh("cat /home/thesis").fails(1, &["No such file"]);
    world.run(["config", "web", "-o", "storage.submounts=yes"]).ok();
    assert_eq!(world.sh("cat /home/thesis").ok(), "precious");
    world.assert_quiet();
    assert_eq!(fs::read_to_string(home.join("thesis")).unwrap(), "precious");
    umount2(&home, MntFlags::empty()).unwrap();
}

#[test]
fn a_session_that_is_cut_short_leaves_nothing() {
    let drive = Drive::with_web();
    let (world, before) = (&drive.world, drive.tree());
    for vanishes in [true, false] {
        let mut console = Terminal::run(&mut world.command(["console", "web"]));
        console.expect("web:/root# ");
        console.type_in("trap '' HUP; sleep 1000\r");
        until("it is at work", || world.inside().len() >= 3);
        if vanishes {
            console.vanish().wait().unwrap();
        } else {
            kill(Pid::from_raw(console.child.id().try_into().unwrap()), Signal::SIGKILL).unwrap();
            console.child.wait().unwrap();
        }
        drive.assert_left(&before, "a session that was cut short");
    }
}

#[test]
fn a_crash_at_any_step_leaves_nothing_either() {
    let drive = Drive::with_web();
    fs::remove_dir(drive.at.join("proc")).unwrap();
    let (world, before) = (&drive.world, drive.tree());
    let mut point = 1;
    while world.crash(point, ["exec", "web", "true"]).has_crashed() {
        drive.assert_left(&before, &format!("a crash at point {point}"));
        point += 1;
    }
    assert!(point > 20, "{point} points only");
}

#[test]
fn what_is_mounted_is_found_without_a_journal() {
    let drive = Drive::with_web();
    let world = &drive.world;
    fs::write(drive.at.join("etc/resolv.conf"), "").unwrap();
    let before = drive.tree();
    world.run(["config", "web", "--command", "sleeper=sleep 1000"]).ok();
    world.run(["start", "web"]).ok();
    fs::remove_file(world.root.join("run/web/start")).unwrap();
    assert_eq!(world.state("web"), "partial");
    world.run(["stop", "web"]).ok();
    drive.assert_left(&before, "a stop without a journal");
}

#[test]
fn links_in_a_hostile_tree_lead_nowhere() {
    let drive = Drive::with_web();
    let host = |path: &str| Tree::without(Path::new(path), &["pts", "shm", "mqueue"]);
    let (dev, passwd) = (host("/dev"), fs::read("/etc/passwd").unwrap());
    for (path, to, status) in [
        ("dev", "/dev", 73),
        ("proc", "/proc", 73),
        ("etc/resolv.conf", "/etc/passwd", 0),
        ("etc/resolv.conf", "../../../../../../etc/passwd", 0),
        ("etc/resolv.conf", "/dev/mem", 78),
        ("etc/resolv.conf", "resolv.conf", 78),
        ("etc", "/etc", 78),
    ] {
        let (at, kept) = (drive.at.join(path), drive.at.join("kept"));
        let was = fs::rename(&at, &kept).is_ok();
        symlink(to, &at).unwrap();
        let before = drive.tree();
        let ran = drive.world.sh("cat /etc/resolv.conf > /dev/null");
        drive.assert_left(&before, &format!("{path} → {to}: {ran}"));
        assert_eq!(ran.status, status, "{path} → {to}: {ran}");
        fs::remove_file(&at).unwrap();
        if was {
            fs::rename(&kept, &at).unwrap();
        }
        dev.assert_same(&host("/dev"), "the host's /dev");
        assert_eq!(fs::read("/etc/passwd").unwrap(), passwd);
    }
}
