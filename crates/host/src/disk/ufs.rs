//! UFS by the programs of FreeBSD's base system, which want a device.

use camino::Utf8Path;
use qchroot_api::{Command, DiskFs, Result};

use super::file_system::FileSystem;
use super::measure::Need;
use super::tools;
use crate::{command, os};

const MIB: u64 = 1 << 20;

/// Bytes for each file that newfs(8) takes of itself: two fragments of 4096.
const DENSITY: u64 = 8192;

/// One fragment: newfs(8) takes what is less for that.
const LEAST_DENSITY: u64 = 4096;

/// What growfs(8) says where the new space holds nothing but the tables of a new group.
const NO_NEW_GROUP: &str = "not enough new space";

/// See the module.
pub(super) struct Ufs;

impl FileSystem for Ufs {
    fn length_for(&self, need: &Need) -> u64 {
        let bytes = need.bytes + need.bytes / 8 + need.files * 1024 + 6 * MIB;
        bytes.next_multiple_of(MIB).max(DiskFs::Ufs.smallest())
    }

    fn make(&self, new: &Utf8Path, length: u64, need: &Need) -> Result<()> {
        // Soft updates; no directory for snapshots; nothing kept back from who was given all of it.
        let mut words = vec!["newfs".to_owned(), "-U".into(), "-n".into(), "-m".into(), "0".into()];
        let density = density(length, need);
        if density < DENSITY {
            words.extend(["-i".into(), density.to_string()]);
        }
        on_device(new, |device| {
            tools::run_well(&Command::new(words.into_iter().chain([device.to_owned()]))).map(drop)
        })
    }

    /// Mounts tell file systems apart by numbers that the kernel makes unique.
    fn renew(&self, _copy: &Utf8Path, _grows: bool) -> Result<()> {
        Ok(())
    }

    fn grow(&self, file: &Utf8Path, _length: u64, _reserve: bool) -> Result<()> {
        on_device(file, growfs)
    }

    fn grows_in_place(&self) -> bool {
        false
    }
}

/// Bytes for each file, where newfs(8) would make too few.
fn density(length: u64, need: &Need) -> u64 {
    let files = need.files + need.files / 8 + 64;
    (length / files).clamp(LEAST_DENSITY, DENSITY)
}

fn on_device(file: &Utf8Path, work: impl FnOnce(&str) -> Result<()>) -> Result<()> {
    let device = os::disk::device(file, false)?;
    let done = work(device.path().as_str());
    let closed = device.close();
    done.and(closed)
}

/// Makes the file system on a device, mounted or not, as long as the device. It is not interrupted by the death of
/// this process: while it is at work the kernel holds every write to that file system.
pub(crate) fn growfs(device: &str) -> Result<()> {
    let command = tools::command(&["growfs", "-y", device]);
    let output = command::run_unbroken(&command)?;
    match output.status {
        0 => Ok(()),
        // What is left holds no more than the tables of another group; it has changed nothing.
        3 if output.stderr.contains(NO_NEW_GROUP) => Ok(()),
        status => Err(output
            .stderr
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .fold(tools::ended(&command, status), qchroot_api::Error::cause)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_for_many_small_files_gets_as_many_inodes() {
        let need = |files| Need { bytes: 0, files };
        assert_eq!(density(64 << 20, &need(100)), DENSITY);
        assert_eq!(density(64 << 20, &need(10_000)), 5931);
        assert_eq!(density(8 << 20, &need(100_000)), LEAST_DENSITY);
    }
}
