//! A run that dies at any of its steps, and its repair that dies too: the machine ends as it was before the run,
//! or as it is after a whole one.

use std::fs;

use crate::program::Ran;
use crate::tree::Tree;
use crate::world::World;

/// Everything that a run may change and must not leave half done.
#[derive(PartialEq, Eq)]
struct Whole {
    tree: Tree,
    mounts: Vec<std::path::PathBuf>,
    commands: Vec<String>,
}

impl Whole {
    fn of(world: &World) -> Self {
        let command = |pid: &i32| fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let mut commands: Vec<String> = world.processes().iter().map(command).collect();
        commands.sort();
        // A snapshot's record has the time in it, and no disk is the same before and after it was mounted.
        let except = [
            "run",
            "log/qchroot.log",
            "log/web/sleeper.log",
            "lib/web/snapshots/other/snapshot.toml",
            "lib/web/disk.img",
        ];
        let tree = Tree::without(&world.root, &except);
        Self { tree, mounts: world.mounts(), commands }
    }

    fn diff(&self, now: &Self) -> String {
        let more = |what: &str, before: &dyn std::fmt::Debug, after: &dyn std::fmt::Debug| {
            format!("\n{what}: {before:?} → {after:?}")
        };
        self.tree.diff(&now.tree)
            + &more("mounts", &self.mounts, &now.mounts)
            + &more("processes", &self.commands, &now.commands)
    }
}

/// How the machine is put right after a crash.
#[derive(Clone, Copy, PartialEq)]
pub enum Cure {
    Doctor,
    Stop,
}

/// One command that dies at each of its points in turn.
pub struct Sweep<'a> {
    pub world: &'a World,
    pub args: &'a [&'a str],
    /// Makes the state before the command, from that before or after it.
    pub prepare: &'a dyn Fn(&World),
    pub cures: &'a [Cure],
    /// A command that builds on what died, and must refuse to.
    pub refused: &'a [&'a str],
    /// What must hold right after each crash.
    pub always: &'a dyn Fn(&World),
}

impl Sweep<'_> {
    /// Runs it; the number of points.
    pub fn run(&self) -> u32 {
        (self.prepare)(self.world);
        self.world.run(self.args).ok();
        let after = Whole::of(self.world);
        (self.prepare)(self.world);
        let before = Whole::of(self.world);
        for point in 1.. {
            for &cure in self.cures {
                (self.prepare)(self.world);
                let ran = self.world.crash(point, self.args);
                if !ran.has_crashed() {
                    ran.ok();
                    assert!(
                        point > 1,
                        "the program has no crash points: build it with --features crash-points"
                    );
                    return point - 1;
                }
                self.put_right(point, cure, [&before, &after]);
            }
        }
        unreachable!("the points of a run have an end")
    }

    fn put_right(&self, point: u32, cure: Cure, good: [&Whole; 2]) {
        let (world, at) = (self.world, format!("`{}` died at point {point}", self.args.join(" ")));
        (self.always)(world);
        let left = Whole::of(world);
        if !good.contains(&&left) {
            self.expect_told(&at, &left, good);
        }
        match cure {
            Cure::Stop => drop(world.run(["stop", "web", "--timeout", "3"]).ok()),
            Cure::Doctor => repair_that_dies(world),
        }
        let now = Whole::of(world);
        assert!(
            good.contains(&&now),
            "{at}; from before:{}\nfrom after:{}",
            good[0].diff(&now),
            good[1].diff(&now)
        );
        world.assert_sound();
    }

    /// A state between two must be told of, found, and not built upon.
    fn expect_told(&self, at: &str, left: &Whole, good: [&Whole; 2]) {
        let listed = self.world.run(["list", "--json"]);
        let told = listed.err.contains("was interrupted") || listed.out.contains("\"partial\"");
        assert!(
            told,
            "{at}; {listed}; from before:{}\nfrom after:{}",
            good[0].diff(left),
            good[1].diff(left)
        );
        let found = self.world.run(["doctor"]);
        assert!(found.status == 75 && found.out.contains("hint: `qchroot doctor --repair`"), "{at}; {found}");
        let refused = self.world.run(self.refused);
        assert!(refused.status == 75 && refused.err.contains("hint: "), "{at}; {refused}");
        let is_as_it_was = Whole::of(self.world) == *left;
        assert!(
            is_as_it_was,
            "{at}; looking and refusing changed something: {}",
            left.diff(&Whole::of(self.world))
        );
    }
}

