//! Renaming without replacing, and links read by descriptor. It does not know what they are for.

use camino::Utf8PathBuf;
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, readlinkat, renameat, statat};
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

/// The target of the link that a descriptor made with `O_PATH` names; `None` when it names something else.
pub(crate) fn target_of(link: &OwnedFd) -> Result<Option<Utf8PathBuf>, Errno> {
    match readlinkat(link, "", vec![]) {
        Ok(target) => Ok(Some(target.to_string_lossy().into_owned().into())),
        Err(Errno::NOENT | Errno::INVAL | Errno::NOTDIR) => Ok(None),
        Err(error) => Err(error),
    }
}
