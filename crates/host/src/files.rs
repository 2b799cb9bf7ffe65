//! Small changes at places: one directory, file or link at a time, each at once or not at all. It does not
//! know why they are made.

use std::fs::File;
use std::io::Write;

use camino::Utf8Path;
use qchroot_api::{Error, ErrorKind, Place, Result};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, RawMode, Stat, Timespec, Timestamps, UTIME_OMIT, fchmod, fstat, fsync,
    futimens, mkdirat, openat, readlinkat, renameat, symlinkat, unlinkat,
};
use rustix::io::Errno;

use crate::beneath::{self, Spot, describe, file_type};
use crate::errors::OrError;
use crate::{flagged, os, remove};

/// Permission bits with set-id and sticky, in the kernel's type.
pub(crate) fn mode_bits(mode: u32) -> Mode {
    Mode::from_raw_mode((mode & 0o7777) as RawMode)
}

/// The same of a file.
#[allow(clippy::useless_conversion, reason = "the kernel's type has 16 bits on FreeBSD")]
pub(crate) fn permissions(stat: &Stat) -> u32 {
    u32::from(Mode::from_raw_mode(stat.st_mode).as_raw_mode()) & 0o7777
}

/// Makes one directory with exactly this mode.
pub(crate) fn make_dir(at: &Place, mode: u32) -> Result<()> {
    let message = || format!("cannot make directory {at}");
    let spot = beneath::parent(at)?;
    let before = times(at, &spot)?;
    flagged::entry(&spot.dir, &spot.name, || mkdirat(&spot.dir, &spot.name, Mode::RWXU)).or_error(message)?;
    let dir = beneath::open_dir(at)?;
    fchmod(dir, mode_bits(mode)).or_error(message)?;
    settle(at, &spot, before)
}

/// Removes a directory if it is there and empty.
pub(crate) fn remove_dir(at: &Place) -> Result<()> {
    let Some(spot) = reachable(beneath::parent(at))? else { return Ok(()) };
    let before = times(at, &spot)?;
    let remove = || unlinkat(&spot.dir, &spot.name, AtFlags::REMOVEDIR);
    match flagged::entry(&spot.dir, &spot.name, remove) {
        Ok(()) => settle(at, &spot, before),
        Err(Errno::NOENT | Errno::NOTEMPTY | Errno::EXIST | Errno::NOTDIR) => Ok(()),
        Err(why) => Err(flagged::refused(why, format!("cannot remove directory {at}"))),
    }
}

/// Returns when everything below the directory `at` is on disk.
pub(crate) fn flush_tree(at: &Utf8Path) -> Result<()> {
    os::files::flush(&beneath::open_root(at)?).or_error(|| format!("cannot flush {at} to disk"))
}

/// Makes an empty directory for a piece of work; what an earlier run left there goes first.
pub(crate) fn stage(at: &Utf8Path) -> Result<()> {
    remove::remove_tree(at)?;
    make_dir(&Place::host(at), 0o700)
}

/// Writes a file beside its place, flushes it and renames it there.
pub(crate) fn write_file(at: &Place, text: &str, mode: u32) -> Result<()> {
    let message = || format!("cannot write {at}");
    let spot = beneath::parent(at)?;
    refuse_other_than(FileType::RegularFile, at, &spot)?;
    let before = times(at, &spot)?;
    let new = new_name(&spot);
    let written = flagged::entry(&spot.dir, &spot.name, || {
        remove_leftover(&spot, &new)?;
        write_new(&spot, &new, text, mode)
            .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
        renameat(&spot.dir, &new, &spot.dir, &spot.name)
    });
    if written.is_err() {
        // The error that is reported is the first one.
        let _ = unlinkat(&spot.dir, &new, AtFlags::empty());
    }
    written.map_err(|why| flagged::refused(why, message()))?;
    settle(at, &spot, before)
}

fn new_name(spot: &Spot) -> String {
    format!(".{}.qchroot-new", spot.name)
}

fn remove_leftover(spot: &Spot, name: &str) -> Result<(), Errno> {
    match flagged::entry(&spot.dir, name, || unlinkat(&spot.dir, name, AtFlags::empty())) {
        Err(Errno::NOENT) => Ok(()),
        result => result,
    }
}

fn write_new(spot: &Spot, name: &str, text: &str, mode: u32) -> std::io::Result<()> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = File::from(openat(&spot.dir, name, flags, Mode::RUSR | Mode::WUSR)?);
    file.write_all(text.as_bytes())?;
    fchmod(&file, mode_bits(mode))?;
    file.sync_all()
}

/// Removes a regular file; one that is gone is fine.
pub(crate) fn remove_file(at: &Place) -> Result<()> {
    remove_kind(at, FileType::RegularFile)
}

