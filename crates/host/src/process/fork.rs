//! fork(2) with a body for the child, and waiting for children. It knows nothing of containers.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::{SigSet, SigmaskHow, pthread_sigmask};
use nix::unistd::{ForkResult, Pid};
use qchroot_api::Error;
use rustix::process::{WaitOptions, WaitStatus, waitpid};

/// The status of a child whose body panicked; `EX_SOFTWARE` of sysexits(3).
const PANICKED: i32 = 70;

/// Runs `body` in a child, which ends with its result. The child starts with every signal blocked, so that no
/// handler of this process ever runs in it.
pub(crate) fn fork(body: impl FnOnce() -> i32) -> nix::Result<Pid> {
    let mut before = SigSet::empty();
    pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::all()), Some(&mut before))?;
    // SAFETY: the child calls `body` and `_exit` only. A body takes no lock that another thread of ours may have
    // held; memory may be allocated, since the C libraries of both systems repair their heap after fork(2).
    let forked = unsafe { nix::unistd::fork() };
    if let Ok(ForkResult::Child) = forked {
        let status = catch_unwind(AssertUnwindSafe(body)).unwrap_or(PANICKED);
        // SAFETY: ends this process at once, without what the parent registered with atexit(3).
        unsafe { libc::_exit(status) }
    }
    pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&before), None)?;
    match forked? {
        ForkResult::Parent { child } => Ok(child),
        ForkResult::Child => unreachable!("the child has ended above"),
    }
}

/// Why there is no child, and where to look for the limit that was reached.
pub(crate) fn refused(why: impl Into<io::Error>, message: String) -> Error {
    let why = why.into();
    let error = Error::from_io(&why, message);
    match why.kind() {
        io::ErrorKind::WouldBlock => error.hint(
            "no more processes are allowed: see the limit of the control group or login class, and the kernel's own",
        ),
        _ => error,
    }
}

/// Waits for a child's end: its exit status, or 128+N when signal N ended it.
pub(crate) fn wait(child: Pid) -> nix::Result<i32> {
    loop {
        match end_of(child, WaitOptions::empty()) {
            Ok(Some(code)) => return Ok(code),
            Ok(None) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error),
        }
    }
}

/// The same without waiting: `None` while the child lives.
pub(super) fn try_wait(child: Pid) -> nix::Result<Option<i32>> {
    end_of(child, WaitOptions::NOHANG)
}

/// Any child of this process that has ended, and how; `None` when all live. Every signal is counted, those too that have
/// no name.
pub(super) fn bury_any() -> nix::Result<Option<(Pid, Option<i32>)>> {
    let ended = rustix::process::wait(WaitOptions::NOHANG).map_err(errno)?;
    Ok(ended.map(|(child, status)| (Pid::from_raw(child.as_raw_nonzero().get()), exit_code(status))))
}

fn end_of(child: Pid, options: WaitOptions) -> nix::Result<Option<i32>> {
    let child = rustix::process::Pid::from_raw(child.as_raw()).ok_or(Errno::ECHILD)?;
    let ended = waitpid(Some(child), options).map_err(errno)?;
    Ok(ended.and_then(|(_, status)| exit_code(status)))
}

fn errno(error: rustix::io::Errno) -> Errno {
    Errno::from_raw(error.raw_os_error())
}

/// The end that a status of wait(2) tells of, if it does.
fn exit_code(status: WaitStatus) -> Option<i32> {
    status.exit_status().or_else(|| Some(128 + status.terminating_signal()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_by_signals_without_a_name_are_told_too() {
        let unnamed = 40;
        assert!(nix::sys::signal::Signal::try_from(unnamed).is_err());
        let child = fork(|| {
            let none = SigSet::empty();
            pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&none), None).unwrap();
            // SAFETY: a signal to this process itself.
            unsafe { libc::raise(unnamed) }
        });
        assert_eq!(wait(child.unwrap()), Ok(168));
        assert_eq!(wait(fork(|| 7).unwrap()), Ok(7));
    }
}
