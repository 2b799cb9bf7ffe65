//! UFS by the programs of FreeBSD's base system, which want a device.

use camino::Utf8Path;
use qchroot_api::{Command, DiskFs, Result};

use super::file_system::FileSystem;
use super::measure::Need;
use super::tools;
use crate::os;

const MIB: u64 = 1 << 20;

/// See the module.
pub(super) struct Ufs;

impl FileSystem for Ufs {
    fn length_for(&self, need: &Need) -> u64 {
        let bytes = need.bytes + need.bytes / 8 + need.files * 1024 + 6 * MIB;
        bytes.next_multiple_of(MIB).max(DiskFs::Ufs.smallest())
    }

    fn make(&self, new: &Utf8Path, _length: u64, _need: &Need) -> Result<()> {
        // Soft updates; no directory for snapshots; nothing kept back from who was given all of it.
        on_device(new, |device| tools::command(&["newfs", "-U", "-n", "-m", "0", device]))
    }

    /// Mounts tell file systems apart by numbers that the kernel makes unique.
    fn renew(&self, _copy: &Utf8Path, _grows: bool) -> Result<()> {
        Ok(())
    }

    fn grow(&self, file: &Utf8Path, _length: u64, _reserve: bool) -> Result<()> {
        on_device(file, |device| tools::command(&["growfs", "-y", device]))
    }

    fn grows_in_place(&self) -> bool {
        false
    }
}

fn on_device(file: &Utf8Path, command: impl FnOnce(&str) -> Command) -> Result<()> {
    let device = os::disk::device(file, false)?;
    let done = tools::run_well(&command(device.path().as_str()));
    let closed = device.close();
    done.and(closed)
}
