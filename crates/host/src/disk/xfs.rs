//! XFS by the programs of xfsprogs and, to grow, by the kernel.

use camino::Utf8Path;
use qchroot_api::{DiskFs, Result};

use super::file_system::FileSystem;
use super::measure::Need;
use super::{space, tools};
use crate::os;

const MIB: u64 = 1 << 20;

/// Growing adds allocation groups of the size of the first: with more than this times as many, everything that
/// visits them all becomes slow.
const MOST_TIMES: u64 = 16;

/// See the module.
pub(super) struct Xfs;

impl FileSystem for Xfs {
    fn length_for(&self, need: &Need) -> u64 {
        // A log of 64 MiB, and an inode of 512 bytes for each file.
        let bytes = need.bytes + need.bytes / 8 + need.files * 512 + 96 * MIB;
        bytes.next_multiple_of(MIB).max(DiskFs::Xfs.smallest())
    }

    fn make(&self, new: &Utf8Path, _length: u64, _need: &Need) -> Result<()> {
        // The sectors are those of the devices that show disks.
        let words = ["mkfs.xfs", "-q", "-f", "-K", "-s", "size=4096", new.as_str()];
        tools::run_well(&tools::command(&words)).map(drop)
    }

    fn renew(&self, copy: &Utf8Path, _grows: bool) -> Result<()> {
        let words = ["xfs_db", "-x", "-c", "uuid generate", copy.as_str()];
        tools::run_well(&tools::command(&words))?;
        // It has filled the log with zeros.
        space::give_back_holes(copy)
    }

    fn grow(&self, file: &Utf8Path, length: u64, _reserve: bool) -> Result<()> {
        os::disk_grow::offline(file, DiskFs::Xfs, length)
    }

    fn grows_in_place(&self) -> bool {
        true
    }

    fn grows_well(&self, from: u64, to: u64) -> bool {
        to / MOST_TIMES <= from
    }
}
