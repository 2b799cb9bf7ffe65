//! What a run of a program gave. Every run is also written to standard error, which is shown when a scenario fails.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::Value;

/// Characters of one stream that are written down.
const SHOWN: usize = 6000;

/// How a run of a program ended, and what it printed.
pub(crate) struct Ran {
    /// The command line, for a person.
    what: String,
    /// The same, for another run.
    argv: Vec<OsString>,
    /// Its exit status, or 128+N for signal N.
    pub(crate) status: i32,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

impl Ran {
    /// Runs a command to its end.
    #[track_caller]
    pub(crate) fn of(command: &mut Command) -> Self {
        let begin = Instant::now();
        let output = command.output().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let ran = Self {
            what: words(command),
            argv: argv(command).map(OsStr::to_owned).collect(),
            status: output.status.code().or(output.status.signal().map(|signal| 128 + signal)).unwrap_or(-1),
            out: text(&output.stdout),
            err: text(&output.stderr),
        };
        eprintln!("{ran}[{:.1} s]", begin.elapsed().as_secs_f64());
        ran
    }

    /// Asserts success; standard output.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.status, 0, "this should have succeeded:\n{self}{}", self.plan());
        self.out
    }

    /// Asserts failure with `status`, and each of `texts` on standard error; standard error.
    #[track_caller]
    pub(crate) fn fails(self, status: i32, texts: &[&str]) -> String {
        assert_eq!(self.status, status, "this should have failed with {status}:\n{self}");
        for text in texts {
            assert!(self.err.contains(text), "no {text:?} on standard error:\n{self}");
        }
        self.err
    }

    /// Asserts success and a text on either stream; standard output.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> String {
        assert!(self.out.contains(text) || self.err.contains(text), "does not say {text:?}:\n{self}");
        self.ok()
    }

    /// Standard output as JSON, of a run that succeeded.
    #[track_caller]
    pub(crate) fn json(self) -> Value {
        assert_eq!(self.status, 0, "this should have succeeded:\n{self}");
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("no JSON, {error}:\n{self}"))
    }

    /// What a run that failed had in mind: the steps that qchroot would take now.
    fn plan(&self) -> String {
        let [program, root, dir, rest @ ..] = &self.argv[..] else { return String::new() };
        if root != "--root" || rest.iter().any(|word| word == "exec" || word == "console") {
            return String::new();
        }
        let planned =
            Command::new(program).args([root, dir]).arg("--dry-run").args(rest).stdin(Stdio::null()).output();
        let text = planned.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        format!("\nthe plan now:\n{}", text.unwrap_or_default())
    }

    /// Whether the run ended by abort(3), as it does at a crash point.
    pub(crate) fn has_crashed(&self) -> bool {
        self.status == 128 + 6
    }
}

fn argv(command: &Command) -> impl Iterator<Item = &OsStr> {
    std::iter::once(command.get_program()).chain(command.get_args())
}

/// A command as one would type it.
pub(crate) fn words(command: &Command) -> String {
    let word = |word: &OsStr| {
        let text = word.to_string_lossy();
        if text.contains([' ', '\n', '\'', '"', '$']) { format!("{text:?}") } else { text.into_owned() }
    };
    argv(command).map(word).collect::<Vec<_>>().join(" ")
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "$ {}", self.what)?;
        for (name, text) in [("", &self.out), ("stderr: ", &self.err)] {
            for line in text.chars().take(SHOWN).collect::<String>().lines() {
                writeln!(f, "  {name}{line}")?;
            }
        }
        write!(f, "[exit {}] ", self.status)
    }
}
