//! Extended attributes, xattr(7). It does not know what they mean.

use std::ffi::{CStr, CString};

use rustix::fd::{AsRawFd, OwnedFd};
use rustix::fs::{XattrFlags, fgetxattr, flistxattr, fsetxattr, lgetxattr, llistxattr, lsetxattr};
use rustix::io::Errno;

/// Largest value and longest list of names; see xattr(7), "VFS imposes limits".
const LARGEST: usize = 65536;

/// Attributes that the machine's own policy gives to every file anew.
const NOT_COPIED: [&[u8]; 3] = [b"security.selinux", b"security.ima", b"security.evm"];

/// Name and value.
pub(crate) type Pair = (Vec<u8>, Vec<u8>);

/// All attributes that can be copied; none where the file system has none.
pub(crate) fn all(file: &OwnedFd) -> Result<Vec<Pair>, Errno> {
    collect(|names| flistxattr(file, names), |name, value| fgetxattr(file, name, value))
}

/// The same of the entry `name` in `dir`, not followed.
pub(crate) fn all_at(dir: &OwnedFd, name: &CStr) -> Result<Vec<Pair>, Errno> {
    let path = path_of(dir, name)?;
    collect(|names| llistxattr(&path, names), |name, value| lgetxattr(&path, name, value))
}

fn collect(
    list: impl Fn(&mut [u8]) -> Result<usize, Errno>,
    get: impl Fn(&[u8], &mut [u8]) -> Result<usize, Errno>,
) -> Result<Vec<Pair>, Errno> {
    let names = names(list)?;
    let names = names.split(|&byte| byte == 0);
    let mut names = names.filter(|name| !name.is_empty() && !NOT_COPIED.contains(name)).peekable();
    if names.peek().is_none() {
        return Ok(vec![]);
    }
    let mut value = vec![0_u8; LARGEST];
    let mut all = vec![];
    for name in names {
        let length = get(name, &mut value[..])?;
        all.push((name.to_vec(), value[..length].to_vec()));
    }
    Ok(all)
}

/// The names, each with a zero byte behind it. Most files have few or none: only for many is a long list taken.
fn names(list: impl Fn(&mut [u8]) -> Result<usize, Errno>) -> Result<Vec<u8>, Errno> {
    let mut few = [0_u8; 256];
    let mut many = vec![];
    let (length, names) = match list(&mut few) {
        Err(Errno::RANGE) => {
            many.resize(LARGEST, 0);
            (list(&mut many), &many[..])
        }
        length => (length, &few[..]),
    };
    match length {
        Err(Errno::OPNOTSUPP) => Ok(vec![]),
        length => Ok(names[..length?].to_vec()),
    }
}

/// Sets one attribute.
pub(crate) fn set(file: &OwnedFd, name: &[u8], value: &[u8]) -> Result<(), Errno> {
    let attribute = CString::new(name).map_err(|_| Errno::INVAL)?;
    unless_only_kept(name, fsetxattr(file, attribute, value, XattrFlags::empty()))
}

/// Sets one attribute of the entry `entry` in `dir`, not followed.
pub(crate) fn set_at(dir: &OwnedFd, entry: &CStr, name: &[u8], value: &[u8]) -> Result<(), Errno> {
    let attribute = CString::new(name).map_err(|_| Errno::INVAL)?;
    unless_only_kept(name, lsetxattr(path_of(dir, entry)?, attribute, value, XattrFlags::empty()))
}

/// Where a file system has no attributes of this kind, what has no effect anyway is not kept.
fn unless_only_kept(name: &[u8], result: Result<(), Errno>) -> Result<(), Errno> {
    match result {
        Err(Errno::OPNOTSUPP) if name == super::flags::KEPT || name == qchroot_unpack::NFS4_LIST => Ok(()),
        result => result,
    }
}

/// The calls for what cannot be opened take paths only: this one leads through the descriptor (proc(5)).
fn path_of(dir: &OwnedFd, name: &CStr) -> Result<CString, Errno> {
    let mut path = format!("/proc/thread-self/fd/{}/", dir.as_raw_fd()).into_bytes();
    path.extend_from_slice(name.to_bytes());
    CString::new(path).map_err(|_| Errno::INVAL)
}
