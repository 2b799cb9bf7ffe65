//! What FreeBSD offers about processes: procctl(2), its pseudo-terminals. It does not know what a container is.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd};
use std::time::Instant;

use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use qchroot_api::Result;
use rustix::event::kqueue::{Event, EventFilter, EventFlags, ProcessEvents, kevent_timespec, kqueue};
use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, openpt, ptsname, unlockpt};

use super::channel::readable;
use super::identity;
use crate::errors::OrError;

/// The highest signal number; signal.h.
pub(super) const LAST_SIGNAL: i32 = 128;

/// One process, watched from the moment it was opened, so that its number is known to be its own for as long as it lives;
/// kqueue(2).
pub(super) struct Handle {
    pid: Pid,
    queue: OwnedFd,
}

impl Handle {
    /// `None` when there is no such process.
    pub(super) fn open(pid: i32) -> Result<Option<Self>> {
        let failed = || format!("cannot watch process {pid}");
        let Some(number) = rustix::process::Pid::from_raw(pid) else { return Ok(None) };
        let queue = kqueue().or_error(failed)?;
        let end = EventFilter::Proc { pid: number, flags: ProcessEvents::EXIT };
        let end = Event::new(end, EventFlags::ADD, std::ptr::null_mut());
        let mut none: [Event; 0] = [];
        // SAFETY: the event holds no descriptor.
        match unsafe { kevent_timespec(&queue, &[end], none.as_mut_slice(), None) } {
            Ok(_) => Ok(Some(Self { pid: Pid::from_raw(pid), queue })),
            Err(rustix::io::Errno::SRCH) => Ok(None),
            Err(error) => Err(error).or_error(failed),
        }
    }

    /// Sends a signal; a process that has ended is fine.
    pub(super) fn signal(&self, signal: Signal) -> Result<()> {
        if self.wait(Instant::now())? {
            return Ok(());
        }
        match kill(self.pid, signal) {
            Ok(()) | Err(Errno::ESRCH) => Ok(()),
            Err(errno) => Err(errno).or_error(|| format!("cannot send {signal}")),
        }
    }

    /// Waits for the end of the process; false when `until` came first.
    pub(super) fn wait(&self, until: Instant) -> Result<bool> {
        readable(self.queue.as_fd(), Some(until))
    }
}

/// Closes every descriptor above 2 but those in `keep`: chroot(2) and jail_attach(2) refuse a process with an open
/// directory where `kern.chroot_allow_open_directories` is 0.
pub(super) fn before_chroot(keep: &[i32]) -> Result<()> {
    identity::close_all_but(keep, 3)
}

/// Until this process executes a program nobody can trace it; PROC_TRACE_CTL of procctl(2). Who traces it already goes on.
pub(super) fn hide_until_exec() {
    let mut state = libc::PROC_TRACE_CTL_DISABLE;
    // SAFETY: the request reads a number, which lives for the call.
    unsafe { libc::procctl(libc::P_PID, own(), libc::PROC_TRACE_CTL, (&raw mut state).cast()) };
}

/// There are no capabilities to inherit here.
pub(super) fn clear_inheritable() -> io::Result<()> {
    Ok(())
}

/// Sends `signal` to this process when its parent ends.
pub(super) fn die_with_parent(signal: Signal) -> io::Result<()> {
    Ok(rustix::process::set_parent_process_death_signal(rustix::process::Signal::from_named_raw(
        signal as i32,
    ))?)
}

/// A pseudo-terminal: the side of ours and the side of the program's.
pub(super) fn open_terminal(_root: Option<BorrowedFd<'_>>) -> Result<(OwnedFd, OwnedFd)> {
    let failed = || "cannot make a pseudo-terminal".to_owned();
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).or_error(failed)?;
    unlockpt(&ours).or_error(failed)?;
    let name = ptsname(&ours, vec![]).or_error(failed)?;
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let theirs = open(name.as_c_str(), flags, Mode::empty()).or_error(failed)?;
    Ok((ours, theirs))
}

/// The processes below this one: none leaves while this process lives; PROC_REAP_ACQUIRE of procctl(2).
pub(super) struct Descendants {
    /// Only so that both systems keep one: the kernel needs none here.
    null: OwnedFd,
}

impl Descendants {
    /// From now on every orphan among the descendants becomes this process' child.
    pub(super) fn adopt() -> Result<Self> {
        let failed = || "cannot watch over descendants".to_owned();
        // SAFETY: the request takes no data.
        let done =
            unsafe { libc::procctl(libc::P_PID, own(), libc::PROC_REAP_ACQUIRE, std::ptr::null_mut()) };
        Errno::result(done).or_error(failed)?;
        let null = open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).or_error(failed)?;
        Ok(Self { null })
    }

    /// The descriptor to keep when others are closed.
    pub(super) fn into_raw_fd(self) -> i32 {
        self.null.into_raw_fd()
    }

    /// The same descendants by the descriptor's new number.
    pub(super) fn from_fd(null: OwnedFd) -> Self {
        Self { null }
    }

    /// Sends `signal` to every descendant.
    pub(super) fn signal(&self, signal: Signal) -> Result<()> {
        let mut order =
            ReaperKill { signal: signal as i32, flags: 0, subtree: 0, killed: 0, failed_at: 0, pad: [0; 15] };
        let data = std::ptr::from_mut(&mut order).cast();
        // SAFETY: the structure is the one the request asks for, and lives for the call.
        let done = unsafe { libc::procctl(libc::P_PID, own(), libc::PROC_REAP_KILL, data) };
        match Errno::result(done) {
            Ok(_) | Err(Errno::ESRCH) => Ok(()),
            Err(errno) => Err(errno).or_error(|| format!("cannot send {signal}")),
        }
    }
}

/// `struct procctl_reaper_kill` of sys/procctl.h.
#[repr(C)]
struct ReaperKill {
    signal: libc::c_int,
    flags: libc::c_uint,
    subtree: libc::pid_t,
    killed: libc::c_uint,
    failed_at: libc::pid_t,
    pad: [libc::c_uint; 15],
}

fn own() -> libc::id_t {
    libc::id_t::from(std::process::id())
}

/// Names of processes are set by setproctitle(3) here, for the short one too.
pub(super) fn set_name(name: &std::ffi::CStr) {
    // SAFETY: the format takes one string, which lives for the call.
    unsafe { libc::setproctitle(c"%s".as_ptr(), name.as_ptr()) };
}

/// Makes `terminal` this session's own.
pub(super) fn take_terminal(terminal: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: TIOCSCTTY takes no argument.
    let taken = unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCSCTTY, 0) };
    if taken == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