/// The first repair dies at its first point, the next at its second, until one comes through.
pub fn repair_that_dies(world: &World) {
    for point in 1.. {
        let ran: Ran = world.crash(point, ["doctor", "--repair"]);
        if !ran.has_crashed() {
            ran.ok();
            return;
        }
    }
}

pub fn nothing(_: &World) {}

pub fn stopped(world: &World) {
    world.run(["stop", "web", "--timeout", "3"]).ok();
}

pub fn started(world: &World) {
    if world.state("web") != "started" {
        world.run(["start", "web"]).ok();
    }
}

/// Started and stopped once: what the first start leaves for good, such as log files, is there.
pub fn used(storage: &str) -> World {
    used_in(storage, "chroot")
}

/// The same in another isolation.
pub fn used_in(storage: &str, isolation: &str) -> World {
    let world = World::with_sleeper_in(storage, isolation);
    world.run(["start", "web"]).ok();
    stopped(&world);
    world
}

#[test]
fn create() {
    for storage in ["overlay", "nullfs", "md"] {
        let world = World::installed();
        let prepare = |world: &World| {
            if world.file("web").exists() {
                world.run(["delete", "--wait", "web"]).ok();
            }
        };
        // Directories for more than one run, which nothing takes away.
        world.create("other", storage).ok();
        let args = ["create", "web", "--storage", storage, "--size", "64M"];
        let args = if storage == "md" { &args[..] } else { &args[..4] };
        let points = Sweep {
            world: &world,
            args,
            prepare: &prepare,
            cures: &[Cure::Doctor],
            refused: args,
            always: &nothing,
        }
        .run();
        assert!(points >= 10, "{points}");
    }
}

/// A world with a container `other`, and an export of it.
fn exported(create: &[&str]) -> (World, String) {
    let world = World::installed();
    world.run([&["create", "other", "--storage"][..], create].concat()).ok();
    world.run(["exec", "other", "--", "sh", "-c", "mkdir -p /root/a; echo precious > /root/a/b"]).ok();
    let file = world.dir().join("other.qchroot").to_str().unwrap().to_owned();
    world.run(["export", "other", &file]).ok();
    (world, file)
}

#[test]
fn import() {
    for storage in ["overlay", "nullfs"] {
        let (world, file) = exported(&[storage]);
        let args = ["import", &file, "web"];
        let prepare = |world: &World| {
            if world.file("web").exists() {
                world.run(["delete", "--wait", "web"]).ok();
            }
        };
        let cures = &[Cure::Doctor];
        Sweep { world: &world, args: &args, prepare: &prepare, cures, refused: &args, always: &nothing }
            .run();
        assert_eq!(world.run(["exec", "web", "cat", "/root/a/b"]).ok(), "precious\n");
    }
}

/// No two imports of a disk are the same: each gets an identity of its own.
#[test]
fn import_of_a_disk() {
    let (world, file) = exported(&["md", "--size", "32M"]);
    for point in 1.. {
        let ran = world.crash(point, ["import", &file, "web"]);
        if !ran.has_crashed() {
            return drop(ran.ok());
        }
        repair_that_dies(&world);
        world.assert_quiet();
        world.assert_sound();
        assert_eq!(world.file("web").exists(), world.lib("web").exists(), "died at point {point}");
        if world.file("web").exists() {
            assert_eq!(world.run(["exec", "web", "cat", "/root/a/b"]).ok(), "precious\n");
            world.run(["delete", "--wait", "web"]).ok();
        }
    }
}

