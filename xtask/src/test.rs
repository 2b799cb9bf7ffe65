//! All the tests, on the real kernel, and one closing line over all of them.

use std::fmt;

use crate::run::Run;
use crate::workspace::Workspace;
use crate::{Result, setup};

/// The feature that lets the tests stop the program at any step.
const CRASH_POINTS: &str = "--features=qchroot/crash-points";

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
    /// Adds a line such as `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; …`, and no other.
    fn add_line(&mut self, line: &str) {
        let Some((_, results)) = line.split_once("test result: ") else { return };
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
    let mut counts = Counts::default();
    let tests = Run::cargo()
        .args(["test", "--workspace", "--no-fail-fast", CRASH_POINTS])
        .args(filter.map(|name| ["--", name]).into_iter().flatten())
        .env("QCHROOT_BIN", workspace.built("debug", "qchroot"))
        .env("QCHROOT_ROOT_TESTS", "required");
    let all_well = tests.lines(|line| {
        println!("{line}");
        counts.add_line(line);
    })?;
    if !all_well && counts.failed == 0 {
        println!("a test program did not build, or ended without a result: counted as one failure");
        counts.failed = 1;
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_many_programs_add_up() {
        let mut counts = Counts::default();
        counts.add_line("running 4 tests");
        counts.add_line(
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
        );
        counts.add_line("test result: FAILED. 2 passed; 5 failed; 0 ignored; 0 measured; 7 filtered out");
        assert_eq!(counts, Counts { passed: 5, failed: 5, skipped: 1 });
    }

    #[test]
    fn the_closing_line_names_what_was_skipped_only_if_something_was() {
        assert_eq!(Counts { passed: 7, failed: 0, skipped: 0 }.to_string(), "7 passed, 0 failed");
        assert_eq!(Counts { passed: 7, failed: 1, skipped: 2 }.to_string(), "7 passed, 1 failed, 2 skipped");
    }
}
