//! Runs scenarios, each in a process of its own with a directory of its own, and reports. It knows nothing of what they
//! try.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Failed, Trial};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::{Pid, geteuid};
use tempfile::TempDir;

use crate::cleaning::{Left, clean};
use crate::scenario::Scenario;
use crate::system::FREEBSD;
use crate::world::World;
use crate::{scenarios, system, userland, world};

/// The word before the name of the one scenario that a process plays, and its directory.
pub(crate) const ONE: &str = "--scenario";

/// Where the directory of a run is made: what is below `/tmp` is often kept in memory.
const PLACE: &str = "/var/tmp";

/// Bytes of a report that are shown; what went wrong stands at its end.
const SHOWN: usize = 60_000;

/// Characters of a line that a program of the machine's prints.
const WIDTH: usize = 160;

/// Plays one scenario in this process.
pub(crate) fn play(name: &str, directory: &Path) -> ExitCode {
    let scenario = scenarios::all().into_iter().find(|scenario| scenario.name == name);
    let scenario = scenario.expect("this program knows the scenarios that it starts");
    // A run that dies at a crash point leaves no core behind.
    setrlimit(Resource::RLIMIT_CORE, 0, 0).expect("less is always allowed");
    (scenario.play)(&World::new(directory));
    ExitCode::SUCCESS
}

/// Plays those that the command line chooses, and prints how many passed.
pub(crate) fn all() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Where a kernel may stop at what is tried, one at a time tells which it was.
    if FREEBSD {
        arguments.test_threads.get_or_insert(1);
    }
    let chosen = scenarios::all().into_iter().filter(|scenario| scenario.here);
    if arguments.list {
        let trials = chosen.map(|scenario| Trial::test(scenario.name, || Ok(())));
        return libtest_mimic::run(&arguments, trials.collect()).exit_code();
    }
    let run = match Run::prepare() {
        Ok(run) => Arc::new(run),
        Err(reason) => {
            println!("nothing could be tried: {reason}\n0 passed, 1 failed");
            return ExitCode::FAILURE;
        }
    };
    let trial = |(number, scenario): (usize, Scenario)| {
        let run = Arc::clone(&run);
        Trial::test(scenario.name, move || run.try_one(number, scenario).map_err(Failed::from))
    };
    let trials = chosen.enumerate().map(trial).collect();
    let counts = libtest_mimic::run(&arguments, trials);
    let cleaned = run.end();
    if let Err(reason) = &cleaned {
        println!("{reason}");
    }
    println!("{} passed, {} failed", counts.num_passed, counts.num_failed + u64::from(cleaned.is_err()));
    if counts.has_failed() || cleaned.is_err() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// One run of this program, with a directory for all of its scenarios.
struct Run {
    dir: PathBuf,
    /// How long each has taken.
    times: Mutex<Vec<(Duration, &'static str)>>,
}

impl Run {
    fn prepare() -> Result<Self, String> {
        if !geteuid().is_root() {
            return Err("it mounts, attaches disks and starts containers: run it as root".into());
        }
        world::program()?;
        let dir = TempDir::with_prefix_in("qchroot-acceptance-", PLACE)
            .and_then(|dir| dir.keep().canonicalize())
            .map_err(|error| format!("cannot make a directory in {PLACE}: {error}"))?;
        println!("in {}: making distribution sets of this machine's files", dir.display());
        let begin = Instant::now();
        let made = userland::provide(&dir.join("sets"));
        if let Err(reason) = made {
            let _ = fs::remove_dir_all(&dir);
            return Err(reason);
        }
        println!("in {}: made in {} s", dir.display(), begin.elapsed().as_secs());
        Ok(Self { dir, times: Mutex::default() })
    }

    /// Tells which were the slowest, and removes the directory.
    fn end(&self) -> Result<(), String> {
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        times.sort_by(|a, b| b.cmp(a));
        times.iter().take(5).for_each(|(time, name)| println!("{:4} s {name}", time.as_secs()));
        clean(&self.dir)
    }

    /// Plays a scenario in a process of its own; everything that helps when it fails.
    fn try_one(&self, number: usize, scenario: Scenario) -> Result<(), String> {
        let (dir, report) = (self.dir.join(number.to_string()), self.dir.join(format!("{number}.txt")));
        fs::create_dir(&dir).map_err(|error| format!("cannot make {}: {error}", dir.display()))?;
        let mut child = start(scenario.name, &dir, &report).map_err(|error| error.to_string())?;
        let begin = Instant::now();
        let status = wait(&mut child, scenario.limit);
        let took = (begin.elapsed(), scenario.name);
        self.times.lock().unwrap_or_else(PoisonError::into_inner).push(took);
        let mut reasons = Vec::new();
        match status {
            Some(status) if status.success() => {}
            Some(status) => reasons.push(format!("it failed ({status})")),
            None => reasons.push(format!("it hung: ended after {} s", scenario.limit.as_secs())),
        }
        if reasons.is_empty() {
            let left = Left::after_grace(&dir);
            if !left.is_nothing() {
                reasons.push(format!("it passed, but left behind:\n{left}"));
            }
        }
        let facts = if reasons.is_empty() { String::new() } else { facts(&dir) };
        kill_group(&child);
        let _ = child.wait();
        reasons.extend(clean(&dir).err());
        if reasons.is_empty() {
            return Ok(());
        }
        let told = fs::read(&report).unwrap_or_default();
        let told = String::from_utf8_lossy(&told[told.len().saturating_sub(SHOWN)..]).into_owned();
        let (name, reasons) = (scenario.name, reasons.join("\n--- "));
        // At once, as nobody knows whether the rest comes to its end.
        let text = format!("\n=== {name}\n{told}\n--- {reasons}\n{facts}=== end of {name}\n");
        let _ = std::io::stdout().lock().write_all(text.as_bytes());
        Err(format!("{reasons}; the report stands above, after `=== {name}`"))
    }
}

fn start(name: &str, dir: &Path, report: &Path) -> std::io::Result<Child> {
    let report = File::create(report)?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args([ONE, name]).arg(dir).env("RUST_BACKTRACE", "0").stdin(Stdio::null()).process_group(0);
    command.stdout(report.try_clone()?).stderr(report).spawn()
}

/// Waits until it ends; none if it does not in time.
fn wait(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let end = Instant::now() + limit;
    while Instant::now() < end {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        sleep(Duration::from_millis(20));
    }
    None
}

/// Ends a scenario's process and those of its group that still run.
fn kill_group(child: &Child) {
    if let Ok(pid) = child.id().try_into() {
        let _ = killpg(Pid::from_raw(pid), Signal::SIGKILL);
    }
}

/// What the machine looks like while what a scenario left is still there.
fn facts(dir: &Path) -> String {
    let mut text = format!("--- below its directory:\n{}", Left::below(dir));
    for (program, args) in system::FACTS {
        text += &format!("--- {program} {}\n", args.join(" "));
        for line in system::output(program, args).lines() {
            text.extend(line.chars().take(WIDTH).chain(['\n']));
        }
    }
    let log = fs::read_to_string(dir.join("root/log/qchroot.log")).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    text + &format!("--- the end of qchroot.log\n{}\n", lines[lines.len().saturating_sub(30)..].join("\n"))
}
