//! Limits that the host's file system itself keeps for some of its directories: project quotas, quotactl(2). It knows no
//! file system's way of storing them.

use std::fmt;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use crate::size_text;

/// One change to a limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum QuotaStep {
    /// Count all that is in some directories as one, and limit it. They keep the number that they are counted under
    /// where they have one of their own; otherwise a free one is found.
    Limit {
        /// The directories, all in one directory.
        dirs: Vec<Utf8PathBuf>,
        /// The limit in bytes, a multiple of 1024; none for no limit.
        bytes: Option<u64>,
        /// The limit before.
        was: Option<u64>,
    },
    /// Lift the limit of a number whose directories are going away.
    Forget {
        /// A directory of that file system.
        on: Utf8PathBuf,
        /// The number.
        project: u32,
    },
}

impl QuotaStep {
    /// The step that takes this one back; `None` where nothing can or needs to.
    #[must_use]
    pub fn inverse(&self) -> Option<Self> {
        match self.clone() {
            Self::Limit { dirs, bytes, was } => Some(Self::Limit { dirs, bytes: was, was: bytes }),
            Self::Forget { .. } => None,
        }
    }
}

impl fmt::Display for QuotaStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all =
            |dirs: &[Utf8PathBuf]| dirs.iter().map(|dir| dir.as_str()).collect::<Vec<_>>().join(" and ");
        match self {
            Self::Limit { dirs, bytes: Some(bytes), .. } => {
                write!(f, "limit {} to {}", all(dirs), size_text(*bytes))
            }
            Self::Limit { dirs, bytes: None, .. } => write!(f, "lift the limit of {}", all(dirs)),
            Self::Forget { on, project } => write!(f, "lift the limit of project {project} on {on}"),
        }
    }
}

/// What a file system with project quotas says of a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// The number that it is counted under; 0 for none.
    pub project: u32,
    /// Bytes that everything of that number takes.
    pub used: u64,
    /// What it cannot exceed; none where there is no limit.
    pub limit: Option<u64>,
}
