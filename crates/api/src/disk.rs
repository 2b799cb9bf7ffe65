//! Disks: file systems that live in a file of the host's, what can be done to one, and what one looks like.
//!
//! It knows no program that makes or mends a file system, and no device: a disk is named by its file alone.

use std::fmt;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use crate::{Place, Platform};

/// The file system of a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DiskFs {
    /// ext4(5), Linux.
    Ext4,
    /// xfs(5), Linux.
    Xfs,
    /// btrfs(5), Linux.
    Btrfs,
    /// UFS2 with soft updates, FreeBSD; ffs(4).
    Ufs,
}

impl DiskFs {
    /// The kernel's name of it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ext4 => "ext4",
            Self::Xfs => "xfs",
            Self::Btrfs => "btrfs",
            Self::Ufs => "ufs",
        }
    }

    /// The one that `platform` uses unless told otherwise.
    #[must_use]
    pub fn usual(platform: Platform) -> Self {
        match platform {
            Platform::Linux => Self::Ext4,
            Platform::Freebsd => Self::Ufs,
        }
    }

    /// The kernel that mounts it.
    #[must_use]
    pub fn platform(self) -> Platform {
        match self {
            Self::Ext4 | Self::Xfs | Self::Btrfs => Platform::Linux,
            Self::Ufs => Platform::Freebsd,
        }
    }

    /// The smallest disk of it in bytes: mkfs.xfs(8) and mkfs.btrfs(8) refuse less, and in an ext4 or UFS of less
    /// there is no room for a journal and a few files.
    #[must_use]
    pub fn smallest(self) -> u64 {
        let mib = match self {
            Self::Ufs => 8,
            Self::Ext4 => 16,
            Self::Btrfs => 128,
            Self::Xfs => 300,
        };
        mib << 20
    }

    /// The one of that name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        [Self::Ext4, Self::Xfs, Self::Btrfs, Self::Ufs].into_iter().find(|fs| fs.name() == name)
    }
}

impl fmt::Display for DiskFs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What happens to a disk that was not unmounted in order, or is damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DiskCheck {
    /// Put right what can be put right without a choice, as at boot; anything more is refused.
    Preen,
    /// Look at everything and answer yes to every repair.
    Repair,
    /// Refuse whatever was not unmounted in order.
    Refuse,
    /// By hand: look at everything even where it says it is clean, and put right what [`DiskCheck::Preen`] would.
    Full,
}

impl DiskCheck {
    /// The word for it in the option `check`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Preen => "preen",
            Self::Repair => "repair",
            Self::Refuse => "refuse",
            Self::Full => "full",
        }
    }
}

/// One change to a disk that is not in use; only [`DiskStep::Grow`] can also be done to one that is mounted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum DiskStep {
    /// Make the disk that the disks of a base's containers are cloned from: as small as its content allows. One
    /// that is there is taken as it is. It appears whole or not at all, whoever makes it at the same time. It stays
    /// when the plan is taken back: it belongs to the base.
    Template {
        /// Its file; the directory is made when missing.
        at: Utf8PathBuf,
        /// Its file system.
        fs: DiskFs,
        /// The tree that is copied to its root, with owners, modes, times, links, attributes and flags.
        tree: Utf8PathBuf,
        /// Directories that are made beside it, mode 0755, relative to the root.
        dirs: Vec<Utf8PathBuf>,
        /// Links that are made beside it: where, relative to the root, and their targets.
        links: Vec<(Utf8PathBuf, Utf8PathBuf)>,
    },
    /// Copy a disk, sharing blocks where the host's file system can, holes kept; the copy gets an identity (UUID) of
    /// its own and is then grown to `size`. The target does not exist.
    Clone {
        /// What to copy.
        from: Utf8PathBuf,
        /// The copy.
        to: Utf8PathBuf,
        /// Its file system.
        fs: DiskFs,
        /// Its length in bytes, a multiple of 4096.
        size: u64,
        /// Take the whole length from the host's space at once.
        reserve: bool,
    },
    /// Make a disk anew and copy every file of another into it: the way to a smaller one. The target does not exist.
    Rebuild {
        /// What to copy; it is only read.
        from: Utf8PathBuf,
        /// The new disk.
        to: Utf8PathBuf,
        /// The file system of both.
        fs: DiskFs,
        /// Its length in bytes, a multiple of 4096.
        size: u64,
        /// Take the whole length from the host's space at once.
        reserve: bool,
    },
    /// Make a disk and its file system larger, while it is mounted where the kernel can. It can be done again after it
    /// was interrupted, and there is no way back.
    Grow {
        /// Its file.
        at: Utf8PathBuf,
        /// Its file system.
        fs: DiskFs,
        /// Its length before, in bytes.
        from: u64,
        /// Its length after, in bytes, a multiple of 4096.
        to: u64,
        /// Take the whole length from the host's space at once.
        reserve: bool,
        /// Where it is mounted, if it is.
        mounted: Option<Place>,
    },
    /// Look whether the file system is in order, and do as `how` says where it is not. What was found and done is
    /// appended to `log`, whose last line then ends with the word `clean`, or with `repaired`.
    Check {
        /// Its file.
        at: Utf8PathBuf,
        /// Its file system.
        fs: DiskFs,
        /// What to do.
        how: DiskCheck,
        /// A log for people.
        log: Utf8PathBuf,
    },
    /// Remove a disk's file; one that is gone is fine.
    Remove {
        /// Its file.
        at: Utf8PathBuf,
    },
}

