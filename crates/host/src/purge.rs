//! Removes stale run files from a container that no process is in: beneath its root, through no link, never across a
//! mount. Which files are stale is told elsewhere.

use std::ffi::CStr;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{ErrorKind, Place, Result, is_stale_after_boot, is_stale_without_processes};
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, FileType, unlinkat};
use rustix::io::Errno;

use crate::dir::{self, Entry};
use crate::errors::OrError;
use crate::remove::retry_without_flags;
use crate::{beneath, os};

/// Directories deeper than this are left as they are.
const DEEPEST: usize = 16;

/// Removes what is stale from the directories `dirs` beneath `root`. One that is not there, is reached through a link,
/// or is on another mount than the root is left alone.
pub(crate) fn purge(root: &Utf8Path, dirs: &[Utf8PathBuf], booted: bool) -> Result<()> {
    let mount = os::mount::id(beneath::open_root(root)?)?;
    let purge = Purge { mount, booted };
    dirs.iter().try_for_each(|path| match beneath::open_dir(&Place::within(root, path)) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Exists) => Ok(()),
        found => purge.clean(&found?, path, 0),
    })
}

struct Purge {
    mount: u64,
    booted: bool,
}

impl Purge {
    fn clean(&self, dir: &OwnedFd, shown: &Utf8Path, depth: usize) -> Result<()> {
        if depth > DEEPEST || os::mount::id(dir)? != self.mount {
            return Ok(());
        }
        for entry in dir::entries(dir, shown.as_str())? {
            let shown = shown.join(entry.shown());
            if entry.kind == FileType::Directory {
                match dir::open(dir, &entry.name) {
                    // It is not what it was a moment ago.
                    Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::MLINK) => {}
                    below => {
                        self.clean(&below.or_error(|| format!("cannot open {shown}"))?, &shown, depth + 1)?
                    }
                }
            } else if self.is_stale(&entry) {
                remove(dir, &entry.name).or_error(|| format!("cannot remove {shown}"))?;
            }
        }
        Ok(())
    }

    fn is_stale(&self, entry: &Entry) -> bool {
        let name = entry.shown();
        match entry.kind {
            FileType::Socket => true,
            FileType::Fifo => self.booted,
            FileType::RegularFile if self.booted => is_stale_after_boot(&name),
            FileType::RegularFile => is_stale_without_processes(&name),
            _ => false,
        }
    }
}

/// What is gone, has become a directory, or cannot be changed at all stays as it is.
fn remove(dir: &OwnedFd, name: &CStr) -> Result<(), Errno> {
    match retry_without_flags(dir, name, || unlinkat(dir, name, AtFlags::empty())) {
        Err(Errno::NOENT | Errno::ISDIR | Errno::PERM | Errno::ROFS) => Ok(()),
        result => result,
    }
}
