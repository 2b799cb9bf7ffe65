//! Signals as bytes in a pipe, so that poll(2) can wait for them beside everything else. It does not know what
//! they mean to its user.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Mutex, PoisonError};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::libc;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use qchroot_api::{Error, ErrorKind, Result};

use crate::errors::OrError;

/// How many threads may watch at the same time.
const WATCHERS: usize = 64;

/// Write ends of the watchers' pipes. A pipe once made stays for the next user of its slot, because a handler
/// may be about to write to it on another thread.
static PIPES: [AtomicI32; WATCHERS] = [const { AtomicI32::new(-1) }; WATCHERS];

/// Which slots are in use: their handlers' writes are wanted.
static WANTED: [AtomicBool; WATCHERS] = [const { AtomicBool::new(false) }; WATCHERS];

/// Read ends by slot, and what the signals did before the first watcher came.
static STATE: Mutex<State> = Mutex::new(State { readers: vec![], before: vec![], watching: 0 });

struct State {
    readers: Vec<OwnedFd>,
    before: Vec<(Signal, SigAction)>,
    watching: usize,
}

extern "C" fn note(signal: libc::c_int) {
    let errno = Errno::last_raw();
    for (pipe, wanted) in PIPES.iter().zip(&WANTED) {
        let fd = pipe.load(Ordering::Relaxed);
        if fd >= 0 && wanted.load(Ordering::Relaxed) {
            // SAFETY: write(2) is async-signal-safe; the byte lives for the call. A full pipe tells enough already.
            unsafe { libc::write(fd, [signal as u8].as_ptr().cast(), 1) };
        }
    }
    Errno::set_raw(errno);
}

/// The signals of this process from now until it is dropped.
pub(super) struct Signals {
    slot: usize,
    fd: BorrowedFd<'static>,
}

impl Signals {
    /// Catches `signals`, except those this process was told to ignore, such as SIGHUP by nohup(1).
    pub(super) fn catch(signals: &[Signal]) -> Result<Self> {
        let mut state = STATE.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = free_slot(&mut state)?;
        // SAFETY: pipes are never closed, so the descriptor is good for the rest of the process.
        let fd = unsafe { BorrowedFd::borrow_raw(state.readers[slot].as_raw_fd()) };
        let watcher = Self { slot, fd };
        watcher.pending();
        WANTED[slot].store(true, Ordering::Relaxed);
        state.watching += 1;
        for &signal in signals {
            install(&mut state, signal).or_error(|| format!("cannot catch {signal}"))?;
        }
        Ok(watcher)
    }

    /// The signals that came since the last call.
    pub(super) fn pending(&self) -> Vec<Signal> {
        let mut bytes = [0; 64];
        match nix::unistd::read(self.fd, &mut bytes) {
            Ok(count) => bytes[..count].iter().filter_map(|&b| Signal::try_from(i32::from(b)).ok()).collect(),
            Err(_) => vec![],
        }
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        let mut state = STATE.lock().unwrap_or_else(PoisonError::into_inner);
        WANTED[self.slot].store(false, Ordering::Relaxed);
        state.watching -= 1;
        if state.watching == 0 {
            for (signal, action) in std::mem::take(&mut state.before) {
                // SAFETY: puts back what was there.
                let _ = unsafe { sigaction(signal, &action) };
            }
        }
    }
}

fn free_slot(state: &mut State) -> Result<usize> {
    let free = WANTED.iter().position(|wanted| !wanted.load(Ordering::Relaxed));
    let slot = free.ok_or_else(|| Error::new(ErrorKind::Busy, "too many programs wait for signals"))?;
    if slot == state.readers.len() {
        let (read, write) = nix::unistd::pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)
            .or_error(|| "cannot make a pipe".into())?;
        PIPES[slot].store(write.into_raw_fd(), Ordering::Relaxed);
        state.readers.push(read);
    }
    Ok(slot)
}

fn install(state: &mut State, signal: Signal) -> nix::Result<()> {
    if state.before.iter().any(|(known, _)| *known == signal) {
        return Ok(());
    }
    let action = SigAction::new(SigHandler::Handler(note), SaFlags::empty(), SigSet::empty());
    // SAFETY: `note` calls async-signal-safe functions only.
    let before = unsafe { sigaction(signal, &action) }?;
    if matches!(before.handler(), SigHandler::SigIgn) && signal != Signal::SIGCHLD {
        // SAFETY: puts back what was there.
        unsafe { sigaction(signal, &before) }?;
        return Ok(());
    }
    state.before.push((signal, before));
    Ok(())
}
