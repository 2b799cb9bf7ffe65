//! Work that goes on when this program has ended. It does not know what the work is.

use std::fs::File;
use std::os::fd::{AsRawFd, RawFd};

use nix::sys::signal::{SigHandler, Signal};
use nix::unistd::setsid;
use qchroot_api::{Error, ErrorKind, Result};
use qchroot_engine::Held;

use super::{fork, identity};
use crate::errors::OrError;
use crate::os;

/// Hands `lock` to a second process that runs `work` with it; where none can be made, runs it here.
pub(crate) fn run(lock: Held, work: &dyn Fn(Held)) {
    let mut lock = Some(lock);
    let child = fork::fork(|| {
        let begun = detach(lock.as_ref()).and_then(|()| {
            // Once more, so that nobody has to wait for its end.
            fork::fork(|| {
                lock.take().map_or(1, |lock| {
                    work(lock);
                    0
                })
            })
            .or_error(|| "cannot start a process".into())
        });
        i32::from(begun.is_err())
    });
    let has_begun = child.and_then(fork::wait).is_ok_and(|status| status == 0);
    if let Some(lock) = lock.filter(|_| !has_begun) {
        work(lock);
    }
}

/// Leaves behind everything that this process has from its caller.
fn detach(lock: Option<&Held>) -> Result<()> {
    let lock: RawFd = lock
        .and_then(|lock| lock.thing::<File>())
        .map(AsRawFd::as_raw_fd)
        .ok_or_else(|| Error::new(ErrorKind::Internal, "a lock that is no file"))?;
    setsid().or_error(|| "cannot begin a session".into())?;
    identity::default_actions();
    // SAFETY: ignoring a signal runs no code.
    unsafe { nix::sys::signal::signal(Signal::SIGHUP, SigHandler::SigIgn) }
        .or_error(|| "cannot ignore a signal".into())?;
    identity::silence()?;
    identity::close_all_but(&[lock], 3)?;
    identity::unblock_signals()?;
    rustix::process::chdir("/").or_error(|| "cannot change to /".into())?;
    // Only a wish: it gets its work done without it, too.
    let _ = rustix::process::nice(19);
    os::system::be_last_at_the_disk();
    Ok(())
}
