//! Containers that need others: the order in which they start and stop, what becomes of them when one fails, and the
//! time that all have together.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::world::World;

const STARTED: &str = "Start chroot completed.";
const STOPPED: &str = "Chroot is stopped.";

/// How often forty containers are started and stopped together.
const ROUNDS: usize = 2;

/// Containers that each sleep; `web db` says that web requires db.
fn sleepers(names: &[&str], requires: &[&str]) -> World {
    let world = World::installed();
    for name in names {
        world.run(["create", name]).ok();
        world.run(["config", name, "--command", "sleeper=sleep 1000"]).ok();
    }
    for (name, other) in requires.iter().filter_map(|pair| pair.split_once(' ')) {
        world.run(["config", name, "--requires", other]).ok();
    }
    world
}

fn lines(names: &[&str], phrase: &str) -> String {
    names.iter().map(|name| format!("{name}: {phrase}\n")).collect()
}

/// The containers in the order in which their services were started, by the record of steps.
fn started_in(world: &World) -> Vec<String> {
    let record = fs::read_to_string(world.root.join("log/qchroot.log")).unwrap();
    let starts = record.lines().filter(|line| line.contains(" done: start service "));
    starts.map(|line| line.split(' ').nth(2).unwrap().to_owned()).collect()
}

fn states(world: &World) -> Vec<(String, String)> {
    let listed = world.run(["list", "--json"]).json();
    let text = |report: &serde_json::Value, key: &str| report[key].as_str().unwrap().to_owned();
    let reports = listed.as_array().unwrap();
    reports.iter().map(|report| (text(report, "name"), text(report, "state"))).collect()
}

#[test]
fn each_starts_after_those_it_needs_for_any_number_at_once() {
    let world = sleepers(&["a-web", "b-app", "c-db", "d-cache", "e"], &["a-web b-app", "b-app c-db"]);
    world.run(["config", "b-app", "--after", "d-cache"]).ok();
    let order = ["c-db", "d-cache", "e", "b-app", "a-web"];
    for jobs in ["1", "2", "40"] {
        let _ = fs::remove_file(world.root.join("log/qchroot.log"));
        assert_eq!(world.run(["start", "-A", "-j", jobs]).ok(), lines(&order, STARTED), "-j {jobs}");
        let record = started_in(&world);
        let place = |name: &str| record.iter().position(|it| it == name).unwrap();
        assert!(place("c-db") < place("b-app") && place("d-cache") < place("b-app"), "{record:?}");
        assert!(place("b-app") < place("a-web"), "{record:?}");
        let down = ["a-web", "b-app", "c-db", "d-cache", "e"];
        assert_eq!(world.run(["stop", "-A", "-j", jobs, "--timeout", "9"]).ok(), lines(&down, STOPPED));
        world.assert_quiet();
    }
    let steps = |jobs| world.run(["--dry-run", "start", "-A", "-j", jobs]).ok();
    assert_eq!(steps("1"), steps("9"));
}

#[test]
fn what_is_required_is_started_too_and_what_requires_is_stopped_too() {
    let world = sleepers(&["db", "other", "redis", "web"], &["web db", "db redis"]);
    world.run(["config", "web", "--after", "other"]).ok();
    assert_eq!(world.run(["start", "web"]).ok(), lines(&["redis", "db", "web"], STARTED));
    assert_eq!(world.state("other"), "stopped", "`after` starts nothing");
    assert_eq!(world.run(["start", "web"]).ok(), "web: Error; Chroot is already started.\n");
    let dry = world.run(["--dry-run", "stop", "db"]).ok();
    assert!(dry.contains("of web") && dry.contains("of db") && !dry.contains("of redis"), "{dry}");
    assert_eq!(world.run(["stop", "db", "--timeout", "9"]).ok(), lines(&["web", "db"], STOPPED));
    assert_eq!(world.state("redis"), "started");
    assert_eq!(world.run(["restart", "redis"]).ok(), lines(&["redis"], STARTED), "who was down stays so");
    world.run(["start", "web"]).ok();
    assert_eq!(
        world.run(["restart", "db", "--timeout", "9"]).ok(),
        lines(&["db", "web"], STARTED),
        "who was up is up again"
    );
    world.run(["config", "web", "--remove-requires", "db"]).ok();
    assert_eq!(world.run(["stop", "db"]).ok(), lines(&["db"], STOPPED));
    assert_eq!(world.state("web"), "started");
    let text = fs::read_to_string(world.file("web")).unwrap();
    assert!(text.contains("after = [\"other\"]") && !text.contains("requires"), "{text}");
}

#[test]
fn who_requires_what_does_not_start_is_not_started_and_the_others_go_on() {
    let world = sleepers(&["a", "b", "c", "db", "z"], &["c db", "b c"]);
    world.run(["config", "db", "--command", "broken=false"]).ok();
    world.run(["config", "a", "--after", "db"]).ok();
    let ran = world.run(["start", "-A", "-j", "4"]);
    assert_eq!(ran.out, lines(&["z", "a"], STARTED), "`after` is only an order");
    let expected = [
        "service broken of db ended with status 1",
        "c is not started: it requires db, which did not start",
        "b is not started: it requires c, which did not start",
        "hint: put db right, then `qchroot start c`",
    ];
    ran.fails(71, &expected);
    world.run(["stop", "-A"]).ok();
    world.assert_quiet();
    world.assert_sound();
}

