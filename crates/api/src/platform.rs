//! Operating systems by name. Nothing here asks which one is running.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The kernel that qchroot runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    /// Linux.
    Linux,
    /// FreeBSD.
    Freebsd,
}

/// The operating system that a userland was made for; it may differ from the host's kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Brand {
    /// A Linux userland.
    Linux,
    /// A FreeBSD userland.
    Freebsd,
    /// Debian GNU/kFreeBSD: laid out as a Linux userland, made for FreeBSD's kernel.
    Kfreebsd,
}

impl Brand {
    /// The kernel this userland is native to.
    #[must_use]
    pub fn platform(self) -> Platform {
        match self {
            Self::Linux => Platform::Linux,
            Self::Freebsd | Self::Kfreebsd => Platform::Freebsd,
        }
    }

    /// Directories below the root that hold programs and libraries only, the deeper part of `usr` by name: what
    /// becomes the shared part of a base. Those that a userland does not have, or has as a link, stay what they
    /// are.
    ///
    /// Sources: qchroot(8), hier(7) of FreeBSD; the Filesystem Hierarchy Standard 3.0 for Linux.
    #[must_use]
    pub fn shared_paths(self) -> &'static [&'static str] {
        match self {
            Self::Freebsd => &[
                "bin",
                "boot",
                "lib",
                "libexec",
                "rescue",
                "sbin",
                "sys",
                "usr/bin",
                "usr/games",
                "usr/include",
                "usr/lib",
                "usr/lib32",
                "usr/libdata",
                "usr/libexec",
                "usr/sbin",
                "usr/share",
                "usr/tests",
            ],
            Self::Linux | Self::Kfreebsd => &[
                "bin",
                "lib",
                "lib32",
                "lib64",
                "libx32",
                "sbin",
                "usr/bin",
                "usr/games",
                "usr/include",
                "usr/lib",
                "usr/lib32",
                "usr/lib64",
                "usr/libexec",
                "usr/libx32",
                "usr/sbin",
                "usr/share",
            ],
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Linux => "Linux",
            Self::Freebsd => "FreeBSD",
        })
    }
}

impl fmt::Display for Brand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Linux => "Linux",
            Self::Freebsd => "FreeBSD",
            Self::Kfreebsd => "GNU/kFreeBSD",
        })
    }
}
