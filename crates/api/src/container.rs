//! What a back end is told about a container and the base it was made from.

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use crate::{Brand, Limits, Name, Options, ReleaseId};

/// One installed release: immutable, shared by every container that is pinned to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    /// Which one.
    pub id: ReleaseId,
    /// The part that is shared read-only: programs and libraries.
    pub sharedfs: Utf8PathBuf,
    /// The part that a container gets a copy of: configuration and everything it may write.
    pub template: Utf8PathBuf,
    /// What the userland was made for.
    pub brand: Brand,
    /// Paths, relative to the root, whose content is in `sharedfs` only, such as `usr/bin`.
    pub shared: Vec<Utf8PathBuf>,
    /// Directories of the host's that belong to the userland, relative to the root, such as `usr/lib`: shown
    /// read-only at the same path inside.
    pub host_dirs: Vec<Utf8PathBuf>,
}

/// One container, as its back ends see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Container {
    /// Its name.
    pub name: Name,
    /// The directory on the host that holds all of its private data; at `create` a staging directory that is
    /// renamed when everything is there.
    pub dir: Utf8PathBuf,
    /// The directory on the host for its logs; it exists while steps are carried out.
    pub log: Utf8PathBuf,
    /// Options of its storage.
    pub storage: Options,
    /// Options of its isolation.
    pub isolation: Options,
    /// What it may use of the machine.
    #[serde(default)]
    pub limits: Limits,
    /// Its isolation mounts a `/dev` of its own, so that the storage may forbid device nodes in what it mounts.
    #[serde(default)]
    pub own_dev: bool,
}

impl Container {
    /// The directory that becomes the container's `/`: `dir/root`.
    #[must_use]
    pub fn root(&self) -> Utf8PathBuf {
        self.dir.join("root")
    }

    /// A name for what the whole host has only one of by a name, such as a jail or a control group: two systems with
    /// different state directories do not share it. It holds the container's name, and a hash of the directory (FNV-1a:
    /// small, and the same in every build).
    #[must_use]
    pub fn system_name(&self) -> String {
        let hash = self.dir.as_str().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        format!("qchroot-{}-{:08x}", self.name, hash >> 32)
    }
}
