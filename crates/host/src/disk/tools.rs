//! The programs that make and mend file systems. It does not know their arguments.

use qchroot_api::{Command, Error, ErrorKind, Output, Result};

use crate::command;
use crate::running::{Listener, Nobody};

/// Programs, and the Debian package that brings them.
const PACKAGES: [(&str, &str); 11] = [
    ("mkfs.ext4", "e2fsprogs"),
    ("e2fsck", "e2fsprogs"),
    ("resize2fs", "e2fsprogs"),
    ("tune2fs", "e2fsprogs"),
    ("mkfs.xfs", "xfsprogs"),
    ("xfs_db", "xfsprogs"),
    ("xfs_repair", "xfsprogs"),
    ("mkfs.btrfs", "btrfs-progs"),
    ("btrfs", "btrfs-progs"),
    ("btrfstune", "btrfs-progs"),
    ("newfs", "FreeBSD-ufs"),
];

/// A command from its words.
pub(super) fn command(argv: &[&str]) -> Command {
    Command::new(argv.iter().copied())
}

/// Runs a program to its end, whatever its status.
///
/// # Errors
/// `Unavailable`, with the package to install, where the host has no such program.
pub(super) fn run(command: &Command, listener: &mut dyn Listener) -> Result<Output> {
    let name = command.argv.first().map_or("", String::as_str);
    if command::find(name).is_none() {
        return Err(missing(name));
    }
    command::run(command, listener)
}

/// The same; anything but status 0 is an error with the program's last words.
pub(super) fn run_well(command: &Command) -> Result<Output> {
    let output = run(command, &mut Nobody)?;
    match output.status {
        0 => Ok(output),
        status => {
            let words = last_words(&output);
            Err(words.into_iter().fold(ended(command, status), Error::cause))
        }
    }
}

/// An error about a program's exit status.
pub(super) fn ended(command: &Command, status: i32) -> Error {
    Error::new(ErrorKind::System, format!("{} ended with status {status}", command.argv.join(" ")))
}

fn last_words(output: &Output) -> Vec<String> {
    let lines = |text: &str| -> Vec<String> {
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
    };
    let said = lines(&output.stderr);
    let said = if said.is_empty() { lines(&output.stdout) } else { said };
    said[said.len().saturating_sub(3)..].to_vec()
}

fn missing(name: &str) -> Error {
    let error = Error::new(ErrorKind::Unavailable, format!("this host has no program {name}"));
    match PACKAGES.iter().find(|(program, _)| *program == name) {
        Some((_, package)) => error.hint(format!("install it; Debian's package is {package}")),
        None => error.hint("install the programs of that file system"),
    }
}
