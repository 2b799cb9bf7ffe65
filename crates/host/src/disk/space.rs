//! The host's space below disks: whether there is enough, and taking it at once. It does not know what a disk is for.

use std::fs::File;
use std::os::unix::fs::MetadataExt;

use camino::Utf8Path;
use qchroot_api::{Error, ErrorKind, Result, size_text};
use rustix::fs::{FallocateFlags, fallocate, fstatvfs};
use rustix::io::Errno;

use super::beside;
use crate::errors::OrError;
use crate::{beneath, os};

/// Lengths of disks are multiples of this, in bytes: the sector of the devices that show them.
pub(super) const BLOCK: u64 = 4096;

/// The next multiple of [`BLOCK`].
pub(super) fn round_up(bytes: u64) -> u64 {
    bytes.div_ceil(BLOCK).saturating_mul(BLOCK)
}

/// Refuses lengths that no disk can have.
///
/// # Errors
/// Usage, with the smallest length.
pub(super) fn refuse_length(length: u64, smallest: u64, what: &str) -> Result<()> {
    let error = |cause: String| {
        Err(Error::new(ErrorKind::Usage, format!("no {what} can have {length} bytes"))
            .cause(cause)
            .with("size", length)
            .with("least", smallest))
    };
    match length {
        _ if length < smallest => {
            error(format!("the smallest has {smallest} bytes ({})", size_text(smallest)))
        }
        _ if !length.is_multiple_of(BLOCK) => error(format!("it is not a multiple of {BLOCK}")),
        _ => Ok(()),
    }
}

/// Refuses to take more than the host has to spare where `near` is.
///
/// # Errors
/// I/O, with the figures.
pub(super) fn require(near: &Utf8Path, wanted: u64, what: &str) -> Result<()> {
    let dir = near.parent().unwrap_or(Utf8Path::new("/"));
    let stat = fstatvfs(beneath::open_root(dir)?).or_error(|| format!("cannot look at {dir}"))?;
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    if wanted <= free {
        return Ok(());
    }
    let message = format!("the host has not enough space for {what}");
    Err(Error::new(ErrorKind::Io, message)
        .cause(format!("it takes {}, and {} are free in {dir}", size_text(wanted), size_text(free)))
        .with("wanted", wanted)
        .with("free", free)
        .hint("make room on the host, or choose a smaller size"))
}

/// Bytes that an open file takes of the host's space.
pub(super) fn taken(file: &File, name: &Utf8Path) -> Result<u64> {
    Ok(file.metadata().or_error(|| format!("cannot look at {name}"))?.blocks() * 512)
}

/// Takes the first `length` bytes of a file from the host's space, and gives the file at least that length.
///
/// # Errors
/// I/O, with the figures, where the host has not that much; `Unavailable` where its file system cannot.
pub(super) fn reserve(file: &File, name: &Utf8Path, length: u64) -> Result<()> {
    require(name, length.saturating_sub(taken(file, name)?), &format!("all of {name}"))?;
    match fallocate(file, FallocateFlags::empty(), 0, length) {
        Err(Errno::OPNOTSUPP | Errno::INVAL | Errno::NOSYS) => Err(Error::new(
            ErrorKind::Unavailable,
            format!("cannot reserve space for {name}: the host's file system does not do that"),
        )
        .hint("leave out `preallocate`, or keep containers on another file system")),
        done => done.or_error(|| format!("cannot reserve space for {name}")),
    }
}

/// Gives back to the host what a file has taken without ever having written it.
pub(super) fn give_back_holes(name: &Utf8Path) -> Result<()> {
    let message = || format!("cannot give back unused space of {name}");
    let file = File::options().read(true).write(true).open(name).or_error(message)?;
    let length = file.metadata().or_error(message)?.len();
    os::content::dig(&file.into(), length).or_error(message)
}

/// As [`reserve`], of a file by its name.
pub(super) fn reserve_all(name: &Utf8Path, length: u64) -> Result<()> {
    let file = File::options().write(true).open(name).or_error(|| format!("cannot open {name}"))?;
    reserve(&file, name, length)?;
    beside::flush(name)
}
