//! Many at once, and many times over.

use std::process::{Child, Stdio};

use crate::program::Ran;
use crate::world::World;

/// Starts all commands at once, and waits for them.
fn at_once(world: &World, all: &[Vec<String>]) -> Vec<Ran> {
    let spawn = |args: &Vec<String>| {
        world.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let children: Vec<Child> = all.iter().map(spawn).collect();
    let end =
        |(child, args): (Child, &Vec<String>)| Ran::new(args.join(" "), &child.wait_with_output().unwrap());
    children.into_iter().zip(all).map(end).collect()
}

fn words(verb: &str, name: &str) -> Vec<String> {
    vec![verb.to_owned(), name.to_owned()]
}

#[test]
fn a_hundred_containers_at_once() {
    let world = World::installed();
    let names: Vec<String> = (0..100).map(|number| format!("c{number}")).collect();
    let each = |verb: &str| -> Vec<Vec<String>> { names.iter().map(|name| words(verb, name)).collect() };
    for ran in at_once(&world, &each("create")) {
        ran.ok();
    }
    let configured = names
        .iter()
        .map(|name| ["config", name, "--command", "sleeper=sleep 1000"].map(str::to_owned).to_vec());
    for ran in at_once(&world, &configured.collect::<Vec<_>>()) {
        ran.ok();
    }
    for verb in ["start", "stop"] {
        for ran in at_once(&world, &each(verb)) {
            ran.ok();
        }
        let listed = world.run(["list", "--json"]).json();
        let state = if verb == "start" { "started" } else { "stopped" };
        let states = listed.as_array().unwrap().iter().map(|report| report["state"].as_str().unwrap());
        assert!(states.clone().count() == 100 && states.clone().all(|s| s == state), "{listed}");
    }
    for ran in at_once(&world, &each("delete")) {
        ran.ok();
    }
    assert_eq!(world.run(["list", "--json"]).ok(), "[]\n");
    world.assert_quiet();
    world.assert_sound();
}

#[test]
fn of_many_who_want_the_same_one_does_it_and_the_others_are_told() {
    let world = World::installed();
    let all = vec![words("create", "web"); 20];
    let ran = at_once(&world, &all);
    assert_eq!(ran.iter().filter(|ran| ran.status == 0).count(), 1);
    assert!(ran.iter().all(|ran| matches!(ran.status, 0 | 73 | 75)), "busy, or there already");
    world.run(["config", "web", "--command", "sleeper=sleep 1000"]).ok();
    for verb in ["start", "stop"] {
        let ran = at_once(&world, &vec![words(verb, "web"); 20]);
        let done = |ran: &&Ran| ran.out.contains("completed") || ran.out.contains("is stopped");
        assert_eq!(ran.iter().filter(done).count(), 1, "{verb}");
        assert!(ran.iter().all(|ran| matches!(ran.status, 0 | 75)), "{verb}");
    }
    let mixed: Vec<Vec<String>> =
        (0..30).map(|n| words(["start", "stop", "restart"][n % 3], "web")).collect();
    for ran in at_once(&world, &mixed) {
        assert!(matches!(ran.status, 0 | 75), "{ran}");
    }
    world.run(["stop", "web"]).ok();
    world.assert_quiet();
    world.assert_sound();
}

#[test]
fn fifty_starts_and_stops_leave_everything_as_before() {
    for storage in ["overlay", "nullfs"] {
        let world = World::with_sleeper(storage);
        let cycle = || {
            world.run(["start", "web"]).ok();
            world.run(["stop", "web", "--timeout", "5"]).ok();
        };
        cycle();
        let before = world.lasting();
        for _ in 0..25 {
            cycle();
        }
        before.assert_same(&world.lasting(), "after 25 cycles");
        world.assert_quiet();
        let run = std::fs::read_dir(world.root.join("run/web")).unwrap().flatten();
        let mut run: Vec<_> = run.map(|entry| entry.file_name().into_string().unwrap()).collect();
        run.sort();
        assert_eq!(run, ["boot", "sleeper.lock", "sleeper.status"]);
    }
}
