//! Reads directories by descriptor. It changes nothing.

use std::ffi::{CStr, CString};

use qchroot_api::Result;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, openat, statat};
use rustix::io::Errno;

use crate::errors::OrError;

/// Deeper trees are neither written nor copied: each level of a copy holds two descriptors.
pub(crate) const DEEPEST: usize = 200;

/// A name in a directory, and what it was when it was read.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Its name.
    pub(crate) name: CString,
    /// Its type.
    pub(crate) kind: FileType,
}

impl Entry {
    /// The name for a message.
    pub(crate) fn shown(&self) -> String {
        self.name.to_string_lossy().into_owned()
    }
}

/// All entries but `.` and `..`; `shown` names the directory in an error.
pub(crate) fn entries(dir: &OwnedFd, shown: &str) -> Result<Vec<Entry>> {
    let message = || format!("cannot read directory {shown}");
    let mut all = vec![];
    for entry in Dir::read_from(dir).or_error(message)? {
        let entry = entry.or_error(message)?;
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        let Some(kind) = kind(dir, name, entry.file_type()).or_error(message)? else { continue };
        all.push(Entry { name: name.to_owned(), kind });
    }
    Ok(all)
}

/// Some file systems do not say the type in the directory.
fn kind(dir: &OwnedFd, name: &CStr, told: FileType) -> Result<Option<FileType>, Errno> {
    if told != FileType::Unknown {
        return Ok(Some(told));
    }
    match statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(FileType::from_raw_mode(stat.st_mode))),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Opens the directory `name` in `dir`, never through a link.
pub(crate) fn open(dir: impl AsFd, name: &CStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(dir, name, flags, Mode::empty())
}
