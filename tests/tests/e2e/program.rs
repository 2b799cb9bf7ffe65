//! The program under test, and what a run of it gave.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::Value;

/// The program's path: `QCHROOT_BIN`, or what cargo builds here.
pub fn path() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| match std::env::var_os("QCHROOT_BIN") {
        Some(path) => std::path::absolute(&path)
            .ok()
            .filter(|path| path.is_file())
            .unwrap_or_else(|| panic!("QCHROOT_BIN names no file: {}", path.display())),
        None => build(&["--package=qchroot", "--features=crash-points"], "qchroot"),
    })
}

/// Builds a program beside this test, by what cargo calls it; nothing is done when it is up to date.
pub fn build(what: &[&str], name: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let profile = own.parent().and_then(Path::parent).expect("the test lies in PROFILE/deps");
    let target = profile.parent().unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet"]).args(what).arg("--target-dir").arg(target);
    let built = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).status();
    assert!(
        built.as_ref().is_ok_and(|status| status.success()),
        "{name} cannot be built ({built:?}); for the program under test, run `cargo build -p qchroot --features \
         crash-points` and set QCHROOT_BIN to it"
    );
    target.join("debug").join(name)
}

/// How a run of a program ended, and what it printed.
pub struct Ran {
    what: String,
    /// Its exit status, or 128+N.
    pub status: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Ran {
    pub fn new(what: impl fmt::Display, output: &Output) -> Self {
        use std::os::unix::process::ExitStatusExt;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let signal = || output.status.signal().map_or(-1, |signal| 128 + signal);
        Self {
            what: what.to_string(),
            status: output.status.code().unwrap_or_else(signal),
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }

    /// Runs a command to its end.
    pub fn of(command: &mut Command) -> Self {
        let words = command.get_args().map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ");
        let output = command.output().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
        Self::new(words, &output)
    }

    /// Asserts success; standard output.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.status, 0, "{self}");
        self.out
    }

    /// Asserts failure with `status`, each of `texts` on standard error, and nothing on standard output.
    #[track_caller]
    pub fn fails(self, status: i32, texts: &[&str]) -> String {
        assert_eq!(self.status, status, "{self}");
        for text in texts {
            assert!(self.err.contains(text), "no {text:?} in {self}");
        }
        self.err
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(self) -> Value {
        assert_eq!(self.status, 0, "{self}");
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    /// Whether the run ended by abort(3), as it does at a crash point.
    pub fn has_crashed(&self) -> bool {
        self.status == 128 + 6
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ended with {}\nstdout: {}\nstderr: {}", self.what, self.status, self.out, self.err)
    }
}
