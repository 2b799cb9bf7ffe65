//! Steps on control groups: cgroups(7), what a container's processes may use together.

use std::fmt;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use crate::{Container, Limits, Plan, Rules, Step};

/// One change to the control groups of the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum GroupStep {
    /// Make a group with limits, in every hierarchy that takes part in them. What the kernel cannot limit is refused,
    /// with the controller that is missing.
    Make {
        /// Its name, which no other group of the host has.
        group: String,
        /// What its processes may use together.
        limits: Limits,
        /// Reads and writes are limited on the disk that this directory lies on.
        directory: Utf8PathBuf,
    },
    /// Remove a group, and end by force what is still in it; one that is gone is fine.
    Remove {
        /// Its name.
        group: String,
        /// The limits it had.
        limits: Limits,
    },
}

impl GroupStep {
    /// The step that takes this one back.
    #[must_use]
    pub fn inverse(&self) -> Option<Self> {
        Some(match self.clone() {
            Self::Make { group, limits, .. } => Self::Remove { group, limits },
            Self::Remove { .. } => return None,
        })
    }
}

impl fmt::Display for GroupStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Make { group, limits, .. } => {
                write!(f, "make control group {group}")?;
                let amounts = [
                    ("cpu", limits.cpu_percent.map(u64::from), " %"),
                    ("memory", limits.memory_bytes, " bytes"),
                    ("processes", limits.processes, ""),
                    ("read", limits.read_bps, " bytes/s"),
                    ("write", limits.write_bps, " bytes/s"),
                ];
                let set = amounts.iter().filter_map(|(name, amount, unit)| Some((name, (*amount)?, unit)));
                set.into_iter().try_for_each(|(name, amount, unit)| write!(f, ", {name} {amount}{unit}"))
            }
            Self::Remove { group, .. } => write!(f, "remove control group {group}"),
        }
    }
}

/// What the processes of a control group use together; `None` where the kernel does not count it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct GroupUsage {
    /// Memory, with what the kernel keeps of files for them, in bytes.
    pub memory_bytes: Option<u64>,
    /// Processes and threads.
    pub processes: Option<u64>,
    /// Processor time since the group was made, in milliseconds.
    pub cpu_millis: Option<u64>,
}

/// The steps of [`crate::Isolation::enclose`] that keep a container to its limits by a control group (Linux).
#[must_use]
pub fn group_steps(container: &Container) -> Plan {
    let limits = container.limits.shared();
    if limits.is_empty() {
        return vec![];
    }
    let (group, directory) = (container.system_name(), container.dir.clone());
    vec![Step::Group(GroupStep::Make { group, limits, directory })]
}

/// `rules` for processes in the group of the container, which is entered where [`group_steps`] made it.
#[must_use]
pub fn in_group(rules: Rules, container: &Container) -> Rules {
    Rules { group: Some(container.system_name()), ..rules }
}
