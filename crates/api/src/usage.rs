//! What a container takes of the host's space, and what it may take. It measures nothing.

use serde::{Deserialize, Serialize};

/// What a container takes and may take, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    /// What the container has written, as it sees it itself: of its limit where it has one.
    pub used: u64,
    /// What it can still write; none where only the host's space limits it.
    pub free: Option<u64>,
    /// What it cannot exceed; none where there is no limit.
    pub limit: Option<u64>,
    /// Length of the file that holds it, where there is one: what the host has promised.
    pub apparent: Option<u64>,
    /// What it takes of the host's space.
    pub allocated: u64,
}

impl Usage {
    /// How full it is, in hundredths; none where there is no limit. What a file system cannot give counts as used.
    #[must_use]
    pub fn percent(&self) -> Option<u64> {
        let limit = self.limit.filter(|&limit| limit > 0)?;
        let left = self.free.unwrap_or_else(|| limit.saturating_sub(self.used)).min(limit);
        Some((limit - left).saturating_mul(100) / limit)
    }
}

/// A snapshot of a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// Its name.
    pub name: String,
    /// When it was taken, in seconds since the epoch.
    pub taken: u64,
}
