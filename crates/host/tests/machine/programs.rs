//! Programs that a release source runs: where they work, what becomes of what they print, how they end.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use camino::Utf8PathBuf;
use qchroot_api::{Command, Output, Progress, Result};
use qchroot_engine::{Host, Workplace};
use qchroot_host::Machine;

use crate::support::Lab;

/// Runs a script as a source would; what was shown, and what came of it.
fn run(lab: &Lab, machine: &Machine, script: &str) -> (Vec<String>, Result<Output>) {
    let mut shown = vec![];
    let mut show = |progress: &Progress| shown.push(progress.what.clone());
    let mut command = Command::new(["sh", "-c", script]);
    command.dir = Some(lab.root.clone());
    let output = machine.work(&place(lab), &mut show).unwrap().run(&command);
    (shown, output)
}

fn place(lab: &Lab) -> Workplace {
    let staging = lab.root.join("staging");
    fs::create_dir_all(&staging).unwrap();
    Workplace { staging, cache: lab.root.join("cache"), log: lab.root.join("log/made/install.log") }
}

/// The log's lines without their times.
fn log(lab: &Lab) -> Vec<String> {
    let text = fs::read_to_string(place(lab).log).unwrap();
    text.lines().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect()
}

#[test]
fn a_program_works_in_its_directory_and_all_it_prints_is_in_the_log() {
    let lab = Lab::new();
    let (shown, output) = run(&lab, &lab.machine, "pwd; printf 'a\\033[31mred\\n' >&2; exit 3");
    let output = output.unwrap();
    assert_eq!((output.status, output.stdout), (3, format!("{}\n", lab.root)));
    assert_eq!(shown, ["a\\u{1b}[31mred"], "what would reach a terminal is harmless");
    run(&lab, &lab.machine, "echo again").1.unwrap();
    let lines = log(&lab);
    for line in [lab.root.as_str(), "a\\u{1b}[31mred", "again"] {
        assert!(lines.iter().any(|l| l == line), "{line} is not in {lines:#?}");
    }
    assert!(lines[0].starts_with("qchroot: sh -c pwd;") && lines[0].ends_with(": begins"), "{lines:#?}");
    assert!(lines[3].ends_with(": status 3") && lines[6].ends_with(": status 0"), "{lines:#?}");
    let mode = fs::metadata(place(&lab).log).unwrap().permissions().mode();
    assert_eq!(mode & 0o7027, 0, "only root writes it, and not everybody reads it: {mode:o}");
}

#[test]
fn what_is_kept_of_an_endless_output_is_its_end() {
    let lab = Lab::new();
    let script = "i=0; while [ $i -lt 200 ]; do printf '%0100000d' $i; i=$((i + 1)); done; printf last";
    let output = run(&lab, &lab.machine, script).1.unwrap();
    assert_eq!(output.stdout.len(), 4 << 20);
    assert!(output.stdout.ends_with("199last"));
    let logs = fs::read_dir(place(&lab).log.parent().unwrap()).unwrap();
    let sizes: Vec<u64> = logs.map(|entry| entry.unwrap().metadata().unwrap().len()).collect();
    assert!(sizes.iter().sum::<u64>() <= 30 << 20 && sizes.len() > 1, "{sizes:?}");
}

#[test]
fn a_quiet_program_ends_with_all_it_started_when_the_user_gives_up() {
    let lab = Lab::new();
    let cancelled = Arc::new(AtomicBool::new(false));
    let machine = Machine::with_cancel(cancelled.clone());
    let pids: Utf8PathBuf = lab.root.join("pids");
    let script = "sleep 1000 & echo $! > pids.new; mv pids.new pids; sleep 1000";
    let output = std::thread::scope(|scope| {
        let runner = scope.spawn(|| run(&lab, &machine, script).1);
        while !pids.exists() {
            std::thread::yield_now();
        }
        cancelled.store(true, Ordering::Relaxed);
        runner.join().unwrap()
    });
    assert_eq!(output.unwrap().status, 128 + 15);
    let pid = fs::read_to_string(&pids).unwrap();
    let alive = || {
        let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
        !matches!(stat.rsplit_once(") ").map_or("", |(_, rest)| &rest[..1]), "" | "Z")
    };
    let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while alive() {
        assert!(std::time::Instant::now() < end, "what the program started goes on");
        std::thread::yield_now();
    }
}

#[test]
fn a_directory_that_is_not_there_is_told() {
    let lab = Lab::new();
    let mut show = |_: &Progress| {};
    let mut work = lab.machine.work(&place(&lab), &mut show).unwrap();
    let command = Command { dir: Some(lab.root.join("nowhere")), ..Command::new(["true"]) };
    let error = work.run(&command).unwrap_err();
    assert_eq!(error.kind(), qchroot_api::ErrorKind::NotFound, "{error}");
    assert!(log(&lab).last().unwrap().contains("cannot run"), "{:?}", log(&lab));
}
