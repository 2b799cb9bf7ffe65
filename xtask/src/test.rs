//! All the tests, on the real kernel, and one closing line over all of them.

use std::fmt;

use crate::run::Run;
use crate::workspace::Workspace;
use crate::{Result, setup};

/// The feature that lets the tests stop the program at any step.
pub(crate) const CRASH_POINTS: &str = "--features=qchroot/crash-points";

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Run only the tests whose name contains this
    filter: Option<String>,
}

/// What the test programs reported, added up.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Counts {
    /// Adds `ok. 3 passed; 0 failed; 1 ignored; 0 measured; …`.
    fn add(&mut self, results: &str) {
        let results = results.split_once(". ").map_or(results, |(_, numbers)| numbers);
        for part in results.split(';') {
            let mut words = part.split_whitespace();
            let number = words.next().and_then(|n| n.parse().ok()).unwrap_or(0);
            match words.next() {
                Some("passed") => self.passed += number,
                Some("failed") => self.failed += number,
                Some("ignored") => self.skipped += number,
                _ => {}
            }
        }
    }
}

/// Reads what test programs print. A test may run test programs itself: those are its own business.
#[derive(Default)]
struct Reader {
    counts: Counts,
    running: u32,
}

impl Reader {
    fn read(&mut self, line: &str) {
        if is_beginning(line) {
            self.running += 1;
        } else if let Some((_, results)) = line.split_once("test result: ") {
            if self.running <= 1 {
                self.counts.add(results);
            }
            self.running = self.running.saturating_sub(1);
        }
    }
}

/// Whether `line` is such as `running 3 tests`.
fn is_beginning(line: &str) -> bool {
    let number = line.strip_prefix("running ").and_then(|rest| rest.split_once(" test"));
    number.is_some_and(|(number, plural)| number.parse::<u64>().is_ok() && matches!(plural, "" | "s"))
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 { write!(f, ", {} skipped", self.skipped) } else { Ok(()) }
    }
}

/// `cargo xtask test`.
pub(crate) fn task(workspace: &Workspace, args: &Args) -> Result<()> {
    let counts = all(workspace, args.filter.as_deref())?;
    println!("{counts}");
    if counts.failed == 0 { Ok(()) } else { Err("some tests failed".into()) }
}

/// Prepares the machine, builds the program, and runs every test whose name contains `filter`.
pub(crate) fn all(workspace: &Workspace, filter: Option<&str>) -> Result<Counts> {
    setup::require_root("test", "mounts, changes owners and enters containers for real")?;
    setup::ensure(setup::TESTS)?;
    Run::cargo().args(["build", "--workspace", "--bins", "--exclude=xtask", CRASH_POINTS]).run()?;
    // Of this plug-in, the acceptance tests want the library.
    Run::cargo().args(["build", "--package=qchroot-example-oci"]).run()?;
    let mut reader = Reader::default();
    let tests = Run::cargo()
        .args(["test", "--workspace", "--no-fail-fast", CRASH_POINTS])
        .args(filter.map(|name| ["--", name]).into_iter().flatten())
        .env("QCHROOT_BIN", workspace.built("debug", "qchroot"))
        .env("QCHROOT_ROOT_TESTS", "required");
    let all_well = tests.lines(|line| {
        println!("{line}");
        reader.read(line);
    })?;
    let mut counts = reader.counts;
    if !all_well && counts.failed == 0 {
        println!("a test program did not build, or ended without a result: counted as one failure");
        counts.failed = 1;
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(lines: &[&str]) -> Counts {
        let mut reader = Reader::default();
        lines.iter().for_each(|line| reader.read(line));
        reader.counts
    }

    #[test]
    fn results_of_many_programs_add_up() {
        let lines = [
            "running 4 tests",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "running 1 test",
            "test running 2 tests ... ok",
            "test result: FAILED. 2 passed; 5 failed; 0 ignored; 0 measured; 7 filtered out",
        ];
        assert_eq!(counts(&lines), Counts { passed: 5, failed: 5, skipped: 1 });
    }

    #[test]
    fn what_a_test_program_reports_to_a_test_is_not_counted() {
        let lines = [
            "running 2 tests",
            "running 1 test",
            "running 1 test",
            "test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 21 filtered out",
            "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 21 filtered out",
            "test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out",
        ];
        assert_eq!(counts(&lines), Counts { passed: 2, failed: 0, skipped: 0 });
    }

    #[test]
    fn the_closing_line_names_what_was_skipped_only_if_something_was() {
        assert_eq!(Counts { passed: 7, failed: 0, skipped: 0 }.to_string(), "7 passed, 0 failed");
        assert_eq!(Counts { passed: 7, failed: 1, skipped: 2 }.to_string(), "7 passed, 1 failed, 2 skipped");
    }
}
