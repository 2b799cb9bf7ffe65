//! File flags: immutable and append-only, by `ioctl_iflags(2)`. It does not know why they must go.

use std::ffi::CStr;

use qchroot_api::Result as ApiResult;
use rustix::fd::OwnedFd;
use rustix::fs::{
    AtFlags, FileType, IFlags, Mode, OFlags, ResolveFlags, Stat, StatxAttributes, StatxFlags, ioctl_getflags,
    ioctl_setflags, openat, openat2, statat, statx,
};
use rustix::io::Errno;

/// Clears the flags that forbid changes to an open file or directory.
pub(crate) fn clear(file: &OwnedFd) -> Result<(), Errno> {
    take(file).map(drop)
}

/// The same; all that there were, if there was something to clear.
pub(crate) fn take(file: &OwnedFd) -> Result<Option<u32>, Errno> {
    let forbidding = IFlags::IMMUTABLE | IFlags::APPEND;
    match ioctl_getflags(file) {
        Ok(flags) if flags.intersects(forbidding) => {
            ioctl_setflags(file, flags - forbidding).map(|()| Some(flags.bits()))
        }
        Ok(_) | Err(Errno::NOTTY | Errno::OPNOTSUPP | Errno::NOSYS) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Sets exactly these flags on an open file or directory.
pub(crate) fn give_back(file: &OwnedFd, flags: u32) -> Result<(), Errno> {
    ioctl_setflags(file, IFlags::from_bits_retain(flags))
}

/// What keeps the superuser from clearing flags, if something does: capabilities(7).
pub(crate) fn obstacle() -> Option<String> {
    let may = rustix::thread::capabilities(None)
        .is_ok_and(|sets| sets.effective.contains(rustix::thread::CapabilitySet::LINUX_IMMUTABLE));
    (!may).then(|| "clearing file flags takes CAP_LINUX_IMMUTABLE, which this process lacks".to_owned())
}

/// Clears them on the entry `name`; only regular files and directories can have them.
pub(crate) fn clear_at(dir: &OwnedFd, name: &CStr) -> Result<(), Errno> {
    let stat = statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)?;
    if !matches!(FileType::from_raw_mode(stat.st_mode), FileType::RegularFile | FileType::Directory) {
        return Ok(());
    }
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::NOCTTY | OFlags::CLOEXEC;
    clear(&openat(dir, name, flags, Mode::empty())?)
}

/// The flags of an entry that a copy gets too, those that forbid changes; of `dir` itself where `name` is empty. Only
/// regular files and directories can have them.
pub(crate) fn of(dir: &OwnedFd, name: &CStr, file: &Stat) -> u32 {
    if !matches!(FileType::from_raw_mode(file.st_mode), FileType::RegularFile | FileType::Directory) {
        return 0;
    }
    let how = AtFlags::SYMLINK_NOFOLLOW | AtFlags::EMPTY_PATH;
    // What the file system does not tell, it does not have; see statx(2), "stx_attributes_mask".
    let told = statx(dir, name, how, StatxFlags::TYPE).map(|told| told.stx_attributes);
    let told = told.unwrap_or(StatxAttributes::empty());
    let both = [(StatxAttributes::IMMUTABLE, IFlags::IMMUTABLE), (StatxAttributes::APPEND, IFlags::APPEND)];
    both.iter().filter(|(shown, _)| told.contains(*shown)).fold(0, |all, (_, flag)| all | flag.bits())
}

/// The attribute under which BSD's flags are kept here, where they have no effect: it goes with the file when that
/// is renamed or copied, and only the superuser sees it (xattr(7)).
pub(super) const KEPT: &[u8] = b"trusted.qchroot.fflags";

/// Flags as an extended attribute: name and value.
pub(crate) fn kept_as(names: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    Some((KEPT.to_vec(), names.as_bytes().to_vec()))
}

/// Whether these flags forbid changes: there are none.
pub(crate) fn forbid(_flags: u32) -> bool {
    false
}

/// The names of a file's flags among its extended attributes, where they are kept.
pub(crate) fn names(_file: &Stat, attributes: &[(Vec<u8>, Vec<u8>)]) -> Option<String> {
    let (_, names) = attributes.iter().find(|(name, _)| name == KEPT)?;
    String::from_utf8(names.clone()).ok()
}

/// The flags with these names: BSD's have no meaning here.
pub(crate) fn named(_names: &str) -> ApiResult<u32> {
    Ok(0)
}

/// Sets these flags beside those that there are; no link on the way is followed.
pub(crate) fn set(dir: &OwnedFd, path: &CStr, flags: u32) -> Result<(), Errno> {
    let how = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let file = openat2(dir, path, how, Mode::empty(), resolve)?;
    match ioctl_getflags(&file) {
        Ok(there) => ioctl_setflags(&file, there | IFlags::from_bits_retain(flags)),
        Err(Errno::NOTTY | Errno::NOSYS) => Err(Errno::OPNOTSUPP),
        Err(error) => Err(error),
    }
}
