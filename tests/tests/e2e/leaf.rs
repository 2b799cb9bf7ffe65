//! What `nullfs` and `overlay` show of the host, what they leave behind there, and what they take when they cannot be
//! had.

use std::fs;
use std::path::Path;
use std::process::Command;

use nix::mount::{MntFlags, MsFlags, mount, umount2};

use crate::host_disk::{EXT4, HostDisk, XFS};
use crate::world::{HostProcess, World, until};

const NONE: Option<&str> = None;

fn base(world: &World) -> std::path::PathBuf {
    fs::canonicalize(world.lib("current")).unwrap()
}

#[test]
fn a_base_with_something_mounted_in_it_is_refused() {
    for storage in ["overlay", "nullfs"] {
        let world = World::with_web(storage);
        for part in ["sharedfs/usr/bin", "sharedfs", "template/etc"] {
            let at = base(&world).join(part);
            mount(Some("tmpfs"), &at, Some("tmpfs"), MsFlags::empty(), NONE).unwrap();
            let refused = world.run(["exec", "web", "true"]);
            umount2(&at, MntFlags::empty()).unwrap();
            refused.fails(75, &["tmpfs is mounted in it", "hint: unmount", part]);
            world.run(["exec", "web", "true"]).ok();
        }
        world.assert_quiet();
    }
}

/// What a process sees of the mount table below a directory, without the numbers.
fn table(pid: &str, below: &Path) -> Vec<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/mountinfo")).unwrap();
    let lines = text.lines().filter(|line| line.contains(below.to_str().unwrap()));
    lines.map(|line| line.split(' ').skip(2).take(4).collect::<Vec<_>>().join(" ")).collect()
}

/// A directory whose mounts come and go in other mount namespaces too, as all do where systemd(1) has started.
struct Shared<'a>(&'a Path);

impl<'a> Shared<'a> {
    fn new(dir: &'a Path) -> Self {
        mount(Some(dir), dir, NONE, MsFlags::MS_BIND, NONE).unwrap();
        mount(NONE, dir, NONE, MsFlags::MS_SHARED, NONE).unwrap();
        Self(dir)
    }

    /// Another namespace that has it.
    fn namespace(&self) -> HostProcess {
        let mut command = Command::new("unshare");
        HostProcess::start(command.args(["--mount", "--propagation", "unchanged", "sleep", "1000"]))
    }
}

impl Drop for Shared<'_> {
    fn drop(&mut self) {
        let _ = umount2(self.0, MntFlags::MNT_DETACH);
    }
}

fn in_namespace(pid: &str, program: &str, at: &Path) -> bool {
    let mut command = Command::new("nsenter");
    command.args(["-t", pid, "-m", "sh", "-c", &format!("{program} {}", at.display())]);
    command.status().unwrap().success()
}

#[test]
fn no_mount_of_the_host_is_left_or_comes_and_none_goes_out() {
    for storage in ["overlay", "nullfs"] {
        let world = World::with_sleeper(storage);
        let shared = Shared::new(world.dir());
        let other = shared.namespace();
        let pid = other.pid().to_string();
        until("it has a namespace of its own", || {
            fs::read_link(format!("/proc/{pid}/ns/mnt")).ok() != fs::read_link("/proc/self/ns/mnt").ok()
        });
        let table = |pid: &str| table(pid, world.dir());
        let before = (table("self"), table(&pid));
        for _ in 0..2 {
            world.run(["start", "web"]).ok();
            // What is mounted in one of its mounts is seen nowhere else, and the other way round.
            let inside =
                world.lib(if storage == "overlay" { "web/root/tmp" } else { "web/root/sharedfs/usr/bin" });
            let sees = |pid: &str| table(pid).iter().any(|line| line.contains(inside.to_str().unwrap()));
            mount(Some("tmpfs"), &inside, Some("tmpfs"), MsFlags::empty(), NONE).unwrap();
            assert!(sees("self") && !sees(&pid), "{storage}");
            umount2(&inside, MntFlags::empty()).unwrap();
            assert!(in_namespace(&pid, "mount -t tmpfs tmpfs", &inside), "{storage}");
            assert!(!sees("self") && sees(&pid), "{storage}");
            assert!(in_namespace(&pid, "umount", &inside));
            world.run(["stop", "web"]).ok();
            assert_eq!((table("self"), table(&pid)), before, "{storage}");
        }
        world.assert_quiet();
    }
}

