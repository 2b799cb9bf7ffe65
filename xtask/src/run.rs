//! Running programs: argument lists only, each shown before it starts, each failure with its command line.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::Result;

/// One program to run, with its arguments and its changes to the environment.
pub(crate) struct Run {
    command: Command,
}

impl Run {
    /// A run of `program`, found along PATH unless it is a path.
    #[expect(clippy::disallowed_methods, reason = "the one place where the tasks start programs")]
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        Self { command: Command::new(program) }
    }

    /// The cargo that runs this task.
    pub(crate) fn cargo() -> Self {
        Self::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    pub(crate) fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    pub(crate) fn env(mut self, key: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(key, value);
        self
    }

    pub(crate) fn without_env(mut self, key: &str) -> Self {
        self.command.env_remove(key);
        self
    }

    /// Runs it with this terminal; any status but 0 is an error.
    pub(crate) fn run(mut self) -> Result<()> {
        let line = self.line();
        eprintln!("$ {line}");
        let status = self.command.status().map_err(|e| format!("cannot run `{line}`: {e}"))?;
        if status.success() { Ok(()) } else { Err(format!("`{line}` failed: {status}").into()) }
    }

    /// Runs it and hands each line of its output to `each`; says whether its status was 0.
    pub(crate) fn lines(mut self, mut each: impl FnMut(&str)) -> Result<bool> {
        let line = self.line();
        eprintln!("$ {line}");
        self.command.stdout(Stdio::piped());
        let mut child = self.command.spawn().map_err(|e| format!("cannot run `{line}`: {e}"))?;
        let stdout = child.stdout.take().ok_or("a child without its output")?;
        for chunk in BufReader::new(stdout).split(b'\n') {
            each(&String::from_utf8_lossy(&chunk?));
        }
        Ok(child.wait()?.success())
    }

    /// Runs it silently and returns its status and all that it printed.
    pub(crate) fn capture(mut self) -> Result<Output> {
        let line = self.line();
        let output = self.command.stdin(Stdio::null()).output();
        output.map_err(|e| format!("cannot run `{line}`: {e}").into())
    }

    /// Runs it silently and returns its output; any status but 0 is an error with what it said.
    pub(crate) fn text(self) -> Result<String> {
        let line = self.line();
        let output = self.capture()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("`{line}` failed: {}\n{}", output.status, said.trim_end()).into());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Runs it with its output written to `file`; any status but 0 is an error.
    pub(crate) fn into_file(mut self, file: &Path) -> Result<()> {
        let line = self.line();
        let output = File::create(file).map_err(|e| format!("cannot make {}: {e}", file.display()))?;
        let status = self.command.stdin(Stdio::null()).stdout(output).status();
        let status = status.map_err(|e| format!("cannot run `{line}`: {e}"))?;
        if status.success() { Ok(()) } else { Err(format!("`{line}` failed: {status}").into()) }
    }

    /// Runs it with nothing read and nothing shown; any status but 0 is an error. For measurements.
    pub(crate) fn silently(mut self) -> Result<()> {
        let line = self.line();
        let status = self.command.stdin(Stdio::null()).stdout(Stdio::null()).status();
        let status = status.map_err(|e| format!("cannot run `{line}`: {e}"))?;
        if status.success() { Ok(()) } else { Err(format!("`{line}` failed: {status}").into()) }
    }

    /// The command line as it would be typed.
    pub(crate) fn line(&self) -> String {
        let program = Path::new(self.command.get_program());
        let program = program.file_name().unwrap_or(program.as_os_str());
        let words = std::iter::once(program).chain(self.command.get_args());
        words.map(|word| quoted(&word.to_string_lossy())).collect::<Vec<_>>().join(" ")
    }
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=:,@+%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_can_be_pasted_into_a_shell() {
        let run = Run::new("/usr/bin/printf").args(["%s", "it's here", ""]);
        assert_eq!(run.line(), r"printf %s 'it'\''s here' ''");
    }

    #[test]
    fn a_failure_names_the_command_and_what_it_said() {
        let error = Run::new("ls").arg("/no/such/file").text().unwrap_err().to_string();
        assert!(error.starts_with("`ls /no/such/file` failed"), "{error}");
        assert!(error.contains("No such file"), "{error}");
    }

    #[test]
    fn lines_arrive_one_by_one_and_the_status_is_kept() {
        let mut seen = Vec::new();
        let ok = Run::new("sh").args(["-c", "echo a; echo b; exit 3"]).lines(|l| seen.push(l.to_owned()));
        assert_eq!((ok.unwrap(), seen), (false, vec!["a".to_owned(), "b".to_owned()]));
    }
}
