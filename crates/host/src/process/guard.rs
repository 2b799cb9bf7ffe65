//! A second process that cleans up after this one if it dies. It does not know what there is to clean up.

use std::io::Read;
use std::mem::ManuallyDrop;
use std::os::fd::OwnedFd;

use nix::fcntl::OFlag;
use nix::sys::signal::{SigHandler, Signal};
use nix::unistd::{Pid, setsid};
use qchroot_api::{Error, ErrorKind, Result};
use qchroot_engine::Guard;

use super::{fork, identity};
use crate::errors::OrError;

/// Signals that a terminal or a shutting system sends to whole groups of processes.
const IGNORED: [Signal; 5] =
    [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM, Signal::SIGPIPE];

/// Starts the second process. Everything this process has open now stays open in it, locks with it, except the
/// standard streams.
pub(crate) fn on_death(undo: &dyn Fn()) -> Result<Box<dyn Guard>> {
    let failed = || "cannot start a guard".to_owned();
    let (read, write) = nix::unistd::pipe2(OFlag::O_CLOEXEC).or_error(failed)?;
    let (read, mut write) = (std::fs::File::from(read), Some(write));
    let child = fork::fork(|| {
        write.take();
        i32::from(watch(read, undo).is_err())
    })
    .or_error(failed)?;
    let pipe = write.map(ManuallyDrop::new).ok_or_else(|| Error::new(ErrorKind::Internal, failed()))?;
    Ok(Box::new(Watcher { pipe, child }))
}

/// The life of the second process.
fn watch(mut pipe: std::fs::File, undo: &dyn Fn()) -> Result<()> {
    let failed = || "cannot watch".to_owned();
    setsid().or_error(failed)?;
    identity::silence()?;
    identity::default_actions();
    for signal in IGNORED {
        // SAFETY: ignoring a signal runs no code.
        unsafe { nix::sys::signal::signal(signal, SigHandler::SigIgn) }.or_error(failed)?;
    }
    identity::unblock_signals()?;
    // The end of the pipe is the end of the process that held it, whatever way that came.
    if !matches!(pipe.read(&mut [0]), Ok(1)) {
        undo();
    }
    Ok(())
}

struct Watcher {
    /// Closed by `release` or by the end of this process, never by a mere drop: a guard that is lost on the way
    /// out of a failing function must still wait for the end.
    pipe: ManuallyDrop<OwnedFd>,
    child: Pid,
}

impl Guard for Watcher {
    fn release(self: Box<Self>) -> Result<()> {
        let failed = || "cannot release the guard".to_owned();
        let pipe = ManuallyDrop::into_inner(self.pipe);
        nix::unistd::write(&pipe, b".").or_error(failed)?;
        drop(pipe);
        fork::wait(self.child).or_error(failed).map(drop)
    }
}
