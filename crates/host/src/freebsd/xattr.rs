//! Extended attributes of open files, extattr(2), named as Linux does: the name space, a dot, the name. It does
//! not know what they mean.

use std::ffi::{CStr, CString};

use nix::libc;
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::io::Errno;

use super::acl;

/// Largest value and longest list of names in bytes.
const LARGEST: usize = 65536;

const SPACES: [(&str, libc::c_int); 2] =
    [("user.", libc::EXTATTR_NAMESPACE_USER), ("system.", libc::EXTATTR_NAMESPACE_SYSTEM)];

/// Name and value.
pub(crate) type Pair = (Vec<u8>, Vec<u8>);

/// All attributes; none where the file system has none.
pub(crate) fn all(file: &OwnedFd) -> Result<Vec<Pair>, Errno> {
    let lists = acl::all(file)?;
    let has_lists = lists.is_some();
    let mut all = lists.unwrap_or_default();
    for (prefix, space) in SPACES {
        for name in names(file, space)? {
            // UFS keeps its lists so.
            if has_lists && is_list(space, &name) {
                continue;
            }
            let value = get(file, space, &name)?;
            all.push(([prefix.as_bytes(), name.as_slice()].concat(), value));
        }
    }
    Ok(all)
}

fn names(file: &OwnedFd, space: libc::c_int) -> Result<Vec<Vec<u8>>, Errno> {
    let mut list = vec![0_u8; LARGEST];
    // SAFETY: the kernel writes at most `LARGEST` bytes to `list`, which has that many.
    let length = unsafe { libc::extattr_list_fd(file.as_raw_fd(), space, list.as_mut_ptr().cast(), LARGEST) };
    let Ok(length) = usize::try_from(length) else {
        return match super::last_error() {
            Errno::OPNOTSUPP | Errno::PERM => Ok(vec![]),
            error => Err(error),
        };
    };
    Ok(split(&list[..length]))
}

fn is_list(space: libc::c_int, name: &[u8]) -> bool {
    let lists: [&[u8]; 3] = [b"posix1e.acl_access", b"posix1e.acl_default", b"nfs4.acl"];
    space == libc::EXTATTR_NAMESPACE_SYSTEM && lists.contains(&name)
}

/// Each name is preceded by its length in one byte; see extattr_get_fd(2).
fn split(mut list: &[u8]) -> Vec<Vec<u8>> {
    let mut names = vec![];
    while let Some((&length, rest)) = list.split_first() {
        let length = usize::from(length).min(rest.len());
        let (name, rest) = rest.split_at(length);
        names.push(name.to_vec());
        list = rest;
    }
    names
}

fn get(file: &OwnedFd, space: libc::c_int, name: &[u8]) -> Result<Vec<u8>, Errno> {
    let name = CString::new(name).map_err(|_| Errno::INVAL)?;
    let mut value = vec![0_u8; LARGEST];
    // SAFETY: `name` is terminated; the kernel writes at most `LARGEST` bytes to `value`, which has that many.
    let length = unsafe {
        libc::extattr_get_fd(file.as_raw_fd(), space, name.as_ptr(), value.as_mut_ptr().cast(), LARGEST)
    };
    value.truncate(usize::try_from(length).map_err(|_| super::last_error())?);
    Ok(value)
}

/// Attributes of what cannot be opened are not copied.
#[allow(clippy::unnecessary_wraps, reason = "as on the other system")]
pub(crate) fn all_at(_dir: &OwnedFd, _entry: &CStr) -> Result<Vec<Pair>, Errno> {
    Ok(vec![])
}

/// Attributes of what cannot be opened are not set.
#[allow(clippy::unnecessary_wraps, reason = "as on the other system")]
pub(crate) fn set_at(_dir: &OwnedFd, _entry: &CStr, _name: &[u8], _value: &[u8]) -> Result<(), Errno> {
    Ok(())
}

/// Sets one attribute. One of another system's, such as `security.capability`, has no effect here: it is kept by its
/// whole name in the system's name space, where the file system has that.
pub(crate) fn set(file: &OwnedFd, name: &[u8], value: &[u8]) -> Result<(), Errno> {
    if acl::set(file, name, value)? {
        return Ok(());
    }
    match set_plain(file, name, value) {
        Err(Errno::OPNOTSUPP) if !name.starts_with(b"user.") => Ok(()),
        result => result,
    }
}

fn set_plain(file: &OwnedFd, name: &[u8], value: &[u8]) -> Result<(), Errno> {
    let found =
        SPACES.iter().find_map(|&(prefix, space)| Some((space, name.strip_prefix(prefix.as_bytes())?)));
    let (space, name) = found.unwrap_or((libc::EXTATTR_NAMESPACE_SYSTEM, name));
    let name = CString::new(name).map_err(|_| Errno::INVAL)?;
    // SAFETY: `name` is terminated, and the kernel reads `value.len()` bytes of `value`.
    let length = unsafe {
        libc::extattr_set_fd(file.as_raw_fd(), space, name.as_ptr(), value.as_ptr().cast(), value.len())
    };
    if length >= 0 { Ok(()) } else { Err(super::last_error()) }
}
