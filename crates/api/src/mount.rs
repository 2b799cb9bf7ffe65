//! Mount entries: what is to be mounted, and what the kernel says is mounted.

use std::fmt;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use crate::{DiskFs, Place};

/// A mount to make. The host layer never follows a link at `at`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mount {
    /// The directory to cover; the file, where a file covers it.
    pub at: Place,
    /// What covers it.
    pub fs: MountFs,
    /// No writes through this mount.
    #[serde(default)]
    pub read_only: bool,
    /// Set-id bits mean nothing on this mount.
    #[serde(default)]
    pub nosuid: bool,
    /// Device nodes mean nothing on this mount.
    #[serde(default)]
    pub nodev: bool,
    /// Nothing can be executed from this mount.
    #[serde(default)]
    pub noexec: bool,
}

impl Mount {
    /// A mount without restrictions.
    #[must_use]
    pub fn new(at: Place, fs: MountFs) -> Self {
        Self { at, fs, read_only: false, nosuid: false, nodev: false, noexec: false }
    }

    /// The same, read-only.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// The same, with the three restrictions that suit a file system of the kernel's own.
    #[must_use]
    pub fn restricted(mut self) -> Self {
        (self.nosuid, self.nodev, self.noexec) = (true, true, true);
        self
    }
}

/// The file system of a mount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum MountFs {
    /// A directory of the host's shown a second time: nullfs(5) on FreeBSD, a bind mount on Linux.
    Null {
        /// The host's directory.
        source: Utf8PathBuf,
    },
    /// A file of the host's shown a second time, over another file: nullfs(5) on FreeBSD since 14.0, a bind mount
    /// on Linux.
    File {
        /// The host's file; links to it are followed.
        source: Utf8PathBuf,
    },
    /// Linux overlayfs.
    Overlay {
        /// Read-only layers, the uppermost first.
        lower: Vec<Utf8PathBuf>,
        /// The layer that takes the changes.
        upper: Utf8PathBuf,
        /// Overlayfs' work directory, on the same file system as `upper`.
        work: Utf8PathBuf,
    },
    /// FreeBSD devfs(5).
    Dev {
        /// The rule set that hides unsafe nodes; the host layer refuses one that is not loaded.
        ruleset: u32,
    },
    /// Linux devpts, a new instance.
    Pts,
    /// procfs. On Linux it shows the process namespace of the process that mounts it.
    Proc,
    /// FreeBSD linprocfs(5): procfs as Linux programs expect it.
    LinuxProc,
    /// FreeBSD linsysfs(5): a small part of Linux' sysfs.
    LinuxSys,
    /// FreeBSD fdescfs(5).
    Fdesc {
        /// Its entries are links to the open files, as Linux programs expect.
        links: bool,
    },
    /// A file system in memory.
    Tmp {
        /// Limit in bytes.
        size: u64,
        /// Mode of its root directory.
        mode: u32,
    },
    /// A disk: a file system in a file. Mounting attaches the file to a device, unmounting detaches it; a process that
    /// dies in between leaves no device behind. The file is a regular one of the superuser's, reached without
    /// following a link, and attached nowhere yet.
    Disk {
        /// The file.
        file: Utf8PathBuf,
        /// Its file system.
        fs: DiskFs,
    },
    /// A data set of ZFS whose `mountpoint` is `legacy`; zfsprops(7).
    Zfs {
        /// Its name, such as `tank/qchroot/web`.
        dataset: String,
    },
    /// A mount that somebody else made; it can be unmounted and nothing else.
    Foreign {
        /// The kernel's name of the file system type.
        name: String,
    },
}

impl MountFs {
    /// The name of the file system's type in the kernel's terms; bind mounts on Linux have none of their own.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Null { .. } | Self::File { .. } => "nullfs",
            Self::Overlay { .. } => "overlay",
            Self::Dev { .. } => "devfs",
            Self::Pts => "devpts",
            Self::Proc => "proc",
            Self::LinuxProc => "linprocfs",
            Self::LinuxSys => "linsysfs",
            Self::Fdesc { .. } => "fdescfs",
            Self::Tmp { .. } => "tmpfs",
            Self::Disk { fs, .. } => fs.name(),
            Self::Zfs { .. } => "zfs",
            Self::Foreign { name } => name,
        }
    }
}

impl fmt::Display for Mount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.fs.name())?;
        match &self.fs {
            MountFs::Null { source } | MountFs::File { source } => write!(f, " {source}")?,
            MountFs::Overlay { lower, upper, .. } => {
                write!(f, " {upper}")?;
                lower.iter().try_for_each(|layer| write!(f, " over {layer}"))?;
            }
            MountFs::Disk { file, .. } => write!(f, " disk {file}")?,
            MountFs::Zfs { dataset } => write!(f, " {dataset}")?,
            MountFs::Dev { ruleset } => write!(f, " with rule set {ruleset}")?,
            MountFs::Tmp { size, .. } => write!(f, " of {size} bytes")?,
            MountFs::Fdesc { links: true } => write!(f, " with links")?,
            _ => {}
        }
        write!(f, " on {}", self.at)?;
        let flags: Vec<&str> = [
            (self.read_only, "read-only"),
            (self.nosuid, "nosuid"),
            (self.nodev, "nodev"),
            (self.noexec, "noexec"),
        ]
        .iter()
        .filter_map(|&(set, name)| set.then_some(name))
        .collect();
        if flags.is_empty() { Ok(()) } else { write!(f, " ({})", flags.join(", ")) }
    }
}

/// One line of the kernel's mount table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mounted {
    /// Where, as the host sees it.
    pub at: Utf8PathBuf,
    /// The kernel's name of the file system type.
    pub fs: String,
    /// What is mounted: a device, a directory, a label.
    pub source: String,
    /// No writes through this mount.
    pub read_only: bool,
}
