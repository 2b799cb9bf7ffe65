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
