//! There are no sandboxes on FreeBSD: its plans hold no such step.

use std::os::fd::{BorrowedFd, OwnedFd};

use camino::Utf8Path;
use nix::unistd::Pid;
use qchroot_api::{Error, ErrorKind, Mounted, Place, Result, SandboxStep, SealStep};
use qchroot_engine::{Deadline, Probe};

/// What nobody can have.
pub(crate) enum Sandbox {}

impl Sandbox {
    /// Never called.
    pub(crate) fn root(&self) -> &Utf8Path {
        match *self {}
    }

    /// Never called.
    pub(crate) fn open(&self, _path: &Utf8Path) -> Result<OwnedFd> {
        match *self {}
    }
}

/// There is never one.
#[expect(clippy::unnecessary_wraps, reason = "on Linux it can fail")]
pub(crate) fn over(_path: &Utf8Path) -> Result<Option<Sandbox>> {
    Ok(None)
}

/// There are never any.
#[expect(clippy::unnecessary_wraps, reason = "on Linux it can fail")]
pub(crate) fn mounts_below(_dir: &Utf8Path) -> Result<Vec<(Place, Mounted)>> {
    Ok(vec![])
}

fn unavailable<T>() -> Result<T> {
    Err(Error::new(ErrorKind::Unavailable, "FreeBSD has no namespaces")
        .hint("use the isolation jail, whose processes are apart as well"))
}

/// # Errors
/// Always unavailable.
pub(crate) fn start(_step: &SandboxStep) -> Result<()> {
    unavailable()
}

/// # Errors
/// Always unavailable.
pub(crate) fn stop(_root: &Utf8Path) -> Result<()> {
    unavailable()
}

/// # Errors
/// Always unavailable.
pub(crate) fn seal(_step: &SealStep) -> Result<()> {
    unavailable()
}

/// # Errors
/// Always unavailable.
pub(crate) fn stop_processes(_root: &Utf8Path, _deadline: Deadline) -> Result<()> {
    unavailable()
}

/// There is never one.
pub(crate) fn probe(_root: &Utf8Path) -> Result<Probe> {
    Ok(Probe::Absent)
}

/// There is never one.
pub(crate) fn probe_stopped(_root: &Utf8Path) -> Result<Probe> {
    Ok(Probe::Present)
}

/// There is never one.
pub(crate) fn probe_seal(_root: &Utf8Path) -> Result<Probe> {
    Ok(Probe::Absent)
}

/// Nothing is ever begun.
pub(crate) fn probe_processes(_root: &Utf8Path) -> Result<Probe> {
    Ok(Probe::Unknown)
}

/// What nobody can open.
pub(in crate::process) enum Door {}

impl Door {
    /// # Errors
    /// Always unavailable.
    pub(in crate::process) fn open(_root: &Utf8Path) -> Result<Self> {
        unavailable()
    }

    /// Never called.
    pub(in crate::process) fn root(&self) -> BorrowedFd<'_> {
        match *self {}
    }

    /// Never called.
    pub(in crate::process) fn processes(&self) -> &OwnedFd {
        match *self {}
    }

    /// Never called.
    pub(in crate::process) fn fork(&self, _body: impl FnOnce() -> i32) -> Result<Pid> {
        match *self {}
    }

    /// Never called.
    pub(in crate::process) fn enter(&self, _directory: &Utf8Path) -> Result<()> {
        match *self {}
    }
}
