//! Messages between a process and one it forked: a pipe of JSON lines. It does not know what they say.

use std::fs::File;
use std::io::{Read, Write};
use std::marker::PhantomData;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Instant;

use nix::fcntl::OFlag;
use qchroot_api::{Error, ErrorKind, Result};
use rustix::event::{PollFd, PollFlags, poll};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::errors::OrError;

/// The end that writes.
pub(super) struct Sender<T>(OwnedFd, PhantomData<T>);

/// The end that reads.
pub(super) struct Receiver<T> {
    pipe: File,
    buffer: Vec<u8>,
    message: PhantomData<T>,
}

/// A new channel; both ends are closed by exec(2).
pub(super) fn channel<T>() -> Result<(Sender<T>, Receiver<T>)> {
    let (read, write) = nix::unistd::pipe2(OFlag::O_CLOEXEC).or_error(|| "cannot make a pipe".into())?;
    Ok((Sender::from(write), Receiver { pipe: File::from(read), buffer: vec![], message: PhantomData }))
}

impl<T> From<OwnedFd> for Sender<T> {
    fn from(fd: OwnedFd) -> Self {
        Self(fd, PhantomData)
    }
}

impl<T> From<OwnedFd> for Receiver<T> {
    fn from(fd: OwnedFd) -> Self {
        Self { pipe: File::from(fd), buffer: vec![], message: PhantomData }
    }
}

impl<T: Serialize> Sender<T> {
    /// Sends one message. Nobody listening any more is not a failure: the news has no taker.
    pub(super) fn send(&self, message: &T) {
        if let Ok(mut line) = serde_json::to_vec(message) {
            line.push(b'\n');
            let mut rest = line.as_slice();
            while let Ok(count @ 1..) = nix::unistd::write(&self.0, rest) {
                rest = &rest[count..];
            }
        }
    }
}

impl<T> Sender<T> {
    /// Whether anybody can still receive.
    pub(super) fn is_heard(&self) -> bool {
        let mut fds = [PollFd::new(&self.0, PollFlags::empty())];
        let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
        matches!(poll(&mut fds, Some(&now)), Ok(0))
    }

    /// The number of the descriptor, to keep it when others are closed.
    pub(super) fn as_raw_fd(&self) -> i32 {
        self.0.as_raw_fd()
    }
}

/// What came over a channel.
pub(super) enum Received<T> {
    /// A message.
    Message(T),
    /// All senders are gone.
    Closed,
    /// Nothing within the time.
    Nothing,
}

impl<T: DeserializeOwned> Receiver<T> {
    /// Whether a message has come that was not asked for yet.
    pub(super) fn has_message(&self) -> bool {
        self.buffer.contains(&b'\n')
    }

    /// The next message; waits until `until`, or without end.
    pub(super) fn receive(&mut self, until: Option<Instant>) -> Result<Received<T>> {
        loop {
            if let Some(end) = self.buffer.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                return serde_json::from_slice(&line).map(Received::Message).map_err(|error| {
                    Error::new(ErrorKind::Internal, "cannot understand a process of our own").cause(error)
                });
            }
            if !readable(self.pipe.as_fd(), until)? {
                return Ok(Received::Nothing);
            }
            let mut chunk = [0; 4096];
            match self.pipe.read(&mut chunk) {
                Ok(0) => return Ok(Received::Closed),
                Ok(count) => self.buffer.extend_from_slice(&chunk[..count]),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error).or_error(|| "cannot read a pipe".into()),
            }
        }
    }
}

impl<T> AsFd for Receiver<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }
}

/// Waits until a descriptor has something to read or its other end is gone; false when `until` came first.
pub(super) fn readable(fd: BorrowedFd<'_>, until: Option<Instant>) -> Result<bool> {
    loop {
        let mut fds = [PollFd::from_borrowed_fd(fd, PollFlags::IN)];
        match poll(&mut fds, timeout(until).as_ref()) {
            Ok(0) => return Ok(false),
            Ok(_) => return Ok(true),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error).or_error(|| "cannot wait for a descriptor".into()),
        }
    }
}

/// The time until `until` in the form that poll(2) takes.
pub(super) fn timeout(until: Option<Instant>) -> Option<rustix::event::Timespec> {
    let left = until?.saturating_duration_since(Instant::now());
    Some(rustix::event::Timespec {
        tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: left.subsec_nanos().into(),
    })
}

/// Writes all of `bytes`; for a process that feeds one it has just started.
pub(super) fn feed(fd: OwnedFd, bytes: &[u8]) -> Result<()> {
    File::from(fd).write_all(bytes).or_error(|| "cannot write to a pipe".into())
}
