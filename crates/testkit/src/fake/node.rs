//! What a file of the in-memory tree is. It knows no names and no mounts.

use camino::Utf8PathBuf;
use qchroot_api::{FileKind, Stat};

use super::disk::Disk;

/// The content of a file by its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Body {
    /// A directory; an opaque one hides what lower layers have in its place.
    Directory {
        opaque: bool,
    },
    File(Vec<u8>),
    /// A regular file that holds a file system.
    Disk(Box<Disk>),
    Link(Utf8PathBuf),
    Device {
        block: bool,
        major: u32,
        minor: u32,
    },
    Fifo,
    /// Hides what lower layers have in its place.
    Whiteout,
}

/// One file with its attributes; hard links are copies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Inode {
    pub(crate) body: Body,
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) mtime: (i64, u32),
    /// What a directory and all below it are counted under; 0 for nothing.
    pub(crate) project: u32,
}

impl Inode {
    pub(crate) fn new(body: Body, mode: u32) -> Self {
        Self { body, mode, uid: 0, gid: 0, mtime: (0, 0), project: 0 }
    }

    pub(crate) fn directory(mode: u32) -> Self {
        Self::new(Body::Directory { opaque: false }, mode)
    }

    pub(crate) fn file(content: impl Into<Vec<u8>>, mode: u32) -> Self {
        Self::new(Body::File(content.into()), mode)
    }

    pub(crate) fn link(to: impl Into<Utf8PathBuf>) -> Self {
        Self::new(Body::Link(to.into()), 0o777)
    }

    pub(crate) fn is_directory(&self) -> bool {
        matches!(self.body, Body::Directory { .. })
    }

    pub(crate) fn size(&self) -> u64 {
        match &self.body {
            Body::File(content) => content.len() as u64,
            Body::Disk(disk) => disk.length,
            Body::Link(to) => to.as_str().len() as u64,
            Body::Directory { .. } | Body::Device { .. } | Body::Fifo | Body::Whiteout => 0,
        }
    }

    /// In words, with an article, for messages.
    pub(crate) fn words(&self) -> &'static str {
        match self.body {
            Body::Directory { .. } => "a directory",
            Body::File(_) | Body::Disk(_) => "a file",
            Body::Link(_) => "a link",
            Body::Device { .. } => "a device",
            Body::Fifo => "a named pipe",
            Body::Whiteout => "nothing",
        }
    }

    pub(crate) fn stat(&self) -> Stat {
        let kind = match self.body {
            Body::Directory { .. } => FileKind::Directory,
            Body::File(_) | Body::Disk(_) => FileKind::File,
            Body::Link(_) => FileKind::Link,
            Body::Device { block: false, .. } => FileKind::CharDevice,
            Body::Device { block: true, .. } | Body::Fifo | Body::Whiteout => FileKind::Other,
        };
        let device = match self.body {
            Body::Device { major, minor, .. } => Some((major, minor)),
            _ => None,
        };
        Stat {
            kind,
            mode: self.mode,
            uid: self.uid,
            gid: self.gid,
            size: self.size(),
            mtime: self.mtime,
            links: 1,
            id: (0, 0),
            device,
        }
    }
}

impl std::fmt::Display for Inode {
    /// Everything but the time, on one line, for snapshots.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:04o} {}:{}", self.words(), self.mode, self.uid, self.gid)?;
        match &self.body {
            Body::File(content) => write!(f, " {:?}", String::from_utf8_lossy(content)),
            Body::Disk(disk) => write!(f, "{disk}"),
            Body::Link(to) => write!(f, " -> {to}"),
            Body::Device { major, minor, .. } => write!(f, " {major}:{minor}"),
            Body::Directory { opaque: true } => f.write_str(" opaque"),
            Body::Directory { opaque: false } | Body::Fifo | Body::Whiteout => Ok(()),
        }
    }
}
