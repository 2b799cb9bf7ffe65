//! How much of the disk a tree takes. It changes nothing.

use std::collections::HashSet;

use camino::Utf8Path;
use qchroot_api::Result;
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, FileType, Stat, fstat, statat};
use rustix::io::Errno;

use crate::attributes::identity;
use crate::errors::OrError;
use crate::{beneath, dir};

/// What lies deeper is not counted, so that no tree is too deep for descriptors and stack.
const DEEPEST: usize = 200;

/// Bytes of `st_blocks`, a file with several names counted once; 0 when there is no such tree or file. What vanishes
/// meanwhile does not count.
pub(crate) fn disk_usage(at: &Utf8Path) -> Result<u64> {
    match rustix::fs::lstat(at.as_str()) {
        Err(Errno::NOENT) => return Ok(0),
        Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile => {
            return Ok(u64::try_from(stat.st_blocks).unwrap_or(0) * 512);
        }
        _ => {}
    }
    let top = beneath::open_root(at)?;
    let stat = fstat(&top).or_error(|| format!("cannot look at {at}"))?;
    let mut count = Count { device: identity(&stat).0, seen: HashSet::new(), bytes: 0 };
    count.add(&stat);
    count.directory(&top, 0, at)?;
    Ok(count.bytes)
}

struct Count {
    device: u64,
    seen: HashSet<u64>,
    bytes: u64,
}

impl Count {
    fn directory(&mut self, dir: &OwnedFd, depth: usize, at: &Utf8Path) -> Result<()> {
        for entry in dir::entries(dir, at.as_str())? {
            let stat = match statat(dir, &entry.name, AtFlags::SYMLINK_NOFOLLOW) {
                Err(Errno::NOENT) => continue,
                stat => stat.or_error(|| format!("cannot look at {at}"))?,
            };
            if !self.add(&stat)
                || FileType::from_raw_mode(stat.st_mode) != FileType::Directory
                || depth == DEEPEST
            {
                continue;
            }
            if let Ok(below) = dir::open(dir, &entry.name) {
                self.directory(&below, depth + 1, at)?;
            }
        }
        Ok(())
    }

    /// Counts a file; false when it is on another file system.
    fn add(&mut self, stat: &Stat) -> bool {
        let (device, number) = identity(stat);
        if device != self.device {
            return false;
        }
        let is_directory = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
        if is_directory || stat.st_nlink < 2 || self.seen.insert(number) {
            self.bytes += u64::try_from(stat.st_blocks).unwrap_or(0) * 512;
        }
        true
    }
}
