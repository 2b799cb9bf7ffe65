//! Everything that must hold before a change lands, in the order in which it fails fastest.

use std::time::{Duration, Instant};

use crate::run::Run;
use crate::test::Counts;
use crate::workspace::Workspace;
use crate::{Result, freebsd, man, setup, test, tidy};

/// What the stages leave for the summary.
#[derive(Default)]
struct Report {
    counts: Option<Counts>,
    notes: Vec<String>,
    times: Vec<(&'static str, Duration)>,
}

type Stage = fn(&Workspace, &mut Report) -> Result<()>;

const STAGES: &[(&str, Stage)] = &[
    ("setup", |_, _| setup::everything()),
    ("format", |_, _| format()),
    ("tidy", |workspace, _| tidy::task(workspace)),
    ("deny", |_, report| deny(report)),
    ("clippy", |_, _| clippy()),
    ("doc", |_, _| doc()),
    ("man", |workspace, _| man::check(workspace)),
    ("test", run_tests),
    ("freebsd", |workspace, _| freebsd::link(workspace, freebsd::Arch::X86_64)),
];

/// `cargo xtask ci`.
pub(crate) fn task(workspace: &Workspace) -> Result<()> {
    let mut report = Report::default();
    let mut result = Ok(());
    for (name, stage) in STAGES {
        result = timed(name, *stage, workspace, &mut report);
        if result.is_err() {
            break;
        }
    }
    summary(&report, &result);
    result.map_err(|_| "ci failed".into())
}

fn timed(name: &'static str, stage: Stage, workspace: &Workspace, report: &mut Report) -> Result<()> {
    println!("\n== {name}");
    let start = Instant::now();
    let result = stage(workspace, report);
    let took = start.elapsed();
    println!("== {name}: {} in {}", if result.is_ok() { "well" } else { "FAILED" }, seconds(took));
    report.times.push((name, took));
    result.map_err(|error| format!("{name}: {error}").into())
}

fn summary(report: &Report, result: &Result<()>) {
    println!("\n== summary");
    for (name, took) in &report.times {
        println!("{name:8} {:>9}", seconds(*took));
    }
    println!("{:8} {:>9}", "all", seconds(report.times.iter().map(|(_, took)| *took).sum()));
    for note in &report.notes {
        println!("note: {note}");
    }
    if let Err(error) = result {
        println!("failed: {error}");
    }
    if let Some(counts) = report.counts {
        println!("{counts}");
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

fn run_tests(workspace: &Workspace, report: &mut Report) -> Result<()> {
    let counts = test::all(workspace, None)?;
    report.counts = Some(counts);
    if counts.failed == 0 { Ok(()) } else { Err(format!("{counts}").into()) }
}

/// The plug-ins of the tests are a workspace of their own.
fn format() -> Result<()> {
    Run::cargo().args(["fmt", "--all", "--check"]).run()?;
    Run::cargo().args(["fmt", "--manifest-path", "tests/plugins/Cargo.toml", "--all", "--check"]).run()
}

/// With every feature, and once more as it is shipped: what one hides the other may show.
fn clippy() -> Result<()> {
    let warnings = ["--", "-D", "warnings"];
    Run::cargo().args(["clippy", "--workspace", "--all-targets", "--all-features"]).args(warnings).run()?;
    Run::cargo().args(["clippy", "--workspace"]).args(warnings).run()
}

fn doc() -> Result<()> {
    Run::cargo().args(["doc", "--workspace", "--no-deps", "--quiet"]).env("RUSTDOCFLAGS", "-Dwarnings").run()
}

/// Licences, bans and sources always; advisories where their database can be had.
fn deny(report: &mut Report) -> Result<()> {
    let check = || Run::cargo().args(["deny", "check", "--hide-inclusion-graph"]);
    if Run::cargo().args(["deny", "fetch", "db"]).capture()?.status.success() {
        return check().run();
    }
    let note = "the advisory database cannot be fetched here: advisories were NOT checked";
    println!("{note}");
    report.notes.push(note.to_owned());
    check().args(["bans", "licenses", "sources"]).run()
}