impl DiskStep {
    /// The step that takes this one back; `None` where nothing can or needs to.
    #[must_use]
    pub fn inverse(&self) -> Option<Self> {
        match self {
            Self::Clone { to, .. } | Self::Rebuild { to, .. } => Some(Self::Remove { at: to.clone() }),
            Self::Template { .. } | Self::Grow { .. } | Self::Check { .. } | Self::Remove { .. } => None,
        }
    }
}

impl fmt::Display for DiskStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = |reserve: &bool| if *reserve { " reserved" } else { "" };
        match self {
            Self::Template { at, fs, tree, .. } => {
                write!(f, "make {fs} disk {at} of {tree}, if there is none")
            }
            Self::Clone { from, to, fs, size, reserve } => {
                write!(f, "clone {fs} disk {from} to {to} ({size} bytes{})", how(reserve))
            }
            Self::Rebuild { from, to, fs, size, reserve } => {
                write!(f, "make {fs} disk {to} ({size} bytes{}) with the files of {from}", how(reserve))
            }
            Self::Grow { at, fs, from, to, reserve, mounted } => {
                write!(f, "grow {fs} disk {at} from {from} to {to} bytes{}", how(reserve))?;
                mounted.as_ref().map_or(Ok(()), |place| write!(f, " while it is mounted on {place}"))
            }
            Self::Check { at, fs, how, .. } => write!(f, "check {fs} disk {at} ({})", how.word()),
            Self::Remove { at } => write!(f, "remove disk {at}"),
        }
    }
}

/// What a disk's file looks like, by reading it and by asking the kernel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskInfo {
    /// Length of the file in bytes.
    pub length: u64,
    /// Bytes that it takes of the host's space.
    pub allocated: u64,
    /// The file system in it; none when there is none, or one that is not known.
    pub fs: Option<DiskFs>,
    /// Length of the file system in bytes, by its superblock.
    pub fs_length: u64,
    /// Bytes that files and the file system's own tables take inside: by the mount where it is mounted, otherwise by
    /// the superblock.
    pub used: u64,
    /// Bytes that the container's superuser can still write.
    pub free: u64,
    /// Whether it says that it was unmounted in order. True where the file system cannot tell.
    pub clean: bool,
    /// The devices that show it now, such as `loop3` or `md0`.
    pub attached: Vec<String>,
}

/// Space of a mounted file system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Space {
    /// The kernel's name of its type.
    pub fs: String,
    /// Its size in bytes.
    pub total: u64,
    /// Bytes that the superuser can still write.
    pub free: u64,
    /// How many files it can have; 0 where there is no such limit.
    pub files: u64,
    /// How many more files can be made.
    pub files_free: u64,
}
