//! Ends every process of a container. It signals nothing but what the kernel says, at that moment, is the
//! container's; it does not know services.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use camino::Utf8Path;
use nix::sys::signal::Signal;
use qchroot_api::{Error, ErrorKind, Place, Result};
use qchroot_engine::Deadline;

use super::init::{find, procfs};
use super::kernel::Handle;
use super::members::Territory;
use crate::{clock, mount};

/// How long the kernel may take to bury what was killed. A process that waits for a device cannot be hurried.
pub(super) const BURIAL: Duration = Duration::from_secs(10);

/// Between two looks at processes that come and go faster than they can be counted.
const BREATH: Duration = Duration::from_millis(5);

/// How often a crowd that grows while it is being stopped is counted again before it is killed.
const ROUNDS: usize = 50;

/// TERM for every process, KILL at the deadline; then the procfs of the container's init is unmounted.
///
/// # Errors
/// Busy, with the process numbers, when something outlives SIGKILL.
pub(crate) fn stop(root: &Utf8Path, proc: Option<&Place>, deadline: Deadline) -> Result<()> {
    let territory = Territory::new(root);
    let init = find(root)?;
    let init_pid = init.as_ref().map(|(pid, _)| *pid);
    let end = Instant::now() + deadline.0.saturating_sub(clock::steady());
    if territory.near_members()?.into_iter().any(|pid| Some(pid) != init_pid) {
        ask(&territory, init_pid, end)?;
    }
    let last = Instant::now() + BURIAL;
    if let Some((_, handle)) = init {
        handle.signal(Signal::SIGKILL)?;
        handle.wait(last)?;
    }
    kill(&territory, root, None, last)?;
    match proc {
        Some(at) => mount::unmount(&procfs(at), Deadline(clock::steady() + BURIAL)),
        None => Ok(()),
    }
}

/// TERM for every process of a container but one, KILL at the deadline.
///
/// # Errors
/// As [`stop`].
pub(super) fn end_members(root: &Utf8Path, spared: Option<i32>, deadline: Deadline) -> Result<()> {
    let territory = Territory::new(root);
    let end = Instant::now() + deadline.0.saturating_sub(clock::steady());
    ask(&territory, spared, end)?;
    kill(&territory, root, spared, Instant::now() + BURIAL)
}

/// Asks each member once to end, those that appear meanwhile too; returns when all have, or at `end`.
fn ask(territory: &Territory, init: Option<i32>, end: Instant) -> Result<()> {
    let mut asked = BTreeSet::new();
    loop {
        let members = match handles(territory, init) {
            // What cannot be held cannot be asked; it is killed.
            Err(error) if error.kind() == ErrorKind::Busy => return Ok(()),
            members => members?,
        };
        if members.is_empty() || Instant::now() >= end {
            return Ok(());
        }
        for (_, handle) in members.iter().filter(|(pid, _)| asked.insert(*pid)) {
            handle.signal(Signal::SIGTERM)?;
            handle.signal(Signal::SIGCONT)?;
        }
        for (_, handle) in &members {
            if !handle.wait(end)? {
                return Ok(());
            }
        }
        std::thread::sleep(BREATH);
    }
}

/// Kills members until there is none. They are stopped first: a stopped process does not fork, and keeps its
/// number from those that would.
fn kill(territory: &Territory, root: &Utf8Path, spared: Option<i32>, last: Instant) -> Result<()> {
    loop {
        let members = freeze(territory, spared)?;
        if members.is_empty() {
            return Ok(());
        }
        for (_, handle) in &members {
            handle.signal(Signal::SIGKILL)?;
        }
        for (_, handle) in &members {
            if !handle.wait(last)? {
                return Err(survivors(root, &members));
            }
        }
    }
}

fn freeze(territory: &Territory, spared: Option<i32>) -> Result<Vec<(i32, Handle)>> {
    let mut frozen = BTreeSet::new();
    for _ in 0..ROUNDS {
        let members = handles(territory, spared)?;
        let mut grew = false;
        for (_, handle) in members.iter().filter(|(pid, _)| frozen.insert(*pid)) {
            handle.signal(Signal::SIGSTOP)?;
            grew = true;
        }
        if !grew {
            return Ok(members);
        }
    }
    handles(territory, spared)
}

/// Handles of the members, each asked about again once it is held, so that no number has changed hands. Members
/// that have ended before they could be held may have left others: those are looked for.
fn handles(territory: &Territory, except: Option<i32>) -> Result<Vec<(i32, Handle)>> {
    let last = Instant::now() + BURIAL;
    loop {
        let members: Vec<i32> = territory.members()?.into_iter().filter(|&pid| Some(pid) != except).collect();
        let mut held = vec![];
        for &pid in &members {
            if let Some(handle) = Handle::open(pid)?
                && territory.owns(pid)
            {
                held.push((pid, handle));
            }
        }
        if members.is_empty() || !held.is_empty() {
            return Ok(held);
        }
        if Instant::now() >= last {
            return Err(Error::new(ErrorKind::Busy, "processes come and go faster than they can be held"));
        }
    }
}

fn survivors(root: &Utf8Path, members: &[(i32, Handle)]) -> Error {
    let pids: Vec<String> = members.iter().map(|(pid, _)| pid.to_string()).collect();
    Error::new(ErrorKind::Busy, format!("processes in {root} do not end: {}", pids.join(" ")))
        .cause("they were killed, and wait for a device or a file system")
        .hint("see their state with ps; try again when what they wait for has answered")
}
