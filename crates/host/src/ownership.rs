//! Gives files and directories at places an owner and a mode. It does not know who declared them.

use qchroot_api::{Error, ErrorKind, FileKind, Place, Result};
use qchroot_engine::Probe;
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, fstat, mkdirat, openat, statat};
use rustix::io::Errno;

use crate::attributes::Attributes;
use crate::beneath::{self, Spot, describe};
use crate::errors::OrError;
use crate::files::permissions;
use crate::flagged;

/// What a file or directory is to be.
pub(crate) struct Wanted {
    /// What to make where nothing is, and what it must be.
    pub(crate) make: Option<FileKind>,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) mode: u32,
}

/// How what is at a place stands to what is wanted.
///
/// # Errors
/// As [`beneath::parent`].
pub(crate) fn probe(at: &Place, wanted: &Wanted) -> Result<Probe> {
    let spot = beneath::parent(at)?;
    let stat = match statat(&spot.dir, &spot.name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => stat,
        Err(Errno::NOENT) => return Ok(Probe::Absent),
        Err(error) => return Err(error).or_error(|| format!("cannot look at {at}")),
    };
    if let Some(obstacle) = obstacle(at, &stat, wanted) {
        return Ok(Probe::Conflict(obstacle));
    }
    let same = (stat.st_uid, stat.st_gid, permissions(&stat)) == (wanted.uid, wanted.gid, wanted.mode);
    Ok(if same { Probe::Present } else { Probe::Absent })
}

/// Makes it so. No link is followed, and only files and directories are touched.
pub(crate) fn set(at: &Place, wanted: &Wanted) -> Result<()> {
    let spot = beneath::parent(at)?;
    make(&spot, wanted.make).or_error(|| format!("cannot make {at}"))?;
    let stat = statat(&spot.dir, &spot.name, AtFlags::SYMLINK_NOFOLLOW).or_error(|| cannot(at))?;
    refuse(at, &stat, wanted)?;
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file: OwnedFd = openat(&spot.dir, &spot.name, flags, Mode::empty()).or_error(|| cannot(at))?;
    // What was looked at a moment ago need not be what was opened.
    refuse(at, &fstat(&file).or_error(|| cannot(at))?, wanted)?;
    let attributes = Attributes::new(wanted.uid, wanted.gid, wanted.mode, (0, 0));
    flagged::file(&file, || attributes.set_owner_and_mode(&file))
        .map_err(|why| flagged::refused(why, cannot(at)))
}

fn cannot(at: &Place) -> String {
    format!("cannot give {at} its owner and mode")
}

fn make(spot: &Spot, kind: Option<FileKind>) -> Result<(), Errno> {
    let made = match kind {
        Some(FileKind::Directory) => mkdirat(&spot.dir, &spot.name, Mode::RWXU),
        Some(_) => {
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            openat(&spot.dir, &spot.name, flags, Mode::RUSR | Mode::WUSR).map(drop)
        }
        None => Ok(()),
    };
    match made {
        Err(Errno::EXIST) => Ok(()),
        made => made,
    }
}

fn refuse(at: &Place, stat: &Stat, wanted: &Wanted) -> Result<()> {
    obstacle(at, stat, wanted).map_or(Ok(()), |what| Err(Error::new(ErrorKind::Exists, what)))
}

fn obstacle(at: &Place, stat: &Stat, wanted: &Wanted) -> Option<String> {
    let kind = FileType::from_raw_mode(stat.st_mode);
    let (fits, words) = match wanted.make {
        Some(FileKind::Directory) => (kind == FileType::Directory, "a directory"),
        Some(_) => (kind == FileType::RegularFile, "a file"),
        None => (matches!(kind, FileType::RegularFile | FileType::Directory), "a file or a directory"),
    };
    (!fits).then(|| format!("{at} is {}, not {words}", describe(kind)))
}
