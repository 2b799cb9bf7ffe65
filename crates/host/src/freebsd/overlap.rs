//! Refuses null mounts of a directory on itself, which panics the kernel, inside itself, and over a directory that it is
//! in. It looks by descriptor: no path can be made to mean something else meanwhile.

use camino::Utf8Path;
use qchroot_api::{Error, ErrorKind, Result};
use rustix::fd::OwnedFd;
use rustix::fs::{CWD, Mode, OFlags, fstat, openat};
use rustix::io::Errno;

use crate::attributes::identity;
use crate::errors::OrError;

/// Names what is looked at.
const LOOK: OFlags = OFlags::PATH.union(OFlags::CLOEXEC);

/// Refuses a target that is the source, or lies in it, or has it inside.
pub(super) fn refuse(source: &Utf8Path, target: &OwnedFd) -> Result<()> {
    let message = || format!("cannot mount {source}");
    let from = openat(CWD, source.as_str(), LOOK | OFlags::DIRECTORY, Mode::empty())
        .or_error(|| format!("cannot open {source}"))?;
    if lies_in(target, &from).or_error(message)? {
        return Err(refusal(source, "the target lies inside the source"));
    }
    if lies_in(&from, target).or_error(message)? {
        return Err(refusal(source, "it lies inside the target"));
    }
    Ok(())
}

/// Refuses a target that is the source, for files.
pub(super) fn refuse_same(source: &Utf8Path, target: &OwnedFd) -> Result<()> {
    let message = || format!("cannot open {source}");
    let from = openat(CWD, source.as_str(), LOOK, Mode::empty()).or_error(message)?;
    if same(&from, target).or_error(message)? {
        return Err(refusal(source, "the target is the source"));
    }
    Ok(())
}

fn refusal(source: &Utf8Path, why: &str) -> Error {
    Error::new(ErrorKind::Config, format!("cannot mount {source}: {why}"))
}

fn same(one: &OwnedFd, other: &OwnedFd) -> Result<bool, Errno> {
    Ok(identity(&fstat(one)?) == identity(&fstat(other)?))
}

/// Whether a directory is another one or lies in it, however deep.
fn lies_in(inner: &OwnedFd, outer: &OwnedFd) -> Result<bool, Errno> {
    let mut here = openat(inner, ".", LOOK | OFlags::DIRECTORY, Mode::empty())?;
    loop {
        if same(&here, outer)? {
            return Ok(true);
        }
        let above = openat(&here, "..", LOOK | OFlags::DIRECTORY, Mode::empty())?;
        if same(&here, &above)? {
            return Ok(false);
        }
        here = above;
    }
}