/// Makes a symbolic link, or turns an existing one, at once.
pub(crate) fn link(at: &Place, to: &Utf8Path) -> Result<()> {
    let message = || format!("cannot link {at} to {to}");
    let spot = beneath::parent(at)?;
    refuse_other_than(FileType::Symlink, at, &spot)?;
    let before = times(at, &spot)?;
    let new = new_name(&spot);
    flagged::entry(&spot.dir, &spot.name, || {
        remove_leftover(&spot, &new)?;
        symlinkat(to.as_str(), &spot.dir, &new)?;
        renameat(&spot.dir, &new, &spot.dir, &spot.name)
    })
    .map_err(|why| flagged::refused(why, message()))?;
    settle(at, &spot, before)
}

/// Removes the symbolic link to `was`; one that is gone is fine, one that leads elsewhere is somebody else's.
pub(crate) fn unlink(at: &Place, was: &Utf8Path) -> Result<()> {
    match link_target(at)? {
        Some(target) if target != was.as_str() => {
            Err(Error::new(ErrorKind::Exists, format!("cannot remove link {at}: it leads to {target} now")))
        }
        _ => remove_kind(at, FileType::Symlink),
    }
}

/// The target of the link at a place; `None` when nothing or something else is there.
pub(crate) fn link_target(at: &Place) -> Result<Option<String>> {
    let Some(spot) = reachable(beneath::parent(at))? else { return Ok(None) };
    match readlinkat(&spot.dir, &spot.name, vec![]) {
        Ok(target) => Ok(Some(target.to_string_lossy().into_owned())),
        Err(Errno::NOENT | Errno::INVAL) => Ok(None),
        Err(error) => Err(error).or_error(|| format!("cannot read link {at}")),
    }
}

/// Renames within the host; nothing that is there is ever replaced.
pub(crate) fn rename(from: &Utf8Path, to: &Utf8Path) -> Result<()> {
    let (from, to) = (Place::host(from), Place::host(to));
    let (old, new) = (beneath::parent(&from)?, beneath::parent(&to)?);
    flagged::rename(&old, &new)
        .map_err(|why| flagged::refused(why, format!("cannot rename {from} to {to}")))?;
    settle(&from, &old, None)?;
    settle(&to, &new, None)
}

/// Removes what is at a place if it is of this kind.
pub(crate) fn remove_kind(at: &Place, kind: FileType) -> Result<()> {
    let Some(spot) = reachable(beneath::parent(at))? else { return Ok(()) };
    refuse_other_than(kind, at, &spot)?;
    let before = times(at, &spot)?;
    let remove = || unlinkat(&spot.dir, &spot.name, AtFlags::empty());
    match flagged::entry(&spot.dir, &spot.name, remove) {
        Ok(()) => settle(at, &spot, before),
        Err(Errno::NOENT) => Ok(()),
        Err(why) => Err(flagged::refused(why, format!("cannot remove {at}"))),
    }
}

fn refuse_other_than(kind: FileType, at: &Place, spot: &Spot) -> Result<()> {
    match file_type(&spot.dir, &spot.name)? {
        Some(found) if found != kind => {
            Err(Error::new(ErrorKind::Exists, format!("{at} is {}, not {}", describe(found), describe(kind))))
        }
        _ => Ok(()),
    }
}

/// `None` where the way to a place is gone, or something that is not a directory took its place: what was
/// there is gone too.
pub(crate) fn reachable<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Exists) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The times of the directory that is about to be changed, inside a container: what is made for a session and
/// taken away after it leaves no trace there, not even that.
fn times(at: &Place, spot: &Spot) -> Result<Option<Timestamps>> {
    if !at.is_within() {
        return Ok(None);
    }
    let stat = fstat(&spot.dir).or_error(|| format!("cannot look at the directory of {at}"))?;
    Ok(Some(Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        last_modification: Timespec { tv_sec: stat.st_mtime, tv_nsec: stat.st_mtime_nsec as _ },
    }))
}

/// Makes a change of names outlive a power cut; inside a running container nothing needs to.
fn settle(at: &Place, spot: &Spot, before: Option<Timestamps>) -> Result<()> {
    match before {
        Some(times) => match futimens(&spot.dir, &times) {
            // Its file flags are back already.
            Err(Errno::PERM) => Ok(()),
            result => result.or_error(|| format!("cannot set the times of {at}")),
        },
        None => flush(&spot.dir, at),
    }
}

fn flush(dir: &OwnedFd, at: &Place) -> Result<()> {
    match fsync(dir.as_fd()) {
        // Not every file system can flush a directory; see fsync(2).
        Ok(()) | Err(Errno::INVAL | Errno::ROFS) => Ok(()),
        Err(error) => Err(error).or_error(|| format!("cannot flush the directory of {at}")),
    }
}
