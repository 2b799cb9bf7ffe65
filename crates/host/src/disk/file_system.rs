//! What can be done to a disk that is not in use depends on its file system: each has a module of its own, found here.

use camino::Utf8Path;
use qchroot_api::{DiskFs, Error, ErrorKind, Result};

use super::measure::Need;
use super::{btrfs::Btrfs, ext4::Ext4, ufs::Ufs, xfs::Xfs};

/// Making, copying and growing.
pub(super) trait FileSystem {
    /// Bytes of a disk on which a tree fits, rather a few too many.
    fn length_for(&self, need: &Need) -> u64;

    /// Makes the file system in a file of `length` zeros, with room for at least as many files as needed.
    fn make(&self, new: &Utf8Path, length: u64, need: &Need) -> Result<()>;

    /// Gives a copy an identity of its own; it is clean, and is made longer next if it `grows`.
    fn renew(&self, copy: &Utf8Path, grows: bool) -> Result<()>;

    /// Makes the file system as long as its file. With `reserve`, nothing is left to be done later that would give
    /// space back to the host.
    fn grow(&self, file: &Utf8Path, length: u64, reserve: bool) -> Result<()>;

    /// Whether growing loses nothing wherever it is interrupted: the file system's own journal sees to that.
    fn grows_in_place(&self) -> bool;

    /// The smallest length, in bytes, that it can be grown to.
    fn grows_to_at_least(&self) -> u64 {
        0
    }

    /// Whether what was made with a length of `from` is still fit for its purpose with one of `to`.
    fn grows_well(&self, from: u64, to: u64) -> bool {
        let _ = (from, to);
        true
    }
}

/// The module of a file system.
pub(super) fn of(fs: DiskFs) -> Result<&'static dyn FileSystem> {
    Ok(match fs {
        DiskFs::Ext4 => &Ext4,
        DiskFs::Xfs => &Xfs,
        DiskFs::Btrfs => &Btrfs,
        DiskFs::Ufs => &Ufs,
        other => {
            return Err(Error::new(ErrorKind::Unavailable, format!("there are no disks with {other} here")));
        }
    })
}
