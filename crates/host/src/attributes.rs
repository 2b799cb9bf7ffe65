//! Owner, mode and times of a file, set in the order in which none undoes another. It does not know where they
//! come from.

use std::ffi::CStr;

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{
    AtFlags, Gid, Mode, Stat, Timespec, Timestamps, Uid, chmodat, chownat, fchmod, fchown, futimens,
    utimensat,
};
use rustix::io::Errno;

use crate::files::mode_bits;

/// Device and number of a file, which no other has.
#[allow(clippy::useless_conversion, reason = "the kernel's types have 32 bits on some systems")]
pub(crate) fn identity(stat: &Stat) -> (u64, u64) {
    (u64::from(stat.st_dev), u64::from(stat.st_ino))
}

/// How many names a file has.
#[allow(clippy::useless_conversion, reason = "the kernel's types have 32 bits on some systems")]
pub(crate) fn links(stat: &Stat) -> u64 {
    u64::from(stat.st_nlink)
}

/// What a file carries beside its content.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attributes {
    uid: u32,
    gid: u32,
    mode: Mode,
    times: (Timespec, Timespec),
}

impl Attributes {
    /// From a header: one time for both of the file's.
    pub(crate) fn new(uid: u32, gid: u32, mode: u32, mtime: (i64, u32)) -> Self {
        let time = Timespec { tv_sec: mtime.0, tv_nsec: mtime.1.into() };
        Self { uid, gid, mode: mode_bits(mode), times: (time, time) }
    }

    /// From a file.
    pub(crate) fn of(stat: &Stat) -> Self {
        let accessed = Timespec { tv_sec: stat.st_atime, tv_nsec: stat.st_atime_nsec as _ };
        let modified = Timespec { tv_sec: stat.st_mtime, tv_nsec: stat.st_mtime_nsec as _ };
        Self {
            uid: stat.st_uid,
            gid: stat.st_gid,
            mode: Mode::from_raw_mode(stat.st_mode),
            times: (accessed, modified),
        }
    }

    /// Sets owner and mode of an open file: chown(2) clears set-id bits, so the mode comes second.
    pub(crate) fn set_owner_and_mode(&self, file: impl AsFd) -> Result<(), Errno> {
        fchown(&file, Some(Uid::from_raw(self.uid)), Some(Gid::from_raw(self.gid)))?;
        fchmod(&file, self.mode)
    }

    /// Sets the times of an open file; after everything else.
    pub(crate) fn set_times(&self, file: impl AsFd) -> Result<(), Errno> {
        futimens(file, &self.timestamps())
    }

    /// Sets owner and mode of an entry that cannot be opened. Links have no mode of their own; only for directories
    /// that nobody else can write to.
    pub(crate) fn set_owner_and_mode_at(
        &self,
        dir: &OwnedFd,
        name: &CStr,
        is_link: bool,
    ) -> Result<(), Errno> {
        let (uid, gid) = (Uid::from_raw(self.uid), Gid::from_raw(self.gid));
        chownat(dir, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)?;
        if is_link { Ok(()) } else { chmodat(dir, name, self.mode, AtFlags::empty()) }
    }

    /// Sets the times of an entry, not followed; after everything else.
    pub(crate) fn set_times_at(&self, dir: &OwnedFd, name: &CStr) -> Result<(), Errno> {
        utimensat(dir, name, &self.timestamps(), AtFlags::SYMLINK_NOFOLLOW)
    }

    fn timestamps(&self) -> Timestamps {
        Timestamps { last_access: self.times.0, last_modification: self.times.1 }
    }
}
