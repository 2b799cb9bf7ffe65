//! Renaming without replacing, and special files reached by descriptor. It does not know what they are for.

use rustix::fd::{AsRawFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, Mode, RenameFlags, chmodat, renameat_with};
use rustix::io::Errno;

use crate::beneath::Spot;

/// Renames; fails with `EEXIST` where the new name is taken.
pub(crate) fn rename_to_new(old: &Spot, new: &Spot) -> Result<(), Errno> {
    renameat_with(&old.dir, &old.name, &new.dir, &new.name, RenameFlags::NOREPLACE)
}

/// Sets the mode of the file that a descriptor made with `O_PATH` names, whatever is at its path by now.
pub(crate) fn chmod(file: &OwnedFd, mode: Mode) -> Result<(), Errno> {
    // fchmod(2) refuses such descriptors; the way through /proc is the one its manual page names.
    chmodat(CWD, format!("/proc/thread-self/fd/{}", file.as_raw_fd()), mode, AtFlags::empty())
}

/// Returns when the file system that a directory is on has written everything; syncfs(2).
pub(crate) fn flush(dir: &OwnedFd) -> Result<(), Errno> {
    rustix::fs::syncfs(dir)
}
