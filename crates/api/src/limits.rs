//! What a container may use of the machine. Nothing here enforces it; an isolation plans what does.

use serde::{Deserialize, Serialize};

/// Limits of a container as a whole, and of each of its processes; `None` is no limit.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Limits {
    /// Processor time, in percent of one processor: 150 is one and a half.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_percent: Option<u32>,
    /// Memory of all processes together, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Processes and threads together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processes: Option<u64>,
    /// Open files of each process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_files: Option<u64>,
    /// Bytes read from disks in a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_bps: Option<u64>,
    /// Bytes written to disks in a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_bps: Option<u64>,
}

impl Limits {
    /// Whether nothing is limited.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Those of all processes together.
    #[must_use]
    pub fn shared(&self) -> Self {
        Self { open_files: None, ..self.clone() }
    }

    /// These limits without one, by its name in the container's file.
    #[must_use]
    pub fn without(mut self, limit: &str) -> Self {
        match limit {
            "cpu" => self.cpu_percent = None,
            "memory" => self.memory_bytes = None,
            "processes" => self.processes = None,
            "open_files" => self.open_files = None,
            "read" => self.read_bps = None,
            "write" => self.write_bps = None,
            _ => {}
        }
        self
    }
}

/// A limit that this machine cannot keep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unenforced {
    /// Its name in the container's file.
    pub limit: String,
    /// Why not, as a lower-case fragment that names what is missing.
    pub why: String,
    /// What to do about it.
    pub hint: String,
}
