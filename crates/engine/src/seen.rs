//! What a walk over a tree sees, one value for each file. It knows neither bases nor containers.

use std::path::PathBuf;

use qchroot_api::Access;

/// How closely [`crate::Host::survey`] looks at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Care {
    /// Not at all, nor at what is below.
    Skip,
    /// At what it is; what is below is skipped.
    Note,
    /// At what it is and at what is below.
    Enter,
    /// The same, and the content of a file is hashed.
    Digest,
}

/// One file of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its path below the top; need not be UTF-8.
    pub path: PathBuf,
    /// What it is.
    pub kind: SeenKind,
    /// Owner and mode.
    pub access: Access,
    /// BSD file flags by name, as in mtree(5), such as `schg,uarch`.
    pub flags: Option<String>,
    /// Extended attributes of directories, and of files whose content was hashed: name and value.
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
}

/// What a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SeenKind {
    /// A directory.
    Directory,
    /// A regular file.
    File {
        /// Length in bytes.
        size: u64,
        /// SHA-256 of its content, hex, where that was asked for.
        sha256: Option<String>,
    },
    /// A symbolic link.
    Link {
        /// Its target as it is stored.
        to: PathBuf,
    },
    /// A device node.
    Device {
        /// A block device rather than a character device.
        block: bool,
        /// Major number.
        major: u32,
        /// Minor number.
        minor: u32,
    },
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
}

/// Extended attributes that overlayfs keeps for itself in its upper layer; its documentation in the kernel.
const OVERLAY: &[u8] = b"trusted.overlay.";

impl Seen {
    /// Whether it is a directory.
    #[must_use]
    pub fn is_directory(&self) -> bool {
        self.kind == SeenKind::Directory
    }

    /// Whether it is overlayfs' mark of a file that was removed: a character device 0:0.
    pub(crate) fn is_whiteout(&self) -> bool {
        self.kind == SeenKind::Device { block: false, major: 0, minor: 0 }
    }

    /// Whether it is a directory of an overlayfs layer that hides those below it.
    pub(crate) fn is_opaque(&self) -> bool {
        self.xattrs.iter().any(|(name, value)| name == b"trusted.overlay.opaque" && value == b"y")
    }

    /// Whether a program could not tell the two apart but by times. A link's mode means nothing.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let plain = |seen: &Self| {
            let own = seen.xattrs.iter().filter(|(name, _)| !name.starts_with(OVERLAY));
            let mut own: Vec<_> = own.cloned().collect();
            own.sort();
            own
        };
        let is_link = matches!(self.kind, SeenKind::Link { .. });
        let access = |seen: &Self| Access { mode: if is_link { 0 } else { seen.access.mode }, ..seen.access };
        self.kind == other.kind && access(self) == access(other) && plain(self) == plain(other)
    }
}