/// Something in the host's `/usr/src` and `/usr/ports` while this lives.
struct HostTrees(Vec<std::path::PathBuf>);

impl HostTrees {
    fn plant() -> Self {
        let mut made = vec![];
        for tree in ["/usr/src", "/usr/ports"] {
            if !Path::new(tree).exists() {
                fs::create_dir(tree).unwrap();
                made.push(tree.into());
            }
        }
        Self(made)
    }
}

impl Drop for HostTrees {
    fn drop(&mut self) {
        self.0.iter().for_each(|tree| drop(fs::remove_dir(tree)));
    }
}

#[test]
fn the_hosts_trees_are_shown_read_only() {
    let _trees = HostTrees::plant();
    for storage in ["overlay", "nullfs"] {
        let world = World::installed();
        world.run(["create", "web", "--storage", storage, "-o", "storage.host_trees=src,ports"]).ok();
        for tree in ["/usr/src", "/usr/ports"] {
            let there = fs::read_dir(tree).unwrap().count().to_string();
            assert_eq!(world.sh(&format!("ls -A {tree}/ | wc -l")).ok().trim(), there, "{storage} {tree}");
            let refused = world.sh(&format!("touch {tree}/planted"));
            assert!(refused.status != 0 && refused.err.contains("Read-only file system"), "{refused}");
            assert!(!Path::new(tree).join("planted").exists());
        }
        world.assert_quiet();
    }
}

/// A system on a file system that overlayfs cannot keep changes on.
fn falls_back(world: &World, fs: &str) {
    crate::userland::write(&world.archive());
    world.install("tiny-1.0").ok();
    let made = world.run(["create", "web"]);
    assert_eq!(made.out, "web: created\n", "{made}");
    let told = format!("it is on {fs}; web gets storage nullfs instead");
    assert!(made.err.contains(&told), "{made}");
    assert_eq!(world.report("web")["storage"], "nullfs");
    let before = world.lasting();
    let refused = world.run(["create", "db", "--storage", "overlay"]);
    refused.fails(69, &["overlayfs cannot keep changes in", "hint: use --storage nullfs"]);
    before.assert_same(&world.lasting(), "what was refused");
    world.run(["exec", "web", "true"]).ok();
    world.run(["delete", "--wait", "web"]).ok();
}

#[test]
fn on_an_overlay_the_default_is_nullfs() {
    let world = World::new();
    let layer = |name: &str| world.dir().join(name);
    for dir in ["lower", "upper", "work", "root"] {
        fs::create_dir_all(layer(dir)).unwrap();
    }
    let options =
        ["lower", "upper", "work"].map(|name| format!("{name}dir={}", layer(name).display())).join(",");
    mount(Some("overlay"), &world.root, Some("overlay"), MsFlags::empty(), Some(options.as_str())).unwrap();
    falls_back(&world, "overlay");
    umount2(&world.root, MntFlags::MNT_DETACH).unwrap();
}

#[test]
fn where_overlay_can_be_had_it_is_taken() {
    for disk in [EXT4, XFS] {
        let world = World::new();
        let _disk = HostDisk::new(&world.root, disk, "defaults").unwrap();
        crate::userland::write(&world.archive());
        world.install("tiny-1.0").ok();
        let made = world.run(["create", "web"]);
        assert_eq!((made.out.as_str(), made.err.as_str()), ("web: created\n", ""));
        assert_eq!(world.report("web")["storage"], "overlay");
        world.sh("echo x > /etc/issue").ok();
    }
}
