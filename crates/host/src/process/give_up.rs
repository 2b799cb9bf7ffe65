//! A user who gives up, as a flag that long work asks for. It does not know what is given up.

use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use qchroot_api::Result;

use super::signals::Signals;
use crate::errors::OrError;

/// From now on SIGINT, SIGTERM and SIGHUP do not end this process but raise the flag; those that it was told to ignore
/// stay ignored.
///
/// # Errors
/// What the system said.
pub fn on_signals() -> Result<Arc<AtomicBool>> {
    let signals = Signals::catch(&[Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP])?;
    let flag = Arc::new(AtomicBool::new(false));
    let raised = Arc::clone(&flag);
    let wait = move || {
        while signals.pending().is_empty() {
            match poll(&mut [PollFd::new(signals.as_fd(), PollFlags::POLLIN)], PollTimeout::NONE) {
                Ok(_) | Err(Errno::EINTR) => {}
                Err(_) => return,
            }
        }
        raised.store(true, Ordering::Relaxed);
    };
    thread::Builder::new().spawn(wait).or_error(|| "cannot start a thread".into())?;
    Ok(flag)
}
