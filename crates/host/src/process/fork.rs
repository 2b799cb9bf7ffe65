//! fork(2) with a body for the child, and waiting for children. It knows nothing of containers.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::{SigSet, SigmaskHow, pthread_sigmask};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid};
use qchroot_api::Error;

/// The status of a child whose body panicked; `EX_SOFTWARE` of sysexits(3).
const PANICKED: i32 = 70;

/// Runs `body` in a child, which ends with its result. The child starts with every signal blocked, so that no
/// handler of this process ever runs in it.
pub(super) fn fork(body: impl FnOnce() -> i32) -> nix::Result<Pid> {
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
pub(super) fn refused(why: impl Into<io::Error>, message: String) -> Error {
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
pub(super) fn wait(child: Pid) -> nix::Result<i32> {
    loop {
        match waitpid(child, None) {
            Ok(status) => {
                if let Some(code) = exit_code(status) {
                    return Ok(code);
                }
            }
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error),
        }
    }
}

/// The same without waiting: `None` while the child lives.
pub(super) fn try_wait(child: Pid) -> nix::Result<Option<i32>> {
    Ok(exit_code(waitpid(child, Some(WaitPidFlag::WNOHANG))?))
}

/// The end that a status of wait(2) tells of, if it does.
pub(super) fn exit_code(status: WaitStatus) -> Option<i32> {
    match status {
        WaitStatus::Exited(_, code) => Some(code),
        WaitStatus::Signaled(_, signal, _) => Some(128 + signal as i32),
        _ => None,
    }
}
