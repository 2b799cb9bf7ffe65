//! What the files of a tree need on a new file system. It changes nothing and knows no file system.

use std::collections::HashSet;

use camino::Utf8Path;
use qchroot_api::Result;
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, SeekFrom, Stat, fstat, openat, seek, statat};
use rustix::io::Errno;

use super::space::round_up;
use crate::attributes::{identity, links};
use crate::dir::{self, DEEPEST};
use crate::errors::OrError;
use crate::{beneath, os};

/// The largest target that a symbolic link keeps in its inode.
const SHORT_LINK: u64 = 59;

/// What a tree needs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Need {
    /// Bytes of content and directories, in blocks of 4096; holes take nothing.
    pub(super) bytes: u64,
    /// Files of any kind, one with several names counted once.
    pub(super) files: u64,
}

/// Measures what [`crate::copy::copy_onto`] copies of the tree `top`.
pub(super) fn tree(top: &Utf8Path) -> Result<Need> {
    let root = beneath::open_root(top)?;
    let mount = os::mount::id(&root)?;
    let mut walk = Walk { top, mount, seen: HashSet::new(), need: Need::default() };
    walk.directory(&root, 0)?;
    Ok(walk.need)
}

struct Walk<'a> {
    top: &'a Utf8Path,
    mount: u64,
    seen: HashSet<u64>,
    need: Need,
}

impl Walk<'_> {
    fn directory(&mut self, dir: &OwnedFd, depth: usize) -> Result<()> {
        let top = self.top;
        let message = || format!("cannot measure {top}");
        self.count(u64::try_from(fstat(dir).or_error(message)?.st_size).unwrap_or(0).max(1));
        if depth > DEEPEST {
            return Ok(());
        }
        for entry in dir::entries(dir, top.as_str())? {
            let stat = statat(dir, &entry.name, AtFlags::SYMLINK_NOFOLLOW).or_error(message)?;
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory => {
                    let below = dir::open(dir, &entry.name).or_error(message)?;
                    if os::mount::id(&below)? == self.mount {
                        self.directory(&below, depth + 1)?;
                    } else {
                        self.count(1);
                    }
                }
                kind => self.other(dir, &entry, &stat, kind).or_error(message)?,
            }
        }
        Ok(())
    }

    fn other(
        &mut self,
        dir: &OwnedFd,
        entry: &dir::Entry,
        stat: &Stat,
        kind: FileType,
    ) -> rustix::io::Result<()> {
        if links(stat) > 1 && !self.seen.insert(identity(stat).1) {
            return Ok(());
        }
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        let bytes = match kind {
            FileType::RegularFile if blocks(stat) < size => data(dir, entry, size)?,
            FileType::RegularFile => size,
            FileType::Symlink if size > SHORT_LINK => size,
            _ => 0,
        };
        self.count(bytes);
        Ok(())
    }

    fn count(&mut self, bytes: u64) {
        self.need.files += 1;
        self.need.bytes += round_up(bytes);
    }
}

fn blocks(stat: &Stat) -> u64 {
    u64::try_from(stat.st_blocks).unwrap_or(0) * 512
}

/// Bytes between the holes of a file that is sparse or compressed; lseek(2).
fn data(dir: &OwnedFd, entry: &dir::Entry, size: u64) -> rustix::io::Result<u64> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = openat(dir, &entry.name, flags, Mode::empty())?;
    let (mut at, mut bytes) = (0, 0);
    while at < size {
        let start = match seek(&file, SeekFrom::Data(at)) {
            Ok(start) => start,
            Err(Errno::NXIO) => break,
            Err(_) => return Ok(size),
        };
        let end = seek(&file, SeekFrom::Hole(start))?;
        bytes += round_up(end - start);
        at = end;
    }
    Ok(bytes)
}
