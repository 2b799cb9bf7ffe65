//! A run that dies, at each of its steps and at random moments: `doctor --repair` makes of it a state from before the
//! run or from after it.

use std::time::{Duration, Instant};

use crate::scenario::{Scenario, both};
use crate::system::{FREEBSD, ISOLATIONS};
use crate::world::{World, until};

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        both("crashes::a_create_that_dies_at_any_step", |world| sweep(world, "create", "nullfs", 0, 1))
            .limit(900),
        both("crashes::a_start_that_dies_at_any_step", |world| sweep(world, "start", "nullfs", 0, 1))
            .limit(900),
        both("crashes::a_stop_that_dies_at_any_step", |world| sweep(world, "stop", "nullfs", 0, 1))
            .limit(900),
        both("crashes::a_delete_that_dies_at_any_step", |world| sweep(world, "delete", "nullfs", 0, 1))
            .limit(900),
        both("crashes::a_create_of_a_disk_that_dies", |world| sweep(world, "create", "md", 1, 3)).limit(900),
        both("crashes::a_start_with_a_disk_that_dies", |world| sweep(world, "start", "md", 1, 3)).limit(900),
        both("crashes::a_stop_with_a_disk_that_dies", |world| sweep(world, "stop", "md", 1, 3)).limit(900),
        both("crashes::a_delete_with_a_disk_that_dies", |world| sweep(world, "delete", "md", 1, 3))
            .limit(900),
        both("crashes::runs_that_are_killed_at_random_moments", random).limit(900),
    ]
}

const COMMANDS: [&str; 4] = ["create", "start", "stop", "delete"];

/// The whole command line.
fn arguments<'a>(command: &'a str, storage: &'a str, isolation: &'a str) -> Vec<&'a str> {
    match command {
        "create" if storage == "md" => {
            vec!["create", "web", "--storage", storage, "--isolation", isolation, "--size", "64M"]
        }
        "create" => vec!["create", "web", "--storage", storage, "--isolation", isolation],
        "stop" => vec!["stop", "web", "--timeout", "5"],
        "delete" => vec!["delete", "--wait", "web"],
        other => vec![other, "web"],
    }
}

/// Runs a command until its every `stride`th crash point.
fn sweep(world: &World, command: &str, storage: &str, isolation: usize, stride: usize) {
    let isolation = ISOLATIONS[isolation];
    // On Linux, other tests die at every step of everything.
    let stride = if FREEBSD { stride } else { 4 * stride };
    world.install().ok();
    let args = arguments(command, storage, isolation);
    for point in (1..).step_by(stride) {
        prepare(world, command, storage, isolation);
        let ran = world.crash(point, &args);
        if !ran.has_crashed() {
            ran.ok();
            assert!(point > 4, "it has no crash points: build qchroot with --features crash-points");
            break;
        }
        put_right(world);
    }
    end(world, storage, isolation);
}

/// Makes the state in which a command has something to do.
fn prepare(world: &World, command: &str, storage: &str, isolation: &str) {
    let is_there = world.file("web").exists();
    if command == "create" {
        if is_there {
            world.run(arguments("delete", storage, isolation)).ok();
        }
        return;
    }
    if !is_there {
        world.run(arguments("create", storage, isolation)).ok();
    }
    if world.report("web")["services"].as_array().unwrap().is_empty() {
        world.run(["config", "web", "--command", "sleeper=sleep 1000"]).ok();
    }
    let wanted = if command == "stop" { "started" } else { "stopped" };
    if world.state("web") != wanted {
        world.run(arguments(if command == "stop" { "start" } else { "stop" }, storage, isolation)).ok();
    }
}

/// Repairs, and asserts that what is there then is whole.
fn put_right(world: &World) {
    world.run(["doctor", "--repair"]).ok();
    world.assert_sound();
    if !world.file("web").exists() {
        assert!(!world.lib("web").exists(), "a container's tree is left without its file");
        assert!(world.mounts().is_empty(), "{:?}", world.mounts());
        return;
    }
    let report = world.report("web");
    match report["state"].as_str() {
        // A device that a dead run left is freed by the next one that needs the disk; see `end`.
        Some("stopped") => {
            until("nothing is mounted or runs", || world.mounts().is_empty() && world.processes().is_empty());
        }
        Some("started") => assert_eq!(report["services"][0]["state"], "running", "{report}"),
        _ => panic!("neither started nor stopped: {report}"),
    }
}

fn end(world: &World, storage: &str, isolation: &str) {
    prepare(world, "start", storage, isolation);
    world.run(["start", "web"]).ok();
    world.run(["stop", "web", "--timeout", "5"]).ok();
    world.run(["delete", "--wait", "web"]).ok();
    world.assert_quiet();
    world.assert_sound();
}

/// Each command is first measured, then killed at moments spread over that time.
fn random(world: &World) {
    const ROUNDS: u32 = if FREEBSD { 5 } else { 2 };
    world.install().ok();
    for (storage, isolation) in [("nullfs", ISOLATIONS[1]), ("md", ISOLATIONS[0])] {
        for command in COMMANDS {
            prepare(world, command, storage, isolation);
            let begin = Instant::now();
            world.run(arguments(command, storage, isolation)).ok();
            let whole = begin.elapsed();
            for round in 0..ROUNDS {
                prepare(world, command, storage, isolation);
                kill_after(
                    world,
                    &arguments(command, storage, isolation),
                    whole * (2 * round + 1) / (2 * ROUNDS),
                );
                put_right(world);
            }
        }
        end(world, storage, isolation);
    }
}

fn kill_after(world: &World, args: &[&str], time: Duration) {
    eprintln!("$ qchroot {} (killed after {time:?})", args.join(" "));
    let mut child = world.command(args).spawn().unwrap();
    // No event is waited for: any moment is as good.
    std::thread::sleep(time);
    child.kill().unwrap();
    child.wait().unwrap();
}
