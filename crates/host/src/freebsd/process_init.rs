//! There are no process namespaces on FreeBSD, so no container has an init: its plans hold no such step.

use std::os::fd::OwnedFd;

use camino::Utf8Path;
use nix::unistd::Pid;
use qchroot_api::{Error, ErrorKind, Name, Place, Result};
use qchroot_engine::{Deadline, Probe};

use super::fork;
use crate::errors::OrError;

fn unavailable() -> Error {
    Error::new(ErrorKind::Unavailable, "FreeBSD has no process namespaces")
        .hint("use the isolation jail, whose processes are apart as well")
}

/// # Errors
/// Always unavailable.
pub(crate) fn start(_container: &Name, _root: &Utf8Path, _proc: Option<&Place>) -> Result<()> {
    Err(unavailable())
}

/// # Errors
/// Always unavailable.
pub(crate) fn stop(_root: &Utf8Path, _proc: Option<&Place>, _deadline: Deadline) -> Result<()> {
    Err(unavailable())
}

/// There is never one.
pub(crate) fn probe(_root: &Utf8Path) -> Result<Probe> {
    Ok(Probe::Absent)
}

/// There is never one.
pub(super) fn namespace(_root: &Utf8Path, _inside: &OwnedFd) -> Result<Option<OwnedFd>> {
    Ok(None)
}

/// Forks a child; there is no namespace to go to.
pub(super) fn fork_into(_namespace: Option<&OwnedFd>, body: impl FnOnce() -> i32) -> Result<Pid> {
    fork::fork(body).or_error(|| "cannot fork".into())
}