#[test]
fn a_cycle_is_refused_with_its_path() {
    let world = sleepers(&["app", "db", "web", "z"], &["web app", "app db"]);
    let before = fs::read_to_string(world.file("db")).unwrap();
    let refused = |args: &[&str], words: &str| drop(world.run(args).fails(78, &[words]));
    refused(&["config", "db", "--requires", "web"], "db requires web requires app requires db");
    refused(&["config", "db", "--after", "web"], "db is after web requires app requires db");
    refused(&["config", "db", "--after", "db"], "db is after db");
    assert_eq!(fs::read_to_string(world.file("db")).unwrap(), before);
    world
        .run(["config", "db", "--requires", "webb"])
        .fails(66, &["there is no container webb", "did you mean web?"]);
    world.run(["config", "db", "--after", "../x"]).fails(64, &[]);
    world.run(["config", "db", "--remove-after", "web"]).fails(66, &["web is not in the list \"after\""]);

    fs::write(world.file("db"), format!("requires = [\"web\"]\n{before}")).unwrap();
    let ran = world.run(["start", "-A"]);
    assert_eq!(ran.out, lines(&["z"], STARTED), "those outside of the cycle start");
    ran.fails(78, &["can never start: ", "app requires db requires web requires app"]);
    world.run(["stop", "-A"]).ok();
    world.assert_quiet();
}

#[test]
fn all_have_one_deadline_and_each_has_a_share_of_it() {
    let world = sleepers(&["app", "db", "web"], &["web app", "app db"]);
    for name in ["web", "app"] {
        let stubborn = "sleeper=sh -c \"trap '' TERM; while :; do sleep 1000; done\"";
        world.run(["config", name, "--command", stubborn]).ok();
    }
    let orderly = "sleeper=sh -c \"trap 'sleep 1; echo well > /tmp/ended; exit' TERM; while :; do sleep 1000 & wait; done\"";
    world.run(["config", "db", "--command", orderly]).ok();
    world.run(["start", "-A"]).ok();
    let begun = Instant::now();
    assert_eq!(world.run(["stop", "-A", "--timeout", "6"]).ok(), lines(&["web", "app", "db"], STOPPED));
    let took = begun.elapsed();
    assert_eq!(fs::read_to_string(world.lib("db/upper/tmp/ended")).unwrap(), "well\n", "db had its share");
    assert!(took < Duration::from_secs(12), "{took:?} for all together");
    world.assert_quiet();
}

#[test]
fn services_of_one_container_share_its_time() {
    let world = sleepers(&["web"], &[]);
    let orderly = "sleeper=sh -c \"trap 'sleep 1; echo well > /tmp/ended; exit' TERM; while :; do sleep 1000 & wait; done\"";
    world.run(["config", "web", "--command", orderly]).ok();
    let stubborn = "last=sh -c \"trap '' TERM; while :; do sleep 1000; done\"";
    world.run(["config", "web", "--command", stubborn]).ok();
    world.run(["start", "web"]).ok();
    assert_eq!(world.run(["stop", "web", "--timeout", "4"]).ok(), lines(&["web"], STOPPED));
    assert_eq!(fs::read_to_string(world.lib("web/upper/tmp/ended")).unwrap(), "well\n");
}

#[test]
fn at_boot_those_start_that_are_meant_to_and_what_they_require() {
    let world = sleepers(&["a", "db", "lazy", "web"], &["web db"]);
    for name in ["db", "lazy"] {
        world.run(["config", name, "--boot", "no"]).ok();
    }
    assert_eq!(world.run(["start", "--boot"]).ok(), lines(&["a", "db", "web"], STARTED));
    assert_eq!(world.state("lazy"), "stopped");
    world.run(["start", "--boot", "web"]).fails(64, &["--boot"]);
    assert_eq!(world.run(["start", "-A", "--json"]).json()[2], json!({"name": "lazy", "result": STARTED}));
    fs::write(world.file("a"), "format = 1\ncolour = 3\n").unwrap();
    world.run(["stop", "-A"]).ok();
    world.assert_quiet();
    let ran = world.run(["start", "--boot"]);
    assert_eq!(ran.out, lines(&["db", "web"], STARTED));
    ran.fails(78, &["a.toml:2:1: unknown field `colour`"]);
}

#[test]
fn a_name_that_is_required_is_missed_after_a_rename() {
    let world = sleepers(&["db", "web"], &["web db"]);
    assert!(world.run(["rename", "db", "sql"]).err.contains("warning: db is required by web"));
    let ran = world.run(["start", "web"]);
    ran.fails(66, &["there is no container db", "web is not started: it requires db"]);
    assert!(states(&world).iter().all(|(_, state)| state == "stopped"));
}

#[test]
fn forty_at_once_many_times_over_leave_nothing() {
    let world = World::installed();
    let names: Vec<String> = (0..40).map(|number| format!("c{number:02}")).collect();
    for (number, name) in names.iter().enumerate() {
        let (storage, isolation) =
            (["overlay", "nullfs"][number % 2], ["chroot", "namespaces"][number / 2 % 2]);
        world.create_in(name, storage, isolation).ok();
        world.run(["config", name, "--command", "sleeper=sleep 1000"]).ok();
        if number >= 20 {
            world
                .run(["config", name, "--requires", &names[number - 20], "--after", &names[number - 19]])
                .ok();
        }
    }
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut before = None;
    for round in 0..ROUNDS {
        let jobs = ["8", "40"][round % 2];
        assert_eq!(world.run(["start", "-A", "-j", jobs]).ok(), lines(&all, STARTED), "round {round}");
        assert!(states(&world).iter().all(|(_, state)| state == "started"), "{:?}", states(&world));
        let stopped = world.run(["stop", "-A", "--timeout", "20"]);
        assert_eq!(stopped.ok().lines().count(), 40, "round {round}");
        assert_eq!(world.mounts().len(), 0, "round {round}");
        let now = world.lasting();
        before.get_or_insert_with(|| world.lasting()).assert_same(&now, &format!("round {round}"));
    }
    world.assert_quiet();
    world.assert_sound();
}
