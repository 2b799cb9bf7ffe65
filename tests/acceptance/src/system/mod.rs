//! What differs between the systems, as far as the kernel shows it: mounts, processes, disks. It knows the kernel and
//! the machine's own programs, not qchroot.

#[cfg(any(target_os = "freebsd", test))]
mod freebsd;
#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "freebsd")]
pub(crate) use freebsd::*;
#[cfg(target_os = "linux")]
pub(crate) use linux::*;

use std::process::{Command, Stdio};

/// Whether this is FreeBSD.
pub(crate) const FREEBSD: bool = cfg!(target_os = "freebsd");

/// A disk made of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Disk {
    /// The name of its device, such as `md0` or `loop3`.
    pub(crate) device: String,
    /// The file.
    pub(crate) file: std::path::PathBuf,
}

/// What a program of the machine's prints on either stream, whatever its status; empty when there is no such program.
pub(crate) fn output(program: &str, args: &[&str]) -> String {
    let ran = Command::new(program).args(args).stdin(Stdio::null()).output();
    ran.map_or(String::new(), |ran| {
        String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr)
    })
}
