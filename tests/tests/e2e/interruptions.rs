//! Runs that end early and leave nothing, power cuts, and damaged journals.

use std::fs;

use serde_json::Value;

use crate::tree::Tree;
use crate::world::{World, until};

#[test]
fn an_exec_that_dies_is_taken_down_by_its_guard() {
    for storage in ["overlay", "nullfs"] {
        let world = World::with_web(storage);
        world.sh("true").ok();
        let before = world.lasting();
        let mut point = 1;
        while world.crash(point, ["exec", "web", "--", "true"]).has_crashed() {
            until("the guard has ended", || world.processes().is_empty());
            world.assert_quiet();
            before.assert_same(&world.lasting(), &format!("died at point {point}"));
            assert_eq!(world.state("web"), "stopped");
            world.assert_sound();
            point += 1;
        }
        assert!(point > 10, "{point}");
    }
}

#[test]
fn a_restart_that_dies_leaves_started_or_stopped() {
    let world = World::with_sleeper("overlay");
    for point in 1.. {
        world.run(["stop", "web", "--timeout", "3"]).ok();
        world.run(["start", "web"]).ok();
        let ran = world.crash(point, ["restart", "web", "--timeout", "3"]);
        if !ran.has_crashed() {
            assert_eq!(ran.ok(), "web: Start chroot completed.\n");
            break;
        }
        let found = world.run(["doctor", "--repair"]);
        assert_eq!(found.status, 0, "point {point}: {found}");
        match world.state("web").as_str() {
            "started" => assert_eq!(world.report("web")["services"][0]["state"], "running", "point {point}"),
            "stopped" => world.assert_quiet(),
            other => panic!("point {point}: {other}"),
        }
        world.assert_sound();
    }
    assert_eq!(world.state("web"), "started");
}

/// After a power cut the run directory is empty, and the kernel is another boot's.
fn power_cut(world: &World) {
    world.pull_the_plug();
    let _ = fs::remove_dir_all(world.root.join("run"));
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    for journal in fs::read_dir(world.lib(".journal")).unwrap().flatten() {
        let text = fs::read_to_string(journal.path()).unwrap().replace(boot.trim(), "another-boot");
        fs::write(journal.path(), flushed(&text)).unwrap();
    }
}

/// What of a journal has certainly reached the disk: the first line, and all up to the last tree whose removal
/// was begun, or that was given up.
fn flushed(journal: &str) -> String {
    let lines: Vec<Value> = journal.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let begins_removal = |line: &Value| {
        let step = line["step"].as_u64().and_then(|step| usize::try_from(step).ok());
        let is_removal = |step: usize| {
            ["remove-tree", "discard"].contains(&lines[0]["steps"][step]["do"].as_str().unwrap())
        };
        line["is"] == "begun" && step.is_some_and(is_removal)
    };
    let kept = lines.iter().rposition(begins_removal).map_or(1, |last| last + 1);
    journal.lines().take(kept).map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_journal_that_was_torn_by_a_power_cut_is_none() {
    let world = World::with_web("overlay");
    fs::write(world.lib(".journal/new"), "{\"format\":1,\"op\":\"cre").unwrap();
    fs::create_dir(world.lib(".staging-new")).unwrap();
    let found = world.run(["doctor", "--repair"]);
    assert!(found.status == 0 && found.out.contains(".staging-new is left over"), "{found}");
    assert_eq!(world.run(["create", "new"]).ok(), "new: created\n");
    world.assert_sound();
}

#[test]
fn a_power_cut_during_start_and_stop_does_not_keep_the_next_start() {
    let world = World::with_sleeper("overlay");
    for (args, points) in [(["start", "web"], 1..40), (["stop", "web"], 1..40)] {
        for point in points.step_by(6) {
            if args[0] == "stop" {
                world.run(["start", "web"]).ok();
            }
            let _ = world.crash(point, args);
            power_cut(&world);
            assert_eq!(world.state("web"), "stopped", "{args:?} at point {point}");
            assert_eq!(world.run(["start", "web"]).ok(), "web: Start chroot completed.\n");
            assert_eq!(world.run(["stop", "web"]).ok(), "web: Chroot is stopped.\n");
            world.assert_sound();
        }
    }
}

#[test]
fn a_power_cut_while_started_is_a_stop() {
    for storage in ["overlay", "nullfs"] {
        let world = World::with_sleeper(storage);
        world.run(["start", "web"]).ok();
        power_cut(&world);
        assert_eq!(world.state("web"), "stopped");
        assert_eq!(world.run(["stop", "web"]).ok(), "web: Error; Chroot is already stopped.\n");
        assert_eq!(world.run(["start", "web"]).ok(), "web: Start chroot completed.\n");
        assert_eq!(world.state("web"), "started");
    }
}

#[test]
fn a_power_cut_during_create_and_delete_leaves_before_or_after() {
    for storage in ["overlay", "nullfs"] {
        let world = World::installed();
        world.run(["create", "other"]).ok();
        let none = world.lasting();
        world.run(["create", "web", "--storage", storage]).ok();
        let there = world.lasting();
        let (mut point, mut is_there) = (1, true);
        loop {
            let verb = if is_there { "delete" } else { "create" };
            let args: &[&str] = &[verb, "web", "--storage", storage][..if is_there { 2 } else { 4 }];
            let crashed = world.crash(point, args).has_crashed();
            power_cut(&world);
            world.run(["doctor", "--repair"]).ok();
            let now = world.lasting();
            assert!(
                now == none || now == there,
                "{verb} at {point}: {}\n{}",
                none.diff(&now),
                there.diff(&now)
            );
            world.assert_sound();
            is_there = now == there;
            point = if crashed { point + 1 } else { 1 };
            if !crashed && verb == "create" {
                break;
            }
        }
    }
}

#[test]
fn a_damaged_journal_is_named_and_others_go_on() {
    let world = World::with_sleeper("overlay");
    world.run(["create", "other"]).ok();
    assert!(world.crash(2, ["delete", "other"]).has_crashed());
    let journal = world.lib(".journal/other");
    let text = fs::read_to_string(&journal).unwrap();
    let lines = text.lines().count() + 1;
    fs::write(&journal, text + "{\"step\":99,\"is\":\"done\"}\nnonsense\n").unwrap();
    let before = Tree::without(&world.root, &["run"]);
    for args in [&["start", "other"][..], &["delete", "other"], &["create", "other"]] {
        let line = format!("lib/.journal/other:{lines}: the journal is damaged");
        world.run(args).fails(65, &[&line, "hint: "]);
    }
    let found = world.run(["doctor", "--repair"]);
    assert!(found.status == 75 && found.out.contains("the journal is damaged"), "{found}");
    before.assert_same(&Tree::without(&world.root, &["run"]), "nothing is guessed");
    assert_eq!(world.run(["start", "web"]).ok(), "web: Start chroot completed.\n");
    assert!(world.run(["list", "other", "--json"]).err.contains("damaged journal of other"));
}
