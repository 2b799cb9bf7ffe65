//! Mounts what is in a disk, and tells whether a mount is that of a disk. It does not choose where it is seen.

use std::fs::File;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{DiskFs, Error, ErrorKind, Result};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsconfig_set_flag, fsconfig_set_string,
    fsmount, fsopen,
};

use super::attach;
use super::elsewhere::only_elsewhere;
use crate::beneath;
use crate::disk::claim::claim;
use crate::disk::content;
use crate::errors::OrError;
use crate::linux::kernel_log::KernelLog;
use crate::linux::loop_device::{self, Loop};
use crate::linux::mount::with_log;

/// The tree of a disk, for a mount that is to be seen; its device is free again when the mount is gone, and every copy of
/// it: a mount namespace that is made meanwhile gets one (mount_namespaces(7)). While such a copy lives on, the same
/// device is mounted again.
///
/// # Errors
/// As [`super::open`].
pub(in crate::linux) fn seen(file: &Utf8Path, fs: DiskFs, read_only: bool) -> Result<OwnedFd> {
    match claim(file, read_only) {
        Err(error) if error.kind() == ErrorKind::Busy => {
            match left_elsewhere(&beneath::open_strictly(file)?)? {
                Some(left) => tree_of(file, &left, fs, read_only, MountAttrFlags::empty()),
                None => Err(error),
            }
        }
        claimed => {
            let shown = shown(file, &claimed?, fs, read_only, true)?;
            tree_of(file, &shown, fs, read_only, MountAttrFlags::empty())
        }
    }
}

/// The device of a mount of this file that is gone here, and lives on as a copy in another mount namespace.
fn left_elsewhere(file: &OwnedFd) -> Result<Option<Loop>> {
    match loop_device::left_by_mount(file)? {
        Some(left) if only_elsewhere(left.path().as_str())? => Ok(Some(left)),
        _ => Ok(None),
    }
}

/// Whether the device that a mount comes from shows this very file; where it is gone, or something else is in its place,
/// one beside it: what is mounted can be unmounted all the same.
pub(in crate::linux) fn shows(file: &Utf8Path, source: &str) -> Result<bool> {
    let Some(number) = number(source) else { return Ok(false) };
    let was_beside = || file.parent().is_some_and(|dir| loop_device::shows_one_of(number, dir));
    match beneath::open_strictly(file) {
        Ok(named) => Ok(loop_device::shows(number, &named) || was_beside()),
        Err(error) if is_replaced(&error) => Ok(was_beside()),
        Err(error) => Err(error),
    }
}

fn is_replaced(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Exists)
}

fn number(source: &str) -> Option<u32> {
    source.strip_prefix("/dev/loop")?.parse().ok()
}

/// A disk that is mounted where it is seen, to wait for the end of its device.
pub(in crate::linux) struct Leaving {
    name: Utf8PathBuf,
    /// None when it is gone or replaced: then nothing needs its device to be free.
    file: Option<OwnedFd>,
    number: Option<u32>,
}

/// What to wait for when the mount that comes from `source` is gone.
pub(in crate::linux) fn leaving(file: &Utf8Path, source: &str) -> Result<Leaving> {
    let named = match beneath::open_strictly(file) {
        Err(error) if is_replaced(&error) => None,
        named => Some(named?),
    };
    Ok(Leaving { name: file.to_owned(), file: named, number: number(source) })
}

impl Leaving {
    /// Returns when its device shows the file no more, or at `end` where it can be mounted again all the same.
    ///
    /// # Errors
    /// `Busy` when it still does at `end`.
    pub(in crate::linux) fn wait(&self, end: Duration) -> Result<()> {
        let (Some(number), Some(file)) = (self.number, &self.file) else { return Ok(()) };
        match loop_device::wait_until_free(number, file, end) {
            Err(error) if error.kind() == ErrorKind::Busy && left_elsewhere(file)?.is_some() => Ok(()),
            free => free.map_err(|error| error.while_doing(format!("cannot detach disk {}", self.name))),
        }
    }
}

/// A device that shows a disk, which was seen to be in order.
///
/// # Errors
/// As [`super::open`].
pub(super) fn shown(path: &Utf8Path, file: &File, fs: DiskFs, read_only: bool, seen: bool) -> Result<Loop> {
    let superblock = content::verify(path, file, fs)?;
    attach(file, read_only, superblock.sector, seen)
        .map_err(|error| error.while_doing(format!("cannot mount disk {path}")))
}

/// The tree of the disk that a device shows, attached nowhere; the device lives as long as the tree. A file system
/// that is mounted already is the same one again.
///
/// # Errors
/// As [`super::open`].
pub(super) fn tree_of(
    path: &Utf8Path,
    shown: &Loop,
    fs: DiskFs,
    read_only: bool,
    restrictions: MountAttrFlags,
) -> Result<OwnedFd> {
    let context = context(fs)?;
    let log = KernelLog::from_now();
    configure(&context, shown, fs, read_only)
        .and_then(|()| fsconfig_create(&context))
        .and_then(|()| fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, restrictions))
        .map_err(|error| refused(&context, shown, log, error, format!("cannot mount disk {path}")))
}

fn context(fs: DiskFs) -> Result<OwnedFd> {
    match fsopen(fs.name(), FsOpenFlags::FSOPEN_CLOEXEC) {
        Err(Errno::NODEV) => {
            let message = format!("this kernel does not have the file system {fs}");
            Err(Error::new(ErrorKind::Unavailable, message))
        }
        context => context.or_error(|| format!("cannot open file system {fs}")),
    }
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
fn refused(context: &OwnedFd, shown: &Loop, log: KernelLog, error: Errno, message: String) -> Error {
    let built = with_log(context, Error::from_io(&error.into(), message));
    let words = log.about(&shown.name());
    let built = match error {
        // Replaying its log writes.
        Errno::ROFS => built.cause("it was not unmounted in order, and is wanted read-only"),
        _ => words.into_iter().fold(built, Error::cause),
    };
    match error {
        Errno::NOMEM | Errno::PERM | Errno::ACCESS | Errno::BUSY | Errno::EXIST => built,
        _ => built.of_kind(ErrorKind::BadData).hint(content::MEND),
    }
}
