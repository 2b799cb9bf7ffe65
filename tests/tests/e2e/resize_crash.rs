//! A resize, an upgrade and a check of a capped container that die at any of their points, and repairs that die too: the
//! container ends with the one or the other, and with every byte inside.

use std::fs;

use crate::world::World;

/// A container's file and disk, to be put back.
struct Kept {
    file: String,
    disk: Vec<u8>,
}

impl Kept {
    fn of(world: &World) -> Self {
        let file = fs::read_to_string(world.file("web")).unwrap();
        Self { file, disk: fs::read(world.lib("web/disk.img")).unwrap() }
    }

    fn put_back(&self, world: &World) {
        fs::write(world.file("web"), &self.file).unwrap();
        fs::write(world.lib("web/disk.img"), &self.disk).unwrap();
    }
}

/// A system with a capped container `web` that holds something.
fn filled(fs: &str, size: &str) -> World {
    let world = World::installed();
    let option = format!("storage.fs={fs}");
    world.run(["create", "web", "--storage", "md", "--size", size, "-o", &option]).ok();
    world.run(["config", "web", "--command", "sleeper=sleep 1000"]).ok();
    world.sh("seq 1 100000 > /root/numbers").ok();
    world
}

fn assert_whole(world: &World, at: &str) {
    let numbers = world.sh("cat /root/numbers").ok();
    assert_eq!(numbers.lines().count(), 100_000, "{at}");
    assert!(numbers.lines().enumerate().all(|(n, line)| line == (n + 1).to_string()), "{at}");
}

/// The first repair dies at its first point, the next at its second, until one comes through.
fn repair_that_dies(world: &World) {
    for point in 1.. {
        let ran = world.crash(point, ["doctor", "--repair"]);
        if !ran.has_crashed() {
            ran.ok();
            return;
        }
    }
}

/// Lets `args` die at each point from the state that `prepare` makes; what holds after each repair is `good`.
fn sweep(world: &World, args: &[&str], prepare: &dyn Fn(&World), good: &dyn Fn(&World, &str)) -> u32 {
    for point in 1.. {
        prepare(world);
        let ran = world.crash(point, args);
        if !ran.has_crashed() {
            ran.ok();
            good(world, "the whole run");
            return point - 1;
        }
        let at = format!("`{}` died at point {point}", args.join(" "));
        if world.state("web") == "partial" {
            world.run(["start", "web"]).fails(75, &["hint: "]);
        }
        repair_that_dies(world);
        world.assert_sound();
        good(world, &at);
    }
    unreachable!("the points of a run have an end")
}

/// Whether the limit is one of the two, and the file says the same.
fn one_of(world: &World, sizes: [&str; 2], at: &str) {
    let limit = world.report("web")["limit_bytes"].as_u64().unwrap() >> 20;
    let said = format!("size = \"{limit}M\"");
    assert!(sizes.contains(&format!("{limit}M").as_str()), "{at}: {limit} MiB");
    assert!(
        fs::read_to_string(world.file("web")).unwrap().contains(&said),
        "{at}: the file does not say {said}"
    );
    let left: Vec<_> =
        fs::read_dir(world.lib("web")).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left.len(), 2, "{at}: {left:?}");
}

fn resize(fs: &str, from: &str, to: &str) {
    let world = filled(fs, from);
    let kept = Kept::of(&world);
    let points = sweep(&world, &["resize", "web", to], &|world| kept.put_back(world), &|world, at| {
        one_of(world, [from, to], at);
        assert_whole(world, at);
        world.assert_quiet();
    });
    assert!(points >= 4, "{points}");
}

#[test]
fn a_growing_disk_that_is_not_mounted() {
    resize("ext4", "48M", "96M");
    resize("xfs", "320M", "400M");
}

#[test]
fn a_shrinking_disk() {
    resize("ext4", "96M", "48M");
}

#[test]
fn a_growing_disk_in_use() {
    let world = filled("xfs", "320M");
    let kept = Kept::of(&world);
    let prepare = |world: &World| {
        world.run(["stop", "web"]).ok();
        kept.put_back(world);
        world.run(["start", "web"]).ok();
    };
    sweep(&world, &["resize", "web", "400M"], &prepare, &|world, at| {
        one_of(world, ["320M", "400M"], at);
        assert_eq!(world.state("web"), "started", "{at}");
        assert_whole(world, at);
    });
}

#[test]
fn an_upgrade_inside_a_disk() {
    let world = filled("ext4", "48M");
    let old = world.report("web")["release"].take();
    world.sh("echo mine > /etc/port").ok();
    crate::userland::write_with(&world.archive(), &[("etc/new", "new"), ("etc/port", "1")]);
    world.install("tiny-1.1").ok();
    let kept = Kept::of(&world);
    let prepare = |world: &World| {
        let _ = fs::remove_dir_all(world.lib(".previous/web"));
        kept.put_back(world);
    };
    let points = sweep(&world, &["upgrade", "web"], &prepare, &|world, at| {
        let is_new = world.report("web")["release"] != old;
        let inside = world.sh("cat /etc/port; [ ! -e /etc/new ] || cat /etc/new /etc/port.new").ok();
        assert_eq!(inside, if is_new { "mine\nnew1" } else { "mine\n" }, "{at}");
        assert_whole(world, at);
        world.assert_quiet();
    });
    assert!(points >= 10, "{points}");
}

#[test]
fn a_check_that_dies_blocks_nothing_for_long() {
    let world = filled("ext4", "48M");
    sweep(&world, &["check", "web"], &|_| {}, &assert_whole);
}
