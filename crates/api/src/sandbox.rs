//! Sandboxes: a process of a container's own whose namespaces hold its mounts, processes and network.
//!
//! A sandbox is started before a container's storage is attached. From then on, until it is stopped, whatever is
//! mounted or changed at or below the container's root happens inside: the host layer sees to it, and no plan needs to
//! say so. Its mounts end with it.

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use crate::{Name, Rules};

/// A sandbox to start: its init waits, in namespaces of its own, for mounts to be made and to be sealed.
///
/// It holds a lock on the file beside the root, `ROOT.init`, for as long as it lives: that is how it is found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SandboxStep {
    /// The container.
    pub container: Name,
    /// Where its root is going to be: a directory of the host's.
    pub root: Utf8PathBuf,
    /// What uname(2) says inside.
    pub host_name: String,
    /// Its network.
    pub network: Network,
    /// Users and groups from 0 on inside are these of the host's; `None` for the same.
    #[serde(default)]
    pub users: Option<IdRange>,
    /// The control group of its init.
    #[serde(default)]
    pub group: Option<String>,
}

/// What a sandbox sees of networks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Network {
    /// The host's own.
    Host,
    /// A loopback interface of its own and nothing else.
    None,
    /// A network namespace that has a name already; ip-netns(8).
    Named {
        /// Its name in `/run/netns`.
        name: String,
    },
}

/// Users and groups of the host's that stand for those inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdRange {
    /// What 0 inside is on the host.
    pub first: u32,
    /// How many there are.
    pub count: u32,
}

/// The last step before programs can run in a sandbox: `/dev`, `/proc` and `/sys` are mounted, the root becomes `/`
/// and nothing of the host's file systems is left to see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SealStep {
    /// The container.
    pub container: Name,
    /// Its root.
    pub root: Utf8PathBuf,
    /// Paths inside that are covered, so that nothing is seen of them.
    pub masked: Vec<Utf8PathBuf>,
    /// Paths inside that cannot be written to.
    pub read_only: Vec<Utf8PathBuf>,
    /// Limit of the shared memory in `/dev/shm`, in bytes.
    pub shared_memory: u64,
    /// `/sys` is mounted, read-only.
    pub sys: bool,
    /// What its init is held to.
    pub rules: Rules,
}

/// The lock that the init of the sandbox with this root holds for as long as it lives: `ROOT.init`, beside the root.
#[must_use]
pub fn sandbox_lock(root: &Utf8Path) -> Utf8PathBuf {
    Utf8PathBuf::from(format!("{root}.init"))
}
