//! Runs programs of the host's: by absolute path, with a clean environment, without a shell. It does not know
//! what they do.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::ExitStatus;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Command, Error, ErrorKind, Output, Result};
use rustix::process::{Signal, set_parent_process_death_signal};

use crate::errors::OrError;
use crate::running::{self, Listener, Nobody};

/// Where programs are looked for, whatever the caller's `PATH` says.
pub(crate) const DIRECTORIES: [&str; 6] =
    ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// What is passed on of the caller's environment.
const PROXIES: [&str; 10] = [
    "http_proxy",
    "https_proxy",
    "ftp_proxy",
    "all_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "FTP_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
];

/// The absolute path of a program, if the system has it.
pub(crate) fn find(name: &str) -> Option<Utf8PathBuf> {
    if name.is_empty() || name.contains('/') {
        return None;
    }
    DIRECTORIES.iter().map(|dir| Utf8Path::new(dir).join(name)).find(|path| is_program(path))
}

fn is_program(path: &Utf8Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// Runs a program to its end, followed by `listener`.
pub(crate) fn run(command: &Command, listener: &mut dyn Listener) -> Result<Output> {
    start(command, listener, true)
}

/// Runs a program that must not stop half way: it goes on when this process dies. What it writes on standard output,
/// where nobody might be left to read it, is dropped.
pub(crate) fn run_unbroken(command: &Command) -> Result<Output> {
    start(command, &mut Nobody, false)
}

fn start(command: &Command, listener: &mut dyn Listener, ends_with_us: bool) -> Result<Output> {
    let (name, arguments) = command
        .argv
        .split_first()
        .ok_or_else(|| Error::new(ErrorKind::Internal, "a command without a program"))?;
    let program = locate(name)?;
    let message = || format!("cannot run {program}");
    let (output, output_writer) = io::pipe().or_error(message)?;
    let (error, error_writer) = io::pipe().or_error(message)?;
    let stdout = ends_with_us.then_some(output_writer);
    let expression = expression(&program, arguments, command, stdout).stderr_file(error_writer).unchecked();
    let handle = expression.start().or_error(message)?;
    // The expression holds the writing ends: the pipes would never end.
    drop(expression);
    let (stdout, stderr) = running::follow(&handle, output, error, listener).or_error(message)?;
    let ended = handle.wait().or_error(message)?;
    Ok(Output {
        status: status(ended.status),
        stdout: String::from_utf8_lossy(&stdout).into_owned(),
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
    })
}

/// One that is to end with this process writes to a pipe, the other one to nobody.
fn expression(
    program: &Utf8Path,
    arguments: &[String],
    command: &Command,
    stdout: Option<io::PipeWriter>,
) -> duct::Expression {
    let plain = duct::cmd(program.as_str(), arguments)
        .full_env(environment(command))
        .dir(command.dir.as_deref().unwrap_or(Utf8Path::new("/")))
        .stdin_null();
    let ends_with_us = stdout.is_some();
    let told = match stdout {
        Some(pipe) => plain.stdout_file(pipe),
        None => plain.stdout_null(),
    };
    told.before_spawn(move |program| {
        program.process_group(0);
        if ends_with_us {
            end_with_us(program);
        }
        Ok(())
    })
}

/// Asks the program to end when this process does, so that none is left at work in a staging directory.
fn end_with_us(program: &mut std::process::Command) {
    let ask = || Ok(set_parent_process_death_signal(Some(Signal::TERM))?);
    // SAFETY: between fork and exec one system call is made; nothing is allocated and no lock is taken.
    unsafe { program.pre_exec(ask) };
}

/// As [`run`]; anything but status 0 is an error that ends with the program's last words.
pub(crate) fn run_well(command: &Command) -> Result<Output> {
    let output = run(command, &mut Nobody)?;
    if output.status == 0 {
        return Ok(output);
    }
    let error = Error::new(
        ErrorKind::System,
        format!("{} ended with status {}", command.argv.join(" "), output.status),
    );
    Err(match output.stderr.lines().rev().find(|line| !line.trim().is_empty()) {
        Some(words) => error.cause(words.trim()),
        None => error,
    })
}

fn locate(name: &str) -> Result<Utf8PathBuf> {
    if name.starts_with('/') {
        return Ok(name.into());
    }
    find(name).ok_or_else(|| {
        Error::new(ErrorKind::NotFound, format!("program {name} not found"))
            .hint(format!("install it in one of {}", DIRECTORIES.join(", ")))
    })
}

fn environment(command: &Command) -> BTreeMap<OsString, OsString> {
    let mut env = passed_on();
    env.extend(command.env.iter().map(|(name, value)| (name.into(), value.into())));
    env
}

/// The environment of what this program starts: little of its own is passed on.
pub(crate) fn passed_on() -> BTreeMap<OsString, OsString> {
    let mut env = BTreeMap::new();
    env.insert("PATH".into(), DIRECTORIES.join(":").into());
    env.insert("LC_ALL".into(), "C".into());
    env.extend(PROXIES.iter().filter_map(|&name| Some((name.into(), std::env::var_os(name)?))));
    env
}

fn status(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_not_stop_half_way_is_heard_where_it_complains_and_nowhere_else() {
        let script = "echo much; echo trouble >&2; exit 3";
        let output = run_unbroken(&Command::new(["sh", "-c", script])).unwrap();
        assert_eq!((output.status, &*output.stdout, &*output.stderr), (3, "", "trouble\n"));
    }
}
