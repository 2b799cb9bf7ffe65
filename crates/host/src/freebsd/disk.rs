//! Disks on memory devices, md(4). It does not know what is in a file system, nor what a container is.

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{DiskFs, Error, ErrorKind, Result};
use rustix::fd::{AsFd, OwnedFd};

/// The devices that show a file.
pub(crate) fn attached(_file: impl AsFd) -> Result<Vec<String>> {
    Err(not_yet())
}

/// How a person sees who shows a file.
pub(crate) fn who_shows(file: &Utf8Path) -> String {
    format!("see `mdconfig -lv -f {file}`")
}

/// A disk that is mounted in a private directory.
#[derive(Debug)]
pub(crate) struct OpenDisk {
    tree: OwnedFd,
    path: Utf8PathBuf,
}

impl OpenDisk {
    /// The root of its file system.
    pub(crate) fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// The root of its file system.
    pub(crate) fn root(&self) -> &OwnedFd {
        &self.tree
    }

    /// Unmounts and detaches.
    pub(crate) fn close(self) -> Result<()> {
        Err(not_yet())
    }
}

/// Mounts a disk in a private directory, with no set-id bit in force.
pub(crate) fn open(_file: &Utf8Path, _fs: DiskFs, _read_only: bool) -> Result<OpenDisk> {
    Err(not_yet())
}

/// A file shown as a block device while this lives.
#[derive(Debug)]
pub(crate) struct Device {
    path: Utf8PathBuf,
}

impl Device {
    /// The device's node.
    pub(crate) fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Detaches.
    pub(crate) fn close(self) -> Result<()> {
        Err(not_yet())
    }
}

/// Shows a file as a device.
pub(crate) fn device(_file: &Utf8Path, _read_only: bool) -> Result<Device> {
    Err(not_yet())
}

fn not_yet() -> Error {
    Error::new(ErrorKind::Unavailable, "disks cannot be attached here yet")
}
