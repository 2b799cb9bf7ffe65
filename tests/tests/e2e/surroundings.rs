//! A host that does not play along: no root, no space, nothing writable, others at work.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};

use crate::program::{self, Ran};
use crate::tree::Tree;
use crate::world::{HostProcess, World, until};

/// A mount of the test's own; it goes with it.
struct Mounted(PathBuf);

impl Mounted {
    fn tmpfs(at: &Path, options: &str) -> Self {
        fs::create_dir_all(at).unwrap();
        mount(Some("tmpfs"), at, Some("tmpfs"), MsFlags::empty(), Some(options)).unwrap();
        Self(at.to_owned())
    }

    /// A second, read-only view of a directory upon itself.
    fn read_only(at: &Path) -> Self {
        let none = None::<&str>;
        mount(Some(at), at, none, MsFlags::MS_BIND, none).unwrap();
        let view = Self(at.to_owned());
        mount(none, at, none, MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY, none).unwrap();
        view
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = umount2(&self.0, MntFlags::MNT_DETACH);
    }
}

#[test]
fn an_ordinary_user_is_told_to_be_root() {
    let world = World::with_sleeper("overlay");
    world.run(["start", "web"]).ok();
    let before = Tree::with_times(&world.root);
    // Somewhere an ordinary user can reach.
    fs::set_permissions(world.dir(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let copy = world.dir().join("qchroot");
    fs::copy(program::path(), &copy).unwrap();
    let as_user = |args: &[&str]| {
        let mut command = std::process::Command::new(&copy);
        command.arg("--root").arg(&world.root).args(args).env_remove("QCHROOT_ROOT").uid(65534).gid(65534);
        Ran::of(&mut command)
    };
    for args in [
        &["create", "x"][..],
        &["start", "web"],
        &["stop", "web"],
        &["delete", "web"],
        &["doctor"],
        &["exec", "web", "true"],
        &["config", "web", "--boot", "no"],
        &["install", "--source", "tarball"],
    ] {
        as_user(args).fails(77, &["only root may do this", "hint: log in as root"]);
    }
    // Looking needs no root; what such a user cannot see is not guessed.
    let listed: serde_json::Value = serde_json::from_str(&as_user(&["--json", "list"]).ok()).unwrap();
    assert_eq!(listed[0]["state"], "started");
    assert_eq!(listed[0]["services"][0]["state"], "unknown");
    assert!(as_user(&["version"]).ok().starts_with("qchroot "));
    before.assert_same(&Tree::with_times(&world.root), "an ordinary user changed something");
}

#[test]
fn no_space_is_a_clear_error_and_leaves_no_half_container() {
    let world = World::new();
    let _disk = Mounted::tmpfs(&world.root, "size=6m");
    crate::userland::write(&world.archive());
    world.install("tiny-1.0").ok();
    world.run(["create", "other"]).ok();
    let before = world.lasting();
    let base = fs::read_link(world.lib("current")).unwrap();
    fs::write(world.lib(&format!("{}/template/www/big", base.display())), vec![7; 2_600_000]).unwrap();
    world.run(["create", "web", "--storage", "nullfs"]).fails(74, &["no space", "www/big"]);
    fs::remove_file(world.lib(&format!("{}/template/www/big", base.display()))).unwrap();
    before.assert_same(&world.lasting(), "the failed create");
    crate::userland::write_with(&world.archive(), &[("usr/share/more", &"x".repeat(4 << 20))]);
    world.install("tiny-1.1").fails(74, &["no space"]);
    before.assert_same(&world.lasting(), "the failed install");
    world.assert_sound();
    world.run(["create", "web", "--storage", "nullfs"]).ok();
}

#[test]
fn no_inodes_is_a_clear_error() {
    let world = World::new();
    let _disk = Mounted::tmpfs(&world.root, "nr_inodes=160");
    crate::userland::write(&world.archive());
    world.install("tiny-1.0").ok();
    world.run(["create", "c0"]).ok();
    world.run(["delete", "--wait", "c0"]).ok();
    let before = world.lasting();
    let mut full = world.run(["create", "c0", "--storage", "nullfs"]);
    let mut made = 0;
    while full.status == 0 {
        made += 1;
        full = world.run(["create", &format!("c{made}"), "--storage", "nullfs"]);
    }
    full.fails(74, &["no space"]);
    assert!(
        made > 0 && !world.lib(&format!("c{made}")).exists() && !world.file(&format!("c{made}")).exists()
    );
    for number in 0..made {
        world.run(["delete", "--wait", &format!("c{number}")]).ok();
    }
    before.assert_same(&world.lasting(), "all are gone");
    world.assert_sound();
}

#[test]
fn a_read_only_state_directory_is_named() {
    let world = World::with_sleeper("overlay");
    let before = world.lasting();
    {
        let _view = Mounted::read_only(&world.root.join("lib"));
        for args in [&["create", "new"][..], &["delete", "web"]] {
            world.run(args).fails(74, &["lib", "read-only"]);
        }
        assert_eq!(world.state("web"), "stopped");
    }
    before.assert_same(&world.lasting(), "nothing was written");
    {
        let _view = Mounted::read_only(&world.root.join("run"));
        world.run(["start", "web"]).fails(74, &["run", "read-only"]);
    }
    world.assert_quiet();
    world.assert_sound();
    world.run(["start", "web"]).ok();
}

#[test]
fn a_record_that_cannot_be_written_is_a_warning() {
    let world = World::with_web("overlay");
    fs::remove_file(world.root.join("log/qchroot.log")).unwrap();
    fs::create_dir(world.root.join("log/qchroot.log")).unwrap();
    let ran = world.run(["create", "new"]);
    assert!(ran.err.contains("warning: the steps were not recorded"), "{ran}");
    assert_eq!(ran.ok(), "new: created\n");
}

#[test]
fn two_at_work_on_one_container_are_told_so_and_list_waits_for_nobody() {
    let world = World::with_sleeper("overlay");
    let mut long = HostProcess::start(&mut world.command(["exec", "web", "--", "sleep", "1000"]));
    until("the exec runs", || world.inside().len() > 1);
    for args in
        [&["start", "web"][..], &["stop", "web"], &["delete", "web"], &["config", "web", "--boot", "no"]]
    {
        world.run(args).fails(75, &["web", "hint: "]);
    }
    assert_eq!(world.state("web"), "partial");
    assert!(world.run(["status", "web"]).ok().contains("it is open for a console or a single program"));
    world.run(["create", "other"]).ok();
    world.assert_sound(); // a session that lives is nothing wrong
    assert!(long.is_alive());
    drop(long);
    until("its guard has taken it down", || world.mounts().is_empty() && world.processes().is_empty());
    assert_eq!(world.run(["start", "web"]).ok(), "web: Start chroot completed.\n");
}