#[test]
fn delete() {
    for storage in ["overlay", "nullfs", "md"] {
        let world = World::installed();
        let prepare = |world: &World| {
            if !world.file("web").exists() {
                world.create("web", storage).ok();
                world.sh("mkdir -p /root/a/b/c; echo precious > /root/a/b/file").ok();
            }
        };
        Sweep {
            world: &world,
            args: &["delete", "--wait", "web"],
            prepare: &prepare,
            cures: &[Cure::Doctor],
            refused: &["start", "web"],
            always: &nothing,
        }
        .run();
    }
}

#[test]
fn start_with_overlay() {
    start("overlay", "chroot");
}

#[test]
fn start_with_nullfs() {
    start("nullfs", "chroot");
}

#[test]
fn start_with_md() {
    start("md", "chroot");
}

/// qchroot dies in a start.
pub fn start(storage: &str, isolation: &str) {
    Sweep {
        world: &used_in(storage, isolation),
        args: &["start", "web"],
        prepare: &stopped,
        cures: &[Cure::Doctor, Cure::Stop],
        refused: &["start", "web"],
        always: &nothing,
    }
    .run();
}

#[test]
fn stop_with_overlay() {
    stop("overlay", "chroot");
}

#[test]
fn stop_with_nullfs() {
    stop("nullfs", "chroot");
}

#[test]
fn stop_with_md() {
    stop("md", "chroot");
}

#[test]
fn another_size() {
    let world = used("md");
    world.sh("echo precious > /root/file").ok();
    let prepare = |world: &World| {
        if world.report("web")["limit_bytes"] != 64 << 20 {
            world.run(["resize", "web", "64M"]).ok();
        }
        assert_eq!(world.sh("cat /root/file").ok(), "precious\n");
    };
    for size in ["128M", "32M"] {
        let args = ["resize", "web", size];
        let (cures, refused) = (&[Cure::Doctor], &["start", "web"]);
        Sweep { world: &world, args: &args, prepare: &prepare, cures, refused, always: &nothing }.run();
    }
    prepare(&world);
    world.assert_quiet();
}

/// qchroot dies in a stop.
pub fn stop(storage: &str, isolation: &str) {
    Sweep {
        world: &used_in(storage, isolation),
        args: &["stop", "web", "--timeout", "3"],
        prepare: &started,
        cures: &[Cure::Doctor, Cure::Stop],
        refused: &["start", "web"],
        always: &nothing,
    }
    .run();
}

#[test]
fn install() {
    let world = World::installed();
    let old = fs::read_link(world.lib("current")).unwrap();
    let archive = format!("path={}", world.archive().display());
    // Each run installs what is not there yet, and it is taken away again by hand: the state before.
    let prepare = |world: &World| {
        world
            .run([
                "install",
                "--source",
                "tarball",
                "--any-release",
                "-o",
                &archive,
                "-o",
                "version=tiny-1.0",
            ])
            .ok();
        for release in fs::read_dir(world.lib("releases")).unwrap().flatten() {
            if release.file_name() != old.file_name().unwrap() {
                fs::remove_dir_all(release.path()).unwrap();
            }
        }
    };
    let usable = |world: &World| {
        world.run(["create", "probe"]).ok();
        assert_eq!(world.run(["exec", "probe", "cat", "/www/index.html"]).ok(), "a page from inside\n");
        world.run(["delete", "--wait", "probe"]).ok();
    };
    usable(&world);
    let args = ["install", "--source", "tarball", "--any-release", "-o", &archive, "-o", "version=tiny-2.0"];
    Sweep {
        world: &world,
        args: &args,
        prepare: &prepare,
        cures: &[Cure::Doctor],
        refused: &args,
        always: &usable,
    }
    .run();
}
