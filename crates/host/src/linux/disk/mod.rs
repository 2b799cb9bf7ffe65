//! Disks on loop devices: mounted where nobody sees it, or shown as a device alone. It does not know what is in a file
//! system, nor what a container is.

mod elsewhere;
mod mount;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{DiskFs, Result};
use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use rustix::fs::{CWD, Mode, OFlags, fsync, openat, syncfs};
use rustix::io::Errno;
use rustix::mount::MountAttrFlags;

use super::loop_device::{self, Loop, Shape};
use crate::clock;
use crate::disk::claim::claim;
use crate::disk::content;
use crate::errors::OrError;
use crate::superblock::Content;
pub(super) use mount::{leaving, seen, shows};

/// How long a device may take to be free again.
const PATIENCE: Duration = Duration::from_secs(5);

/// Bytes of a sector of a disk's device, where the file system in it has none smaller: the block of nearly every file
/// system that the file is on, so that direct I/O needs no reading before writing. A disk is best made so that it has
/// none smaller: `mkfs.ext4 -b 4096`, `mkfs.xfs -s size=4096` (of itself mkfs.xfs takes 512 for a file), Btrfs as it is.
const SECTOR: u32 = 4096;

/// The devices that show a file.
pub(crate) fn attached(file: impl AsFd) -> Result<Vec<String>> {
    Ok(loop_device::showing(file)?.into_iter().map(loop_device::name).collect())
}

/// The devices that show a file and are in use: all of them, the kernel clears those that nobody uses.
pub(crate) fn in_use(file: impl AsFd) -> Result<Vec<String>> {
    attached(file)
}

/// How a person sees who shows a file.
pub(crate) fn who_shows(file: &Utf8Path) -> String {
    format!("see `losetup -j {file}`; `grep loopN /proc/*/mountinfo` tells who has it mounted")
}

/// Frees what a dead process left: nothing, the kernel does.
#[expect(clippy::unnecessary_wraps, reason = "on FreeBSD it can fail")]
pub(crate) fn forget_left(_file: impl AsFd) -> Result<()> {
    Ok(())
}

/// A disk that is mounted where nobody sees it: no mount table has it, and it vanishes with the process.
#[derive(Debug)]
pub(crate) struct OpenDisk {
    name: Utf8PathBuf,
    /// Names the file, to wait for its device.
    file: OwnedFd,
    number: u32,
    /// The mount is gone when the last of these is closed.
    tree: OwnedFd,
    root: OwnedFd,
    path: Utf8PathBuf,
}

impl OpenDisk {
    /// The root of its file system: a path that leads there in this process and in those it starts.
    pub(crate) fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// The root of its file system, open for reading.
    pub(crate) fn root(&self) -> &OwnedFd {
        &self.root
    }

    /// Writes everything to the file, unmounts, and waits until the device is free again. What this process still has
    /// open in it must be closed before.
    ///
    /// # Errors
    /// What the kernel says to writing; `Busy` when something still holds it.
    pub(crate) fn close(self) -> Result<()> {
        let Self { name, file, number, tree, root, path: _ } = self;
        let written = syncfs(&root).or_error(|| format!("cannot write disk {name}"));
        drop((tree, root));
        let end = clock::steady() + PATIENCE;
        let free = loop_device::wait_until_free(number, &file, end);
        written.and(free.map_err(|error| error.while_doing(format!("cannot detach disk {name}"))))
    }
}

/// Mounts a disk where nobody sees it, with no set-id bit and no device node in force.
///
/// # Errors
/// As [`claim`]; `Unavailable` where there is no loop device or no such file system, `BadData` for what the kernel cannot
/// read.
pub(crate) fn open(file: &Utf8Path, fs: DiskFs, read_only: bool) -> Result<OpenDisk> {
    let message = || format!("cannot open disk {file}");
    let claimed = claim(file, read_only)?;
    let named = name_again(&claimed).or_error(message)?;
    let restrictions = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV;
    let shown = mount::shown(file, &claimed, fs, read_only, false)?;
    let (tree, number) = (mount::tree_of(file, &shown, fs, read_only, restrictions)?, shown.number());
    let root = openat(&tree, ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
    let root = root.or_error(message)?;
    let path = format!("/proc/{}/fd/{}", std::process::id(), root.as_raw_fd()).into();
    Ok(OpenDisk { name: file.to_owned(), file: named, number, tree, root, path })
}

/// Another descriptor that names an open file without keeping it open.
fn name_again(file: &File) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    openat(CWD, format!("/proc/self/fd/{}", file.as_raw_fd()), flags, Mode::empty())
}

/// A file shown as a block device while this lives.
#[derive(Debug)]
pub(crate) struct Device {
    name: Utf8PathBuf,
    file: OwnedFd,
    shown: Loop,
    path: Utf8PathBuf,
}

impl Device {
    /// The device's node.
    pub(crate) fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Writes what is still to be written, and waits until the device is free again.
    ///
    /// # Errors
    /// As [`OpenDisk::close`].
    pub(crate) fn close(self) -> Result<()> {
        let Self { name, file, shown, path: _ } = self;
        let number = shown.number();
        let written = fsync(shown.device()).or_error(|| format!("cannot write disk {name}"));
        drop(shown);
        let free = loop_device::wait_until_free(number, &file, clock::steady() + PATIENCE);
        written.and(free.map_err(|error| error.while_doing(format!("cannot detach disk {name}"))))
    }
}

/// Shows a file as a block device for programs that want one; what is in it does not matter.
///
/// # Errors
/// As [`claim`]; `Unavailable` where there is no loop device.
pub(crate) fn device(file: &Utf8Path, read_only: bool) -> Result<Device> {
    let message = || format!("cannot attach disk {file}");
    let claimed = claim(file, read_only)?;
    let named = name_again(&claimed).or_error(message)?;
    let sector = match content::read(file, &claimed)? {
        Content::Sound(superblock) => superblock.sector,
        _ => SECTOR,
    };
    let shown = attach(&claimed, read_only, sector, false).map_err(|error| error.while_doing(message()))?;
    Ok(Device { name: file.to_owned(), file: named, path: shown.path(), shown })
}

fn attach(file: &File, read_only: bool, sector: u32, seen: bool) -> Result<Loop> {
    loop_device::attach(file, Shape { read_only, sector, direct: true, seen })
}
