//! What a process of a container is held to from its first instruction on. Plain data; the host layer enforces it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a process takes on and gives up on its way inside, beside its user.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Rules {
    /// Capabilities that a process can have at all, by their names in capabilities(7) in small letters and without the
    /// prefix, such as `net_bind_service`; `None` takes none away. Linux.
    #[serde(default)]
    pub capabilities: Option<Vec<String>>,
    /// Programs gain nothing from set-id bits and file capabilities; PR_SET_NO_NEW_PRIVS.
    #[serde(default)]
    pub no_new_privs: bool,
    /// System calls that are refused; `None` filters nothing. Linux.
    #[serde(default)]
    pub syscalls: Option<SyscallRules>,
    /// Limits of each process, by the names of setrlimit(2) in small letters and without the prefix, such as `nofile`.
    #[serde(default)]
    pub process_limits: BTreeMap<String, u64>,
    /// The control group that the processes are in; [`crate::GroupStep`] makes it. Linux.
    #[serde(default)]
    pub group: Option<String>,
}

/// Changes to the list of system calls that a container may not make.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SyscallRules {
    /// Allowed although the list refuses them, by name.
    #[serde(default)]
    pub allow: Vec<String>,
    /// Refused although the list allows them, by name.
    #[serde(default)]
    pub deny: Vec<String>,
}
