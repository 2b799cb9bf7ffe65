//! The call nmount(2) itself. It names its target by a path only, and the working directory is the whole process': so it
//! is made in a child, whose working directory a descriptor chose. It does not know what is mounted.

use std::os::fd::AsFd;

use nix::mount::{MntFlags, Nmount};
use qchroot_api::{Error, ErrorKind};
use rustix::fd::OwnedFd;
use rustix::io::{ioctl_fionread, read, write};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::fchdir;

use crate::errors;
use crate::process::fork;

/// The kernel's words are not longer.
const LONGEST: usize = 255;

/// What is asked for.
pub(super) struct Call<'a> {
    /// The type of the file system.
    pub(super) fs: &'a str,
    /// The target, relative to the directory.
    pub(super) at: &'a str,
    pub(super) options: &'a [(&'a str, String)],
    pub(super) flags: MntFlags,
}

/// Why there is no mount.
pub(super) enum Refusal {
    /// The kernel refused: its number, and its own words if it had any.
    Kernel(i32, String),
    /// There was no child to ask it, or that died.
    Child(Error),
}

/// Makes the mount, seen from the directory `dir`.
pub(super) fn run(call: &Call<'_>, dir: &OwnedFd) -> Result<(), Refusal> {
    let failed = |error: std::io::Error| Refusal::Child(errors::from_io(&error, "cannot make a child"));
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).map_err(|error| failed(error.into()))?;
    let child = fork::fork(|| match mount(call, dir) {
        Ok(()) => 0,
        Err((number, words)) => {
            let told = [&number.to_ne_bytes()[..], words.as_bytes()].concat();
            // A parent that cannot be told why is told by the status that it failed.
            let _ = write(writer.as_fd(), &told);
            1
        }
    });
    let child = child.map_err(|why| Refusal::Child(fork::refused(why, "cannot make a child".into())))?;
    match fork::wait(child).map_err(|error| failed(error.into()))? {
        0 => Ok(()),
        _ => Err(refusal(&reader)),
    }
}

/// What the child wrote before it ended: less than a pipe holds, in one piece. The end of the pipe is not waited for:
/// another thread's child may have a copy of its other end.
fn refusal(reader: &OwnedFd) -> Refusal {
    let mut told = [0_u8; size_of::<i32>() + LONGEST];
    let length = match ioctl_fionread(reader) {
        Ok(1..) => read(reader, &mut told).unwrap_or(0),
        _ => 0,
    };
    match told[..length].split_first_chunk() {
        Some((number, words)) => {
            Refusal::Kernel(i32::from_ne_bytes(*number), String::from_utf8_lossy(words).into_owned())
        }
        None => Refusal::Child(Error::new(ErrorKind::Internal, "the child that was to mount it died")),
    }
}

fn mount(call: &Call<'_>, dir: &OwnedFd) -> Result<(), (i32, String)> {
    fchdir(dir).map_err(|error| (error.raw_os_error(), String::new()))?;
    let mut nmount = Nmount::new();
    nmount.str_opt_owned("fstype", call.fs).str_opt_owned("fspath", call.at);
    for (key, value) in call.options {
        nmount.str_opt_owned(*key, value.as_str());
    }
    nmount
        .nmount(call.flags)
        .map_err(|error| (error.error() as i32, error.errmsg().unwrap_or_default().to_owned()))
}
