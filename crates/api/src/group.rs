//! Steps on control groups: cgroups(7), what a container's processes may use together.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Limits;

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
    },
    /// Remove a group that has no process any more; one that is gone is fine.
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
            Self::Make { group, limits } => Self::Remove { group, limits },
            Self::Remove { .. } => return None,
        })
    }
}

impl fmt::Display for GroupStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Make { group, limits } => {
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
