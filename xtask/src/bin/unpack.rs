//! Unpacks one archive into an empty directory with what an install uses, and with nothing around it, so that it
//! can be timed against tar(1) and bsdtar(1). At the end it says what memory it took at most, in KiB.
//!
//! `unpack ARCHIVE DIRECTORY`

use std::error::Error;
use std::process::ExitCode;

use camino::Utf8PathBuf;
use qchroot_engine::{Host, Workplace};
use qchroot_host::Machine;
use qchroot_unpack::{Limits, unpack};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = match &args[..] {
        [archive, directory] => run(&archive.into(), &directory.into()),
        _ => Err("usage: unpack ARCHIVE DIRECTORY".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&*error),
    }
}

#[expect(clippy::print_stderr, reason = "a program for a terminal")]
fn fail(error: &dyn Error) -> ExitCode {
    eprintln!("unpack: {error}");
    ExitCode::FAILURE
}

#[expect(clippy::print_stdout, reason = "a program for a terminal")]
fn run(archive: &Utf8PathBuf, directory: &Utf8PathBuf) -> Result<(), Box<dyn Error>> {
    let machine = Machine::new();
    let mut show = |_: &qchroot_api::Progress| {};
    let mut work = machine.work(&Workplace::beside(directory), &mut show)?;
    let input = work.open(archive)?;
    unpack(input, archive.as_str(), None, &mut *work, &Limits::default())?;
    work.tree().finish()?;
    println!("{} KiB", peak_memory()?);
    Ok(())
}

/// proc_pid_status(5), `VmHWM`.
fn peak_memory() -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number =
        line.and_then(|line| line.split_whitespace().next()).ok_or("no VmHWM in /proc/self/status")?;
    Ok(number.parse()?)
}
