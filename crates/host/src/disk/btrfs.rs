//! Btrfs by the programs of btrfs-progs and, to grow, by the kernel.

use camino::Utf8Path;
use qchroot_api::{DiskFs, Result};

use super::file_system::FileSystem;
use super::measure::Need;
use super::tools;
use crate::os;

const MIB: u64 = 1 << 20;

/// The kernel gives no Btrfs another length that is smaller than this; `btrfs_ioctl_resize()` in fs/btrfs/ioctl.c.
const GROWS_TO_AT_LEAST: u64 = 256 * MIB;

/// See the module.
pub(super) struct Btrfs;

impl FileSystem for Btrfs {
    fn length_for(&self, need: &Need) -> u64 {
        // Tables are kept twice, and space is given to them and to files in large pieces.
        let bytes = need.bytes + need.bytes / 4 + need.files * 1024 + 96 * MIB;
        bytes.next_multiple_of(MIB).max(DiskFs::Btrfs.smallest())
    }

    fn make(&self, new: &Utf8Path, _length: u64, _need: &Need) -> Result<()> {
        let words = ["mkfs.btrfs", "-q", "-f", "-K", "--sectorsize", "4096", new.as_str()];
        tools::run_well(&tools::command(&words)).map(drop)
    }

    fn renew(&self, copy: &Utf8Path, _grows: bool) -> Result<()> {
        // Changes the superblocks alone; btrfstune(8).
        tools::run_well(&tools::command(&["btrfstune", "-f", "-m", copy.as_str()])).map(drop)
    }

    fn grow(&self, file: &Utf8Path, length: u64, _reserve: bool) -> Result<()> {
        os::disk_grow::offline(file, DiskFs::Btrfs, length)
    }

    fn grows_in_place(&self) -> bool {
        true
    }

    fn grows_to_at_least(&self) -> u64 {
        GROWS_TO_AT_LEAST
    }

    fn grows_well(&self, _from: u64, to: u64) -> bool {
        to >= GROWS_TO_AT_LEAST
    }
}
