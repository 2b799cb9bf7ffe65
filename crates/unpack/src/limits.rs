//! Bounds against archives that are made to do harm. It knows numbers only.

use qchroot_api::{Error, ErrorKind, Result};

/// How much an archive may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes after decompression, and bytes of all files together with holes counted.
    pub total_bytes: u64,
    /// Entries.
    pub entries: u64,
    /// Bytes after decompression for each byte before; applied once 64 MiB have come out.
    pub expansion: u64,
}

impl Default for Limits {
    /// 256 GiB, four million entries, 400 to one: a complete system with its sources is far below.
    fn default() -> Self {
        Self { total_bytes: 256 << 30, entries: 4_000_000, expansion: 400 }
    }
}

/// Below this, a good ratio is no sign of harm: a small archive of zeros is just that.
const EXPANSION_COUNTS_FROM: u64 = 64 << 20;

impl Limits {
    /// Refuses more entries or more bytes of files than allowed.
    pub(crate) fn check(&self, entries: u64, total: u64) -> Result<()> {
        if entries > self.entries {
            return Err(too_much(format!("archive has more than {} entries", self.entries)));
        }
        if total > self.total_bytes {
            return Err(too_much(format!("files take more than {} bytes", self.total_bytes)));
        }
        Ok(())
    }

    /// Refuses a stream that grows more than allowed.
    pub(crate) fn check_stream(&self, before: u64, after: u64) -> Result<()> {
        if after > self.total_bytes {
            return Err(too_much(format!("archive decompresses to more than {} bytes", self.total_bytes)));
        }
        if after > EXPANSION_COUNTS_FROM && after / before.max(1) > self.expansion {
            return Err(too_much(format!(
                "archive decompresses to more than {} times its size",
                self.expansion
            )));
        }
        Ok(())
    }
}

fn too_much(message: String) -> Error {
    Error::new(ErrorKind::BadData, message)
}
