//! Changes what file flags protect, and gives the flags back afterwards: they never stop an update. It does not know why
//! something is changed.

use std::ffi::{CStr, CString};

use qchroot_api::{Error, Result};
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, statat};
use rustix::io::Errno;

use crate::beneath::Spot;
use crate::{errors, os};

/// Makes a change of the name `name` in `dir`; once more without flags where these are in the way. Those of the entry
/// itself do not come back.
pub(crate) fn entry(dir: &OwnedFd, name: &str, change: impl Fn() -> Result<(), Errno>) -> Result<(), Errno> {
    match change() {
        Err(Errno::PERM) => open(&[dir], || {
            without(dir, &c_name(name)?)?;
            change()
        }),
        result => result,
    }
}

/// Changes an open file; once more without flags where these are in the way.
pub(crate) fn file(file: &OwnedFd, change: impl Fn() -> Result<(), Errno>) -> Result<(), Errno> {
    match change() {
        Err(Errno::PERM) => open(&[file], change),
        result => result,
    }
}

/// Renames with all flags kept; fails with `EEXIST` where the new name is taken.
pub(crate) fn rename(old: &Spot, new: &Spot) -> Result<(), Errno> {
    let rename = || os::files::rename_to_new(old, new);
    match rename() {
        Err(Errno::PERM) => {}
        result => return result,
    }
    let (from, to) = (c_name(&old.name)?, c_name(&new.name)?);
    let stat = statat(&old.dir, &from, AtFlags::SYMLINK_NOFOLLOW)?;
    let flags = os::flags::of(&old.dir, &from, &stat);
    open(&[&old.dir, &new.dir], || {
        os::flags::clear_at(&old.dir, &from)?;
        let renamed = rename();
        let (dir, name) = if renamed.is_ok() { (&new.dir, &to) } else { (&old.dir, &from) };
        let back = if flags == 0 { Ok(()) } else { os::flags::set(dir, name, flags) };
        renamed.and(back)
    })
}

/// Runs `change` while what is open has no flags that forbid changes.
fn open(files: &[&OwnedFd], change: impl FnOnce() -> Result<(), Errno>) -> Result<(), Errno> {
    let Some((first, others)) = files.split_first() else { return change() };
    let flags = os::flags::take(first)?;
    let changed = open(others, change);
    let back = flags.map_or(Ok(()), |flags| os::flags::give_back(first, flags));
    changed.and(back)
}

/// What is not there has no flags.
fn without(dir: &OwnedFd, name: &CStr) -> Result<(), Errno> {
    match os::flags::clear_at(dir, name) {
        Err(Errno::NOENT) => Ok(()),
        result => result,
    }
}

fn c_name(name: &str) -> Result<CString, Errno> {
    CString::new(name).map_err(|_| Errno::INVAL)
}

/// The error of a change that flags may have been in the way of, with what keeps these from being cleared.
pub(crate) fn refused(why: Errno, message: String) -> Error {
    let error = errors::from_io(&why.into(), message);
    match os::flags::obstacle().filter(|_| why == Errno::PERM) {
        Some(obstacle) => error.hint(obstacle),
        None => error,
    }
}
