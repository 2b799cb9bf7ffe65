//! Disks on loop devices: mounted where nobody sees it, or shown as a device alone. It does not know what is in a file
//! system, nor what a container is.

use std::fs::File;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{DiskFs, Error, ErrorKind, Result};
use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use rustix::fs::{CWD, Mode, OFlags, fsync, openat, syncfs};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsconfig_set_flag, fsconfig_set_string,
    fsmount, fsopen,
};

use super::loop_device::{self, Loop, Shape};
use crate::disk::claim::claim;
use crate::errors::OrError;
use crate::{beneath, clock};

/// How long a device may take to be free again.
const PATIENCE: Duration = Duration::from_secs(5);

/// Bytes of a sector of every disk's device. A disk that is made to be mounted by this module has a sector and block
/// size of no less and no more: `mkfs.ext4 -b 4096`, `mkfs.xfs -s size=4096`, `mkfs.btrfs --sectorsize 4096`.
const SECTOR: u32 = 4096;

/// The devices that show a file.
pub(crate) fn attached(file: impl AsFd) -> Result<Vec<String>> {
    Ok(loop_device::showing(file)?.into_iter().map(|number| format!("loop{number}")).collect())
}

/// How a person sees who shows a file.
pub(crate) fn who_shows(file: &Utf8Path) -> String {
    format!("see `losetup -j {file}`")
}

/// A disk that is mounted where nobody sees it: no mount table has it, and it vanishes with the process.
#[derive(Debug)]
pub(crate) struct OpenDisk {
    name: Utf8PathBuf,
    /// Names the file, to wait for its device.
    file: OwnedFd,
    number: u32,
    tree: OwnedFd,
    path: Utf8PathBuf,
}

impl OpenDisk {
    /// The root of its file system: a path that leads there in this process and in those it starts.
    pub(crate) fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// The root of its file system.
    pub(crate) fn root(&self) -> &OwnedFd {
        &self.tree
    }

    /// Writes everything to the file, unmounts, and waits until the device is free again. What this process still has
    /// open in it must be closed before.
    ///
    /// # Errors
    /// What the kernel says to writing; `Busy` when something still holds it.
    pub(crate) fn close(self) -> Result<()> {
        let Self { name, file, number, tree, path: _ } = self;
        let written = syncfs(&tree).or_error(|| format!("cannot write disk {name}"));
        drop(tree);
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
    let (tree, number) = mount(file, claimed, fs, read_only)?;
    let path = format!("/proc/{}/fd/{}", std::process::id(), tree.as_raw_fd()).into();
    Ok(OpenDisk { name: file.to_owned(), file: named, number, tree, path })
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
    let shown = attach(&claimed, read_only).map_err(|error| error.while_doing(message()))?;
    Ok(Device { name: file.to_owned(), file: named, path: shown.path(), shown })
}

fn attach(file: &File, read_only: bool) -> Result<Loop> {
    loop_device::attach(file, Shape { read_only, sector: SECTOR, direct: true })
}

/// The tree of a disk, for a mount that is to be seen; its device is free again when the mount is gone.
///
/// # Errors
/// As [`open`].
pub(super) fn tree(file: &Utf8Path, fs: DiskFs, read_only: bool) -> Result<OwnedFd> {
    Ok(mount(file, claim(file, read_only)?, fs, read_only)?.0)
}

/// Whether the device that a mount comes from shows this very file.
pub(super) fn shows(file: &Utf8Path, source: &str) -> Result<bool> {
    let file = match beneath::open_strictly(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        file => file?,
    };
    let number = source.strip_prefix("/dev/loop").and_then(|number| number.parse().ok());
    Ok(number.is_some_and(|number| loop_device::shows(number, &file)))
}

/// A disk that is mounted where it is seen, to wait for the end of its device.
pub(super) struct Leaving {
    name: Utf8PathBuf,
    file: OwnedFd,
    numbers: Vec<u32>,
}

/// What to wait for when this disk is unmounted.
pub(super) fn leaving(file: &Utf8Path) -> Result<Leaving> {
    let opened = beneath::open_strictly(file)?;
    let numbers = loop_device::showing(&opened)?;
    Ok(Leaving { name: file.to_owned(), file: opened, numbers })
}

impl Leaving {
    /// Returns when no device shows the file any more.
    ///
    /// # Errors
    /// `Busy` when one still does at `end`.
    pub(super) fn wait(&self, end: Duration) -> Result<()> {
        let free = |&number: &u32| loop_device::wait_until_free(number, &self.file, end);
        self.numbers
            .iter()
            .try_for_each(free)
            .map_err(|error| error.while_doing(format!("cannot detach disk {}", self.name)))
    }
}

/// The tree of a disk, attached nowhere, and the number of its loop device, which lives as long as the tree.
fn mount(path: &Utf8Path, file: File, fs: DiskFs, read_only: bool) -> Result<(OwnedFd, u32)> {
    let message = || format!("cannot mount disk {path}");
    let shown = attach(&file, read_only).map_err(|error| error.while_doing(message()))?;
    let tree = fresh(&shown, fs, read_only).map_err(|error| error.while_doing(message()))?;
    Ok((tree, shown.number()))
}

fn fresh(shown: &Loop, fs: DiskFs, read_only: bool) -> Result<OwnedFd> {
    let context = match fsopen(fs.name(), FsOpenFlags::FSOPEN_CLOEXEC) {
        Err(Errno::NODEV) => {
            let message = format!("this kernel does not have the file system {fs}");
            return Err(Error::new(ErrorKind::Unavailable, message));
        }
        context => context.or_error(|| format!("cannot open file system {fs}"))?,
    };
    configure(&context, shown, fs, read_only)
        .and_then(|()| fsconfig_create(&context))
        .and_then(|()| {
            let restrictions = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV;
            fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, restrictions)
        })
        .map_err(|error| refused(&context, fs, error))
}

fn configure(context: &OwnedFd, shown: &Loop, fs: DiskFs, read_only: bool) -> Result<(), Errno> {
    fsconfig_set_string(context, "source", shown.path().as_str())?;
    if read_only {
        fsconfig_set_flag(context, "ro")?;
    }
    match fs {
        // A disk's own superblock could ask for a panic of the host; ext4(5).
        DiskFs::Ext4 => fsconfig_set_string(context, "errors", "remount-ro"),
        // A copy of a disk has its UUID, and both can be wanted at once; xfs(5).
        DiskFs::Xfs => fsconfig_set_flag(context, "nouuid"),
        _ => Ok(()),
    }
}

/// The kernel's words on a file system that it does not mount.
fn refused(context: &OwnedFd, fs: DiskFs, error: Errno) -> Error {
    let built = Error::from_io(&error.into(), format!("the kernel does not take it as {fs}"));
    super::mount::with_log(context, built).of_kind(ErrorKind::BadData)
}
