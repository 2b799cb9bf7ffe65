//! Sandboxes: which process is the init of one, and how its files are reached from outside. The kernel's word on who
//! holds the lock beside the root is believed, and nothing else. It does not know what runs inside, nor why.

mod dev;
mod end;
mod file_system;
mod find;
mod join;
mod seal;
mod start;

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Instant;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Error, ErrorKind, Mounted, Result};
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2, stat, statat};

pub(crate) use end::{probe_processes, probe_stopped, stop, stop_processes};
pub(crate) use find::{at, below, mounts_below, of, over};
pub(super) use join::Door;
pub(crate) use seal::{probe as probe_seal, seal};
pub(crate) use start::{probe, start};

use super::kernel::Handle;
use super::namespaces;
use crate::errors::OrError;
use crate::linux::mountinfo;

/// How a directory is opened for reading.
const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// A sandbox whose init lived when it was looked for.
pub(crate) struct Sandbox {
    root: Utf8PathBuf,
    pid: i32,
    init: Handle,
}

impl Sandbox {
    /// The directory of the host's that its root is, or is going to be.
    pub(crate) fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// Opens a directory of the host's, its root or one below, as it is inside.
    pub(crate) fn open(&self, path: &Utf8Path) -> Result<OwnedFd> {
        let failed = || format!("cannot open {path} in its sandbox");
        let top = self.top()?;
        let inside = if self.is_sealed()? { path.strip_prefix(&self.root).unwrap_or(path) } else { path };
        let inside = if inside.as_str().is_empty() { Utf8Path::new(".") } else { inside };
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        loop {
            match openat2(&top, inside.as_str(), DIRECTORY, Mode::empty(), resolve) {
                // A rename somewhere on the machine met a `..` on the way; openat2(2) says to try again.
                Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
                opened => return opened.or_error(failed),
            }
        }
    }

    /// Whether its root is its `/`. Before that, its init has the host's.
    pub(crate) fn is_sealed(&self) -> Result<bool> {
        let failed = || format!("cannot look at the sandbox of {}", self.root);
        let theirs = statat(self.top()?, "", rustix::fs::AtFlags::EMPTY_PATH).or_error(failed)?;
        let ours = stat("/").or_error(failed)?;
        Ok((theirs.st_dev, theirs.st_ino) != (ours.st_dev, ours.st_ino))
    }

    /// The root directory of its init.
    fn top(&self) -> Result<OwnedFd> {
        let path = format!("/proc/{}/root", self.pid);
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let top = openat(CWD, path, flags, Mode::empty());
        let top = top.or_error(|| format!("cannot open the sandbox of {}", self.root));
        self.still_there(top)
    }

    /// Its mount table.
    pub(crate) fn mounts(&self) -> Result<Vec<mountinfo::Line>> {
        self.still_there(mountinfo::of(&self.pid.to_string()))
    }

    /// What is mounted in it, by the id of a mount.
    pub(crate) fn mounted(&self, id: u64) -> Result<Option<Mounted>> {
        Ok(self.mounts()?.into_iter().find(|line| line.id == id).map(|line| line.mounted))
    }

    /// The number of its process namespace; none when it has ended.
    pub(in crate::process) fn namespace(&self) -> Option<u64> {
        let number = namespaces::of(self.pid);
        self.still_there(Ok(number)).ok().flatten()
    }

    /// Its process namespace.
    fn processes(&self) -> Result<OwnedFd> {
        let path = format!("/proc/{}/ns/pid", self.pid);
        let opened = File::open(path).or_error(|| format!("cannot enter the sandbox of {}", self.root));
        self.still_there(opened.map(Into::into))
    }

    /// What was learnt by the number of its init is believed when that is known not to have changed hands meanwhile.
    fn still_there<T>(&self, learnt: Result<T>) -> Result<T> {
        if self.init.wait(Instant::now())? { Err(self.gone()) } else { learnt }
    }

    fn gone(&self) -> Error {
        Error::new(ErrorKind::Busy, format!("the sandbox of {} has ended", self.root))
            .hint("stop the container, and start it again")
    }
}

impl AsFd for Sandbox {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.init.as_fd()
    }
}
