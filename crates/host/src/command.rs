//! Runs programs of the host's: by absolute path, with a clean environment, without a shell. It does not know
//! what they do.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, PipeReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::ExitStatus;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Command, Error, ErrorKind, Output, Result};
use rustix::process::{Signal, set_parent_process_death_signal};

use crate::errors::OrError;

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

/// How much of standard error is kept, in bytes.
const KEPT: usize = 64 << 10;

/// The longest line that is shown, in bytes.
const LINE: usize = 4 << 10;

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

/// Runs a program to its end; each line of its standard error is given to `line`, which answers whether to go
/// on: the program is killed otherwise.
pub(crate) fn run(command: &Command, line: &mut dyn FnMut(&str) -> bool) -> Result<Output> {
    let (name, arguments) = command
        .argv
        .split_first()
        .ok_or_else(|| Error::new(ErrorKind::Internal, "a command without a program"))?;
    let program = locate(name)?;
    let message = || format!("cannot run {program}");
    let (reader, writer) = io::pipe().or_error(message)?;
    let expression = duct::cmd(program.as_str(), arguments)
        .full_env(environment(command))
        .stdin_null()
        .stdout_capture()
        .stderr_file(writer)
        .before_spawn(|program| {
            end_with_us(program);
            Ok(())
        })
        .unchecked();
    let handle = expression.start().or_error(message)?;
    // The expression holds the writing end: the pipe would never end.
    drop(expression);
    let mut tell = |text: &str| if line(text) { Ok(()) } else { handle.kill() };
    let stderr = follow(reader, &mut tell).or_error(message)?;
    let output = handle.wait().or_error(message)?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(Output {
        status: status(output.status),
        stdout,
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
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
    let output = run(command, &mut |_| true)?;
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
    let mut env = BTreeMap::new();
    env.insert("PATH".into(), DIRECTORIES.join(":").into());
    env.insert("LC_ALL".into(), "C".into());
    env.extend(PROXIES.iter().filter_map(|&name| Some((name.into(), std::env::var_os(name)?))));
    env.extend(command.env.iter().map(|(name, value)| (name.into(), value.into())));
    env
}

fn status(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

/// Reads to the end, line by line, and keeps the last of it.
fn follow(mut reader: PipeReader, line: &mut dyn FnMut(&str) -> io::Result<()>) -> io::Result<Vec<u8>> {
    let (mut kept, mut current) = (Vec::new(), Vec::new());
    let mut buffer = [0_u8; 4096];
    loop {
        let length = match reader.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            length => length?,
        };
        if length == 0 {
            tell(&mut current, line)?;
            return Ok(kept);
        }
        kept.extend_from_slice(&buffer[..length]);
        let excess = kept.len().saturating_sub(KEPT);
        kept.drain(..excess);
        for &byte in &buffer[..length] {
            match byte {
                b'\n' | b'\r' => tell(&mut current, line)?,
                _ if current.len() < LINE => current.push(byte),
                _ => {}
            }
        }
    }
}

fn tell(current: &mut Vec<u8>, line: &mut dyn FnMut(&str) -> io::Result<()>) -> io::Result<()> {
    if !current.is_empty() {
        line(&String::from_utf8_lossy(current))?;
        current.clear();
    }
    Ok(())
}
