//! A pseudo-terminal between this process' terminal and a program inside: the program never holds the real one.
//! It does not know what runs on it.

use std::io::IsTerminal;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use qchroot_api::Result;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::termios::{
    OptionalActions, OutputModes, Termios, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize,
};

use super::channel::{readable, timeout};
use super::enter::{Ended, pass_on};
use super::signals::Signals;
use super::{fork, identity, kernel};
use crate::errors::OrError;

/// How long a program may go on after its terminal has gone, or its terminal after it.
const FAREWELL: Duration = Duration::from_secs(2);

/// How long the last output may take to come out once the program has ended and others still hold its terminal.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// As much as is read at once; a pipe that poll(2) calls writable takes that much.
const CHUNK: usize = 4096;

/// See the module.
pub(super) struct Terminal {
    ours: Option<OwnedFd>,
    theirs: Option<OwnedFd>,
    input: Vec<u8>,
    output: Vec<u8>,
    /// Our terminal has nothing more to say.
    gone: bool,
}

impl Terminal {
    /// A pseudo-terminal for a program of `uid`, when standard input is a terminal.
    pub(super) fn open(root: Option<BorrowedFd<'_>>, uid: u32) -> Result<Option<Self>> {
        if !std::io::stdin().is_terminal() {
            return Ok(None);
        }
        let failed = || "cannot set up a pseudo-terminal".to_owned();
        let (ours, theirs) = kernel::open_terminal(root)?;
        let modes = tcgetattr(rustix::stdio::stdin()).or_error(failed)?;
        tcsetattr(&theirs, OptionalActions::Now, &modes).or_error(failed)?;
        rustix::fs::fchown(&theirs, Some(rustix::fs::Uid::from_raw(uid)), None).or_error(failed)?;
        fcntl(&ours, FcntlArg::F_SETFL(OFlag::O_RDWR | OFlag::O_NONBLOCK)).or_error(failed)?;
        let terminal =
            Self { ours: Some(ours), theirs: Some(theirs), input: vec![], output: vec![], gone: false };
        terminal.copy_size();
        Ok(Some(terminal))
    }

    /// In the child, the leader of a session: takes the pseudo-terminal in the place of every stream that is
    /// a terminal.
    pub(super) fn take(&self) -> Result<()> {
        let Some(theirs) = &self.theirs else { return Ok(()) };
        kernel::take_terminal(theirs.as_fd()).or_error(|| "cannot take the pseudo-terminal".into())?;
        let instead = |terminal: bool| terminal.then(|| theirs.as_fd());
        identity::set_stdio([
            Some(theirs.as_fd()),
            instead(std::io::stdout().is_terminal()),
            instead(std::io::stderr().is_terminal()),
        ])
    }

    /// In the parent, at once: FreeBSD throws away what was not read when a session ends whose terminal somebody else holds.
    pub(super) fn hand_over(&mut self) {
        self.theirs = None;
    }

    fn copy_size(&self) {
        // A terminal that has gone a moment ago has no size; the loop will notice.
        if let (Some(ours), Ok(size)) = (&self.ours, tcgetwinsize(rustix::stdio::stdin())) {
            let _ = tcsetwinsize(ours, size);
        }
    }

    /// Carries bytes both ways until the child has ended and all it wrote is shown; its exit status.
    pub(super) fn relay(&mut self, child: Pid, signals: &Signals, ended: Ended<'_>) -> Result<i32> {
        let _raw = Raw::set()?;
        let mut status = None;
        let mut last = None;
        loop {
            let patience = last.map(|last| (Instant::now() + LAST_WORDS).min(last));
            let moved = self.turn(signals, patience)?;
            for signal in signals.pending() {
                match signal {
                    Signal::SIGWINCH => self.copy_size(),
                    other if status.is_none() => pass_on(other, child)?,
                    _ => {}
                }
            }
            if status.is_none() {
                status = ended(child).or_error(|| "cannot wait for a child".into())?;
                last = status.map(|_| Instant::now() + FAREWELL);
            }
            let overdue = last.is_some_and(|last| Instant::now() >= last);
            match status {
                Some(status) if !moved || overdue || self.is_drained() => return Ok(status),
                None if self.gone => return self.hang_up(child, signals, ended),
                _ => {}
            }
        }
    }

    fn is_drained(&self) -> bool {
        self.gone || (self.ours.is_none() && self.output.is_empty())
    }

