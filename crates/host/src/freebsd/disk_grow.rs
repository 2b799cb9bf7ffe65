//! Has growfs(8) grow file systems, and devices follow the length of their files. It does not know what a disk is for.

use std::fs::File;

use camino::Utf8Path;
use qchroot_api::{DiskFs, Error, ErrorKind, Result};
use rustix::fd::OwnedFd;

use super::{disk, memory_device};
use crate::disk::growfs;
use crate::errors::OrError;

/// Whether the kernel grows a file system of this kind by itself.
pub(crate) fn may(_fs: DiskFs) -> bool {
    false
}

/// Grows the file system of a disk that is not attached.
pub(crate) fn offline(file: &Utf8Path, fs: DiskFs, _length: u64) -> Result<()> {
    Err(Error::new(ErrorKind::Unavailable, format!("disk {file} with {fs} cannot be grown here")))
}

/// Grows the mounted file system of a disk to the new length of its file: growfs(8) does that under a mount.
pub(crate) fn online(file: &File, _fs: DiskFs, _root: &OwnedFd, _length: u64) -> Result<()> {
    follow(file)?;
    disk::attached(file)?.iter().try_for_each(|name| growfs(&format!("/dev/{name}")))
}

/// Bytes of a file system that is mounted: growfs(8) writes the superblock itself.
pub(crate) fn length(_fs: DiskFs, _root: &OwnedFd, _device: &Utf8Path) -> Option<u64> {
    None
}

/// Has the devices that show a file notice that it is longer.
pub(crate) fn follow(file: &File) -> Result<()> {
    let length = file.metadata().or_error(|| "cannot look at a disk".into())?.len();
    disk::attached(file)?.iter().try_for_each(|name| memory_device::resize(name, length))
}
