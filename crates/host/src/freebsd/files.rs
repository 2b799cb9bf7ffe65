//! Renaming without replacing, and flushing. It does not know what they are for.

use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, renameat, statat};
use rustix::io::Errno;

use crate::beneath::Spot;

/// Renames; fails with `EEXIST` where the new name is taken. The kernel cannot do both at once, so only for
/// directories that nobody else writes to.
pub(crate) fn rename_to_new(old: &Spot, new: &Spot) -> Result<(), Errno> {
    match statat(&new.dir, &new.name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(_) => Err(Errno::EXIST),
        Err(Errno::NOENT) => renameat(&old.dir, &old.name, &new.dir, &new.name),
        Err(error) => Err(error),
    }
}

/// Has the file system write everything. sync(2) only begins it, but before it begins what comes later, so that
/// what a directory's own fsync(2) then waits for comes after it.
pub(crate) fn flush(dir: &OwnedFd) -> Result<(), Errno> {
    rustix::fs::sync();
    rustix::fs::fsync(dir)
}
