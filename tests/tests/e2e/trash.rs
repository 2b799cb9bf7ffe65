//! What `delete` leaves to a process in the background: names are free at once, and nothing is left for good.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getsid};

use crate::world::{World, until};

/// What a container has for its removal to take a moment.
const FILES: usize = 4_000;

fn create_full(world: &World, name: &str) {
    world.run(["create", name, "--storage", "overlay"]).ok();
    let dir = world.lib(name).join("upper/full");
    fs::create_dir_all(&dir).unwrap();
    for number in 0..FILES {
        fs::write(dir.join(number.to_string()), "x").unwrap();
    }
}

fn trash(world: &World) -> usize {
    fs::read_dir(world.lib(".trash")).unwrap().count()
}

/// Deletes `names` and stops the process that removes them before it is done.
fn delete_and_hold(world: &World, names: &[&str]) -> Pid {
    for _ in 0..20 {
        for name in names {
            create_full(world, name);
        }
        world.command(["-q", "delete"]).args(names).status().unwrap();
        let held: Vec<Pid> = world.processes().into_iter().map(Pid::from_raw).collect();
        let stopped = held.iter().all(|&pid| kill(pid, Signal::SIGSTOP).is_ok());
        if let ([one], true) = (&held[..], stopped && trash(world) > 0) {
            return *one;
        }
        assert!(held.len() <= 1, "one process for all: {held:?}");
        for pid in held {
            let _ = kill(pid, Signal::SIGCONT);
        }
    }
    panic!("the removal was never met");
}

fn status(pid: Pid, key: &str) -> String {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    text.lines().find_map(|line| line.strip_prefix(key)).unwrap().trim().to_owned()
}

#[test]
fn a_name_is_free_at_once_and_its_space_soon() {
    let world = World::installed();
    for _ in 0..3 {
        create_full(&world, "web");
        assert_eq!(world.run(["delete", "web"]).ok(), "web: deleted\n");
        assert!(!world.lib("web").exists() && !world.file("web").exists());
    }
    world.run(["create", "web"]).ok();
    until("all is removed", || trash(&world) == 0);
    world.assert_quiet();
    world.assert_sound();
    assert_eq!(world.state("web"), "stopped");
}

#[test]
fn the_process_in_the_background_has_nothing_of_its_caller() {
    let world = World::installed();
    let pid = delete_and_hold(&world, &["a", "b"]);
    assert_eq!(status(pid, "PPid:"), "1", "nobody need wait for it");
    assert_ne!(getsid(Some(pid)), getsid(None));
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    assert_eq!((fields[4], fields[16]), ("0", "19"), "no terminal, and patient: {stat}");
    let ignored = u64::from_str_radix(&status(pid, "SigIgn:"), 16).unwrap();
    assert_eq!(ignored & 1, 1, "it outlives a terminal");
    for entry in fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten() {
        let number: u32 = entry.file_name().to_str().unwrap().parse().unwrap();
        let Ok(file) = fs::read_link(entry.path()) else { continue };
        let is_its_own = file.starts_with(world.lib("")) || file == world.root.join("run/.lock/.trash");
        assert!(if number < 3 { file == Path::new("/dev/null") } else { is_its_own }, "{number}: {file:?}");
    }
    assert_eq!(fs::read_link(format!("/proc/{pid}/cwd")).unwrap(), Path::new("/"));
    kill(pid, Signal::SIGCONT).unwrap();
    until("all is removed", || trash(&world) == 0);
    world.assert_quiet();
}

#[test]
fn what_a_killed_removal_left_is_found_and_removed() {
    let world = World::installed();
    let pid = delete_and_hold(&world, &["web"]);
    world.assert_sound();
    world.run(["create", "web"]).ok();
    kill(pid, Signal::SIGKILL).unwrap();
    until("it is gone", || world.processes().is_empty());
    let found = world.run(["doctor"]);
    assert!(
        found.status == 75 && found.out.contains(".trash/web.1.tree was deleted and still takes space"),
        "{found}"
    );
    assert_eq!(trash(&world), 1, "looking removes nothing");
    let repaired = world.run(["doctor", "--repair"]).ok();
    assert!(repaired.starts_with("repaired: ") && trash(&world) == 0, "{repaired}");
    assert_eq!(world.state("web"), "stopped");
}

#[test]
fn the_next_delete_removes_what_a_killed_one_left() {
    let world = World::installed();
    let pid = delete_and_hold(&world, &["a"]);
    kill(pid, Signal::SIGKILL).unwrap();
    until("it is gone", || world.processes().is_empty());
    world.run(["create", "b"]).ok();
    world.run(["delete", "b", "--wait"]).ok();
    assert_eq!(trash(&world), 0);
    world.assert_sound();
}

#[test]
fn what_is_deleted_meanwhile_is_left_to_the_one_at_work() {
    let world = World::installed();
    let pid = delete_and_hold(&world, &["a"]);
    create_full(&world, "a");
    world.run(["delete", "a"]).ok();
    assert_eq!(trash(&world), 2, "the same name twice");
    assert_eq!(world.processes(), [pid.as_raw()]);
    kill(pid, Signal::SIGCONT).unwrap();
    until("both are removed", || trash(&world) == 0);
    world.assert_quiet();
}

#[test]
fn links_in_the_trash_are_removed_and_not_followed() {
    let world = World::with_web("nullfs");
    let outside = world.dir().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("thesis"), "precious").unwrap();
    symlink(&outside, world.lib("web/root/link")).unwrap();
    fs::create_dir_all(world.lib(".trash")).unwrap();
    symlink(&outside, world.lib(".trash/planted")).unwrap();
    world.run(["delete", "web"]).ok();
    until("the tree is removed", || trash(&world) == 1);
    let found = world.run(["doctor", "--repair"]);
    assert!(found.status == 75 && found.out.contains(".trash/planted"), "{found}");
    assert_eq!(fs::read_to_string(outside.join("thesis")).unwrap(), "precious");
}