    /// Waits for what can be moved, and moves it; false when nothing could within the time.
    fn turn(&mut self, signals: &Signals, patience: Option<Instant>) -> Result<bool> {
        let (stdin, shown) = (rustix::stdio::stdin(), shown());
        let ended = patience.is_some();
        let when = |condition: bool, flag| if condition { flag } else { PollFlags::empty() };
        let listen = self.input.is_empty() && !ended;
        let idle = signals.as_fd();
        let ours = self.ours.as_ref().map_or(idle, |fd| fd.as_fd());
        let wanted =
            when(self.output.is_empty(), PollFlags::IN) | when(!self.input.is_empty(), PollFlags::OUT);
        let mut fds = [
            PollFd::from_borrowed_fd(idle, PollFlags::IN),
            PollFd::from_borrowed_fd(if listen { stdin } else { idle }, PollFlags::IN),
            PollFd::from_borrowed_fd(ours, if self.ours.is_some() { wanted } else { PollFlags::IN }),
            PollFd::from_borrowed_fd(if self.output.is_empty() { idle } else { shown }, PollFlags::OUT),
        ];
        match poll(&mut fds, timeout(patience).as_ref()) {
            Ok(0) => return Ok(false),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error).or_error(|| "cannot wait for a terminal".into()),
        }
        let [_, from_user, program, to_user] = fds.map(|fd| fd.revents());
        if listen && !from_user.is_empty() {
            self.gone |= !read_into(stdin, &mut self.input);
        }
        if self.ours.is_some() && !program.is_empty() {
            self.exchange(program);
        }
        if !self.output.is_empty() && !to_user.is_empty() {
            self.gone |= !write_from(shown, &mut self.output);
        }
        Ok(true)
    }

    fn exchange(&mut self, ready: PollFlags) {
        let Some(ours) = &self.ours else { return };
        if ready.contains(PollFlags::OUT) {
            write_from(ours.as_fd(), &mut self.input);
        }
        let closed = self.output.is_empty()
            && ready.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR)
            && !read_into(ours.as_fd(), &mut self.output);
        if closed {
            self.ours = None;
            self.input.clear();
        }
    }

    /// Our terminal has gone: so does the program's, and it is given a moment to end.
    fn hang_up(&mut self, child: Pid, signals: &Signals, ended: Ended<'_>) -> Result<i32> {
        let failed = || "cannot wait for a child".to_owned();
        pass_on(Signal::SIGHUP, child)?;
        pass_on(Signal::SIGCONT, child)?;
        self.ours = None;
        let end = Instant::now() + FAREWELL;
        loop {
            if let Some(status) = ended(child).or_error(failed)? {
                return Ok(status);
            }
            if !readable(signals.as_fd(), Some(end))? {
                kill(child, Signal::SIGKILL).or_error(|| "cannot end the program".into())?;
                return fork::wait(child).or_error(failed);
            }
            signals.pending();
        }
    }
}

/// The stream on which the user sees what the program's terminal shows.
fn shown() -> BorrowedFd<'static> {
    if std::io::stdout().is_terminal() {
        rustix::stdio::stdout()
    } else if std::io::stderr().is_terminal() {
        rustix::stdio::stderr()
    } else {
        rustix::stdio::stdin()
    }
}

/// Reads once; false at the end of file or when the other side is gone.
fn read_into(fd: BorrowedFd<'_>, buffer: &mut Vec<u8>) -> bool {
    let mut chunk = [0; CHUNK];
    match nix::unistd::read(fd, &mut chunk) {
        Ok(0) => false,
        Ok(count) => {
            buffer.extend_from_slice(&chunk[..count]);
            true
        }
        Err(Errno::EINTR | Errno::EAGAIN) => true,
        Err(_) => false,
    }
}

/// Writes once; false when the other side is gone.
fn write_from(fd: BorrowedFd<'_>, buffer: &mut Vec<u8>) -> bool {
    match nix::unistd::write(fd, buffer) {
        Ok(count) => {
            buffer.drain(..count);
            true
        }
        Err(Errno::EINTR | Errno::EAGAIN) => true,
        Err(_) => false,
    }
}

/// Our terminal in raw mode, until this is dropped.
struct Raw(Termios);

impl Raw {
    fn set() -> Result<Self> {
        let failed = || "cannot set the terminal's mode".to_owned();
        let before = tcgetattr(rustix::stdio::stdin()).or_error(failed)?;
        let mut raw = before.clone();
        raw.make_raw();
        if !std::io::stdout().is_terminal() {
            // Others of the pipeline may write to this terminal and count on it to return the carriage.
            raw.output_modes |= before.output_modes & (OutputModes::OPOST | OutputModes::ONLCR);
        }
        tcsetattr(rustix::stdio::stdin(), OptionalActions::Drain, &raw).or_error(failed)?;
        Ok(Self(before))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, &self.0);
    }
}
