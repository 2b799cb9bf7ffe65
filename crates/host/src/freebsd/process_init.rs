//! There are no process namespaces on FreeBSD, so no container has an init. What a container has in its place is a jail:
//! here all of its processes are ended, and the jails that were made on its root, whether or not a journal knows them.

use std::os::fd::OwnedFd;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use qchroot_api::{Error, ErrorKind, Name, Place, Result};
use qchroot_engine::{Deadline, Probe};

use super::{fork, members};
use crate::clock;
use crate::errors::OrError;
use crate::os::jails;

/// Between two looks at processes that were asked to end.
const LOOK: Duration = Duration::from_millis(20);

/// How long the kernel may take to bury what was killed.
const BURIAL: Duration = Duration::from_secs(5);

/// # Errors
/// Always unavailable.
pub(crate) fn start(_container: &Name, _root: &Utf8Path, _proc: Option<&Place>) -> Result<()> {
    Err(Error::new(ErrorKind::Unavailable, "FreeBSD has no process namespaces")
        .hint("use the isolation jail, whose processes are apart as well"))
}

/// Ends every process whose root is `root` or lies below it: TERM, then KILL at the deadline; then the jails on that
/// root.
///
/// # Errors
/// Busy when a process outlives SIGKILL.
pub(crate) fn stop(root: &Utf8Path, _proc: Option<&Place>, deadline: Deadline) -> Result<()> {
    let root = real(root);
    signal(&root, Signal::SIGTERM)?;
    while !living(&root)?.is_empty() && clock::steady() < deadline.0 {
        std::thread::sleep(LOOK);
    }
    remove_jails(&root)?;
    let last = clock::steady() + BURIAL;
    while clock::steady() < last {
        if living(&root)?.is_empty() {
            return Ok(());
        }
        signal(&root, Signal::SIGKILL)?;
        std::thread::sleep(LOOK);
    }
    let left: Vec<String> = living(&root)?.iter().map(ToString::to_string).collect();
    if left.is_empty() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Busy, format!("processes {} in {root} do not end", left.join(", ")))
        .hint("try again; see their states with ps"))
}

/// Whether a jail was made on this root.
pub(crate) fn probe(root: &Utf8Path) -> Result<Probe> {
    let root = real(root);
    let found = jails::roots().into_values().any(|path| path == root);
    Ok(if found { Probe::Present } else { Probe::Absent })
}

/// As the kernel spells it.
fn real(root: &Utf8Path) -> Utf8PathBuf {
    root.canonicalize_utf8().unwrap_or_else(|_| root.to_owned())
}

fn living(root: &Utf8Path) -> Result<Vec<i32>> {
    let all = members::list(root)?;
    Ok(all.into_iter().filter(|process| !process.zombie).map(|process| process.pid).collect())
}

fn signal(root: &Utf8Path, signal: Signal) -> Result<()> {
    for pid in living(root)? {
        match kill(Pid::from_raw(pid), signal) {
            Ok(()) | Err(Errno::ESRCH) => {}
            Err(errno) => return Err(errno).or_error(|| format!("cannot send {signal} to process {pid}")),
        }
    }
    Ok(())
}

/// Whatever is still in them is killed by the kernel.
fn remove_jails(root: &Utf8Path) -> Result<()> {
    for (jid, _) in jails::roots().into_iter().filter(|(_, path)| path == root) {
        // SAFETY: the call takes a number.
        let removed = unsafe { libc::jail_remove(jid) };
        match Errno::result(removed) {
            Ok(_) | Err(Errno::EINVAL | Errno::ENOENT) => {}
            Err(errno) => return Err(errno).or_error(|| format!("cannot remove jail {jid}")),
        }
    }
    Ok(())
}

/// There is never one.
pub(super) fn namespace(_root: &Utf8Path, _inside: &OwnedFd) -> Result<Option<OwnedFd>> {
    Ok(None)
}

/// Forks a child; there is no namespace to go to.
pub(super) fn fork_into(_namespace: Option<&OwnedFd>, body: impl FnOnce() -> i32) -> Result<Pid> {
    fork::fork(body).or_error(|| "cannot fork".into())
}
