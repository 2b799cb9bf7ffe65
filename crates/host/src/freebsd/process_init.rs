//! There are no process namespaces on FreeBSD, so no container has an init. What a container has in its place is a jail:
//! here all of its processes are ended, and the jails that were made on its root, whether or not a journal knows them.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use qchroot_api::{Error, ErrorKind, Name, Place, Result};
use qchroot_engine::{Deadline, Probe};

use super::kernel::Handle;
use super::member::Members;
use super::{fork, members};
use crate::clock;
use crate::errors::OrError;
use crate::os::jails;

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
    let own = Members::of(&root);
    for process in own.all()? {
        process.signal(Signal::SIGTERM)?;
        process.signal(Signal::SIGCONT)?;
    }
    await_end(&own, Instant::now() + deadline.0.saturating_sub(clock::steady()), |_| Ok(()))?;
    remove_jails(&root)?;
    if await_end(&own, Instant::now() + BURIAL, |process| process.signal(Signal::SIGKILL))? {
        return Ok(());
    }
    let left: Vec<String> =
        members::list(&root)?.iter().filter(|it| !it.zombie).map(|it| it.pid.to_string()).collect();
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

/// Waits until there is no process any more; false when `until` came first. `urge` is done to all at each look.
fn await_end(own: &Members, until: Instant, urge: impl Fn(&Handle) -> Result<()>) -> Result<bool> {
    loop {
        let all = own.all()?;
        all.iter().try_for_each(&urge)?;
        let Some(one) = all.first() else { return Ok(true) };
        if !one.wait(until)? {
            return Ok(false);
        }
    }
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
