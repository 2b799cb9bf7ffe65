//! What a disk in a file is: a file system whose files are kept here while it is not mounted, and in a volume of
//! their own while it is. It knows no steps.

use std::fmt;

use camino::Utf8PathBuf;
use qchroot_api::{DiskFs, DiskInfo};

use super::node::{Body, Inode};
use super::volume::Volumes;

/// Bytes that the tables of every file system take.
const TABLES: u64 = 128 << 10;

/// Bytes of a block.
const BLOCK: u64 = 4096;

/// What can be wrong with a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// It was not unmounted in order.
    Unclean,
    /// Its tables contradict each other; only a full repair mends them.
    Damaged,
    /// The file system in it is none that is known.
    Foreign,
    /// The file was cut off after so many bytes.
    Cut(u64),
    /// Somebody else has attached it to a device.
    Elsewhere,
}

/// A file that holds a file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Disk {
    pub(crate) length: u64,
    /// None when it is none that is known.
    pub(crate) fs: Option<DiskFs>,
    pub(crate) fs_length: u64,
    /// The whole length is taken from the host's space.
    pub(crate) reserved: bool,
    pub(crate) clean: bool,
    pub(crate) damaged: bool,
    /// Somebody else shows it as a device.
    pub(crate) elsewhere: bool,
    /// The volume that has its files while it is mounted.
    pub(crate) volume: Option<u32>,
    /// Its files while it is not mounted, parents first, by their path below the root.
    pub(crate) files: Vec<(Utf8PathBuf, Inode)>,
}

impl Disk {
    /// A file system of these files, as long as asked for, or as they need.
    pub(crate) fn new(fs: DiskFs, length: Option<u64>, mut files: Vec<(Utf8PathBuf, Inode)>) -> Self {
        files.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut disk = Self {
            length: 0,
            fs: Some(fs),
            fs_length: 0,
            reserved: false,
            clean: true,
            damaged: false,
            elsewhere: false,
            volume: None,
            files,
        };
        disk.length = length.unwrap_or_else(|| disk.held().next_multiple_of(BLOCK) + (1 << 20));
        disk.fs_length = disk.length;
        disk
    }

    /// Bytes that its files take while it is not mounted.
    pub(crate) fn held(&self) -> u64 {
        TABLES + self.files.iter().map(|(_, inode)| cost(inode)).sum::<u64>()
    }

    /// Bytes that it takes inside.
    pub(crate) fn used(&self, volumes: &Volumes) -> u64 {
        self.volume.map_or_else(|| self.held(), |volume| TABLES + volumes.used(volume))
    }

    /// Bytes that it takes of the host's space.
    pub(crate) fn allocated(&self, volumes: &Volumes) -> u64 {
        if self.reserved { self.length } else { self.used(volumes) }
    }

    /// How many bytes of files its volume can have.
    pub(crate) fn limit(&self) -> u64 {
        self.fs_length.saturating_sub(TABLES)
    }

    pub(crate) fn is_attached(&self) -> bool {
        self.elsewhere || self.volume.is_some()
    }

    /// What it looks like on a kernel whose devices for files have this name.
    pub(crate) fn info(&self, volumes: &Volumes, device: &str) -> DiskInfo {
        let used = if self.fs.is_some() { self.used(volumes) } else { 0 };
        let own = self.volume.map(|volume| format!("{device}{volume}"));
        DiskInfo {
            length: self.length,
            allocated: self.allocated(volumes),
            fs: self.fs,
            fs_length: self.fs.map_or(0, |_| self.fs_length),
            used,
            free: self.fs.map_or(0, |_| self.fs_length.saturating_sub(used)),
            clean: self.clean,
            attached: own.into_iter().chain(self.elsewhere.then(|| format!("{device}0"))).collect(),
        }
    }

    /// The same after something has gone wrong with it.
    pub(crate) fn with_flaw(mut self, flaw: Flaw) -> Self {
        match flaw {
            Flaw::Unclean => self.clean = false,
            Flaw::Damaged => (self.clean, self.damaged) = (false, true),
            Flaw::Foreign => self.fs = None,
            Flaw::Cut(length) => self.length = length,
            Flaw::Elsewhere => self.elsewhere = true,
        }
        self
    }
}

impl fmt::Display for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fs = self.fs.map_or("unknown", DiskFs::name);
        write!(f, " disk of {} bytes with {fs} of {}", self.length, self.fs_length)?;
        for (set, word) in [
            (self.reserved, "reserved"),
            (!self.clean, "not clean"),
            (self.damaged, "damaged"),
            (self.is_attached(), "attached"),
        ] {
            if set {
                write!(f, ", {word}")?;
            }
        }
        self.files.iter().try_for_each(|(path, inode)| write!(f, "; /{path}: {inode}"))
    }
}

/// Bytes that a file takes in the file system that has it.
pub(crate) fn cost(inode: &Inode) -> u64 {
    let content = match &inode.body {
        Body::Disk(disk) if disk.reserved => disk.length,
        Body::Disk(disk) => disk.held(),
        _ => inode.size(),
    };
    content.next_multiple_of(BLOCK) + 256
}
