//! Processes of one container, each watched before the kernel is asked whose it is, so that no number changes hands between
//! the question and the signal.

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Process, Result};

use super::kernel::Handle;
use super::members;

/// The processes of a container, by its root.
pub(super) struct Members(Utf8PathBuf);

impl Members {
    pub(super) fn of(root: &Utf8Path) -> Self {
        Self(root.canonicalize_utf8().unwrap_or_else(|_| root.to_owned()))
    }

    /// One process, if it is the container's.
    pub(super) fn hold(&self, pid: i32) -> Result<Option<Handle>> {
        let handle = Handle::open(pid)?;
        Ok(handle.filter(|_| members::find(pid).is_some_and(|it| self.owns(&it))))
    }

    /// All of them.
    pub(super) fn all(&self) -> Result<Vec<Handle>> {
        let pids = members::list(&self.0)?.into_iter().map(|process| process.pid);
        pids.filter_map(|pid| self.hold(pid).transpose()).collect()
    }

    fn owns(&self, process: &Process) -> bool {
        !process.zombie && process.root.starts_with(&self.0)
    }
}
