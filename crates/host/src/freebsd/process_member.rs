//! Processes of one container. A number can change hands between the question and the signal: this system has no
//! descriptor for a process that is not a child; the question is asked last.

use camino::{Utf8Path, Utf8PathBuf};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use qchroot_api::Result;

use super::members;
use crate::errors::OrError;

/// The processes of a container, by its root.
pub(super) struct Members(Utf8PathBuf);

/// One of them.
pub(super) struct Member(i32);

impl Members {
    pub(super) fn of(root: &Utf8Path) -> Self {
        Self(root.to_owned())
    }

    /// One process, if it is the container's.
    pub(super) fn hold(&self, pid: i32) -> Result<Option<Member>> {
        Ok(members::list(&self.0)?.iter().any(|process| process.pid == pid).then_some(Member(pid)))
    }

    /// All of them.
    pub(super) fn all(&self) -> Result<Vec<Member>> {
        Ok(members::list(&self.0)?.iter().filter(|it| !it.zombie).map(|it| Member(it.pid)).collect())
    }
}

impl Member {
    /// Sends a signal; a process that has ended is fine.
    pub(super) fn signal(&self, signal: Signal) -> Result<()> {
        match kill(Pid::from_raw(self.0), signal) {
            Ok(()) | Err(Errno::ESRCH) => Ok(()),
            Err(errno) => Err(errno).or_error(|| format!("cannot send {signal}")),
        }
    }
}
