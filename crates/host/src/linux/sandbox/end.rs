//! Ends sandboxes, or all processes of one but its init. Which processes those are, the kernel tells.

use std::io::ErrorKind::NotFound;
use std::time::Instant;

use camino::Utf8Path;
use nix::sys::signal::Signal;
use qchroot_api::{Error, ErrorKind, Result, sandbox_lock};
use qchroot_engine::{Deadline, Probe};

use super::find;
use crate::errors::OrError;
use crate::process::init;
use crate::process::members::Territory;
use crate::process::stop::{self, BURIAL};

/// How the machine stands to the end of the sandbox with this root.
pub(crate) fn probe_stopped(root: &Utf8Path) -> Result<Probe> {
    let is_left = sandbox_lock(root).symlink_metadata().is_ok();
    Ok(if is_left || find::at(root)?.is_some() { Probe::Absent } else { Probe::Present })
}

/// Ends the sandbox with this root: its init, and with it every process and mount. None is fine.
///
/// # Errors
/// Busy when something outlives SIGKILL.
pub(crate) fn stop(root: &Utf8Path) -> Result<()> {
    if let Some(sandbox) = find::at(root)? {
        sandbox.init.signal(Signal::SIGKILL)?;
        // The kernel lets an init end after the last process under it; pid_namespaces(7).
        if !sandbox.init.wait(Instant::now() + BURIAL)? {
            let message = format!("the sandbox of {root} does not end");
            return Err(Error::new(ErrorKind::Busy, message)
                .cause("it was killed, and a process in it waits for a device or a file system")
                .hint("see their state with ps; try again when what they wait for has answered"));
        }
    }
    let lock = sandbox_lock(root);
    match std::fs::remove_file(&lock) {
        Err(error) if error.kind() == NotFound => Ok(()),
        removed => removed.or_error(|| format!("cannot remove {lock}")),
    }
}

/// TERM for every process of the container with this root but its init, KILL at the deadline.
///
/// # Errors
/// Busy, with the process numbers, when something outlives SIGKILL.
pub(crate) fn stop_processes(root: &Utf8Path, deadline: Deadline) -> Result<()> {
    stop::end_members(root, init_of(root)?, deadline)
}

/// The init of the container with this root, whatever isolation that is of.
fn init_of(root: &Utf8Path) -> Result<Option<i32>> {
    match find::at(root)? {
        Some(sandbox) => Ok(Some(sandbox.pid)),
        None => Ok(init::find(root)?.map(|(pid, _)| pid)),
    }
}

/// Whether a container has a process beside its init.
pub(crate) fn probe_processes(root: &Utf8Path) -> Result<Probe> {
    let spared = init_of(root)?;
    let members = Territory::new(root).near_members()?;
    let is_empty = members.into_iter().all(|pid| Some(pid) == spared);
    Ok(if is_empty { Probe::Present } else { Probe::Absent })
}
