//! File flags, chflags(2). It does not know why they are set or must go.

use std::ffi::CStr;

use nix::libc;
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::fs::{AtFlags, Stat, fstat, statat};
use rustix::io::Errno;

use super::sysctl;
use crate::flag_names;
pub(crate) use crate::flag_names::named;

/// Immutable, append-only and undeletable, the owner's and the superuser's.
const FORBIDDING: u32 = 0x2 | 0x4 | 0x10 | 0x2_0000 | 0x4_0000 | 0x10_0000;

/// UFS marks its snapshots with it, and nobody else may set or clear it.
const SNAPSHOT: u32 = 0x20_0000;

/// What every file system with flags has.
const COMMON: u32 = 0x1 | 0x2_0000 | 0x4_0000 | 0x10_0000;

/// Clears the flags that forbid changes to an open file or directory.
pub(crate) fn clear(file: &OwnedFd) -> Result<(), Errno> {
    take(file).map(drop)
}

/// The same; all that there were, if there was something to clear.
pub(crate) fn take(file: &OwnedFd) -> Result<Option<u32>, Errno> {
    let flags = fstat(file)?.st_flags;
    if !forbid(flags) {
        return Ok(None);
    }
    give_back(file, flags & !FORBIDDING)?;
    Ok(Some(flags))
}

/// Sets exactly these flags on an open file or directory.
pub(crate) fn give_back(file: &OwnedFd, flags: u32) -> Result<(), Errno> {
    // SAFETY: fchflags(2) takes numbers only.
    let status = unsafe { libc::fchflags(file.as_raw_fd(), libc::c_ulong::from(flags)) };
    if status == 0 { Ok(()) } else { Err(super::last_error()) }
}

/// What keeps the superuser from clearing the system's flags, if something does: security(7), jail(8).
pub(crate) fn obstacle() -> Option<String> {
    let level = sysctl::integer("kern.securelevel").unwrap_or(-1);
    if level > 0 {
        return Some(format!(
            "file flags cannot be cleared at securelevel {level}: do it in single-user mode, or set \
             kern_securelevel_enable=NO in rc.conf and reboot"
        ));
    }
    let is_jailed = sysctl::integer("security.jail.jailed") == Some(1);
    let may = sysctl::integer("security.jail.chflags_allowed") != Some(0);
    (is_jailed && !may).then(|| "the jail that this runs in needs allow.chflags".to_owned())
}

/// Clears them on the entry `name`, not followed.
pub(crate) fn clear_at(dir: &OwnedFd, name: &CStr) -> Result<(), Errno> {
    let flags = statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)?.st_flags;
    if !forbid(flags) { Ok(()) } else { set(dir, name, flags & !FORBIDDING) }
}

/// The flags of an entry that a copy gets too; `file` tells them already. A copy of a snapshot is none.
pub(crate) fn of(_dir: &OwnedFd, _name: &CStr, file: &Stat) -> u32 {
    file.st_flags & !SNAPSHOT
}

/// Flags as an extended attribute: not where they have an effect.
pub(crate) fn kept_as(_names: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    None
}

/// Whether these flags forbid changes.
pub(crate) fn forbid(flags: u32) -> bool {
    flags & FORBIDDING != 0
}

/// The names of a file's flags as mtree(5) writes them.
pub(crate) fn names(file: &Stat, _attributes: &[(Vec<u8>, Vec<u8>)]) -> Option<String> {
    Some(flag_names::names(file.st_flags))
}

/// Sets exactly these flags, the last component not followed; of flags that the file system does not have, those that
/// every one has.
pub(crate) fn set(dir: &OwnedFd, path: &CStr, flags: u32) -> Result<(), Errno> {
    match set_all(dir, path, flags) {
        Err(Errno::OPNOTSUPP) if flags & COMMON != 0 => set_all(dir, path, flags & COMMON),
        result => result,
    }
}

fn set_all(dir: &OwnedFd, path: &CStr, flags: u32) -> Result<(), Errno> {
    // SAFETY: `path` is a terminated string that lives until chflagsat(2) returns.
    let status = unsafe {
        libc::chflagsat(dir.as_raw_fd(), path.as_ptr(), libc::c_ulong::from(flags), libc::AT_SYMLINK_NOFOLLOW)
    };
    if status == 0 { Ok(()) } else { Err(super::last_error()) }
}
