//! `--dry-run` shows what the real run then records, step by step, and changes nothing.

use std::fs;

use serde_json::Value;

use crate::tree::Tree;
use crate::world::World;

/// The steps that were recorded after the first `from` bytes of the log.
fn recorded(world: &World, from: usize) -> Vec<String> {
    let log = fs::read_to_string(world.root.join("log/qchroot.log")).unwrap();
    let step = |line: &str| {
        let (head, step) = line.split_once(": ").expect("a mark and a colon");
        assert!(head.ends_with(" done") || head.ends_with(" skipped"), "{line}");
        step.to_owned()
    };
    log[from..].lines().map(step).collect()
}

#[track_caller]
fn compare(world: &World, args: &[&str]) {
    let log = world.root.join("log/qchroot.log");
    let before = Tree::with_times(&world.root);
    let (mounts, processes) = (world.mounts(), world.processes());
    let shown = world.run(["--dry-run"].iter().chain(args)).ok();
    let as_json = world.run(["--dry-run", "--json"].iter().chain(args)).json();
    before.assert_same(&Tree::with_times(&world.root), &format!("--dry-run {args:?} changed something"));
    assert_eq!((world.mounts(), world.processes()), (mounts, processes));

    let from = fs::metadata(&log).map_or(0, |stat| usize::try_from(stat.len()).unwrap());
    world.run(args).ok();
    let shown: Vec<String> = shown.lines().map(str::to_owned).collect();
    assert!(!shown.is_empty());
    assert_eq!(shown, recorded(world, from), "{args:?}");
    let words = |steps: &Value| steps.as_array().unwrap().iter().all(|step| step["do"].is_string());
    assert!(words(&as_json) && as_json.as_array().unwrap().len() == shown.len(), "{as_json}");
}

#[test]
fn every_step_of_a_life() {
    for storage in ["overlay", "nullfs"] {
        let world = World::new();
        crate::userland::write(&world.archive());
        let archive = format!("path={}", world.archive().display());
        assert!(!world.root.exists());
        world.run(["--dry-run", "install", "--source", "tarball", "--any-release", "-o", &archive]).ok();
        assert!(!world.root.exists(), "not even the root is made");
        compare(&world, &["install", "--source", "tarball", "--any-release", "-o", &archive]);
        compare(&world, &["create", "web", "--storage", storage]);
        world.run(["config", "web", "--command", "sleeper=sleep 1000"]).ok();
        compare(&world, &["start", "web"]);
        world.run(["stop", "web"]).ok();
        compare(&world, &["start", "web"]);
        world.run(["stop", "web"]).ok();
        compare(&world, &["delete", "web"]);
    }
}

#[test]
fn stop_config_and_exec_change_nothing_in_a_dry_run() {
    let world = World::with_sleeper("overlay");
    world.run(["start", "web"]).ok();
    let (before, processes) = (Tree::with_times(&world.root), world.processes());
    let shown = world.run(["--dry-run", "stop", "web"]).ok();
    let last = shown.lines().last().unwrap();
    assert!(
        shown.starts_with("stop service sleeper") && last.starts_with("unmount overlay from "),
        "{shown}"
    );
    assert!(world.run(["--dry-run", "config", "web", "--boot", "no"]).ok().contains("web.toml"));
    world.run(["--dry-run", "exec", "web", "--", "touch", "/tmp/x"]).ok();
    world.run(["--dry-run", "delete", "web"]).fails(75, &["cannot delete web"]);
    before.assert_same(&Tree::with_times(&world.root), "a dry run");
    assert_eq!(world.processes(), processes);
}

#[test]
fn a_step_that_fails_is_taken_back_and_recorded_so() {
    let world = World::with_web("overlay");
    world.run(["config", "web", "--command", "gone=/no/such/program"]).ok();
    world
        .run(["start", "web"])
        .fails(66, &["cannot start service gone of web", "no program /no/such/program inside"]);
    world.assert_quiet();
    assert_eq!(world.state("web"), "stopped");
    let log = fs::read_to_string(world.root.join("log/qchroot.log")).unwrap();
    assert!(log.contains(" start web begun: start service gone"), "{log}");
    world.assert_sound();
}
