//! Extended attributes of open files, xattr(7). It does not know what they mean.

use std::ffi::CString;

use rustix::fd::OwnedFd;
use rustix::fs::{XattrFlags, fgetxattr, flistxattr, fsetxattr};
use rustix::io::Errno;

/// Largest value and longest list of names; see xattr(7), "VFS imposes limits".
const LARGEST: usize = 65536;

/// Attributes that the machine's own policy gives to every file anew.
const NOT_COPIED: [&[u8]; 3] = [b"security.selinux", b"security.ima", b"security.evm"];

/// Name and value.
pub(crate) type Pair = (Vec<u8>, Vec<u8>);

/// All attributes that can be copied; none where the file system has none.
pub(crate) fn all(file: &OwnedFd) -> Result<Vec<Pair>, Errno> {
    let mut names = vec![0_u8; LARGEST];
    let length = match flistxattr(file, &mut names[..]) {
        Err(Errno::OPNOTSUPP) | Ok(0) => return Ok(vec![]),
        length => length?,
    };
    let names = names[..length].split(|&byte| byte == 0);
    let names = names.filter(|name| !name.is_empty() && !NOT_COPIED.contains(name));
    let mut value = vec![0_u8; LARGEST];
    let mut all = vec![];
    for name in names {
        let length = fgetxattr(file, name, &mut value[..])?;
        all.push((name.to_vec(), value[..length].to_vec()));
    }
    Ok(all)
}

/// Sets one attribute.
pub(crate) fn set(file: &OwnedFd, name: &[u8], value: &[u8]) -> Result<(), Errno> {
    let name = CString::new(name).map_err(|_| Errno::INVAL)?;
    fsetxattr(file, name, value, XattrFlags::empty())
}
