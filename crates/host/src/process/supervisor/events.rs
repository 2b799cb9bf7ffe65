//! Everything a supervisor waits for, one thing at a time; what the service prints is logged meanwhile. It does not
//! know what is done about it.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Instant;

use camino::Utf8Path;
use nix::fcntl::OFlag;
use nix::sys::signal::Signal;
use qchroot_api::Result;
use rustix::event::{PollFd, PollFlags, poll};

use crate::errors::OrError;
use crate::process::channel::{Received, timeout};
use crate::process::identity;
use crate::process::log::Log;
use crate::process::reaper::{ASK_ALL, KILL_ALL, Reaper, Report};
use crate::process::signals::Signals;

/// As much of what is printed is taken at once: little, so that a supervisor stays small.
const CHUNK: usize = 8 << 10;

/// What has happened.
pub(super) enum Event {
    /// Somebody wants the service to end.
    Signal(Signal),
    /// The reaper tells of its program.
    Report(Report),
    /// The reaper has ended, and with it the last process of the service.
    Gone,
    /// There is something to read at the side.
    Side,
    /// The time has come.
    Time,
}

/// See the module.
pub(super) struct Events {
    pub(super) log: Log,
    /// What all processes of the service print.
    printed: OwnedFd,
    print: OwnedFd,
    signals: Signals,
    pending: VecDeque<Signal>,
}

#[derive(Default)]
struct Woken {
    reaper: bool,
    side: bool,
}

impl Events {
    /// From now on signals are taken as wishes, and what is printed goes to the log `log`.
    pub(super) fn new(log: &Utf8Path) -> Result<Self> {
        let log = Log::open(log)?;
        let (printed, print) =
            nix::unistd::pipe2(OFlag::O_CLOEXEC).or_error(|| "cannot make a pipe".into())?;
        rustix::io::ioctl_fionbio(&printed, true).or_error(|| "cannot set up a pipe".into())?;
        let signals = Signals::catch(&[ASK_ALL, KILL_ALL])?;
        identity::unblock_signals()?;
        Ok(Self { log, printed, print, signals, pending: VecDeque::new() })
    }

    /// Where the service prints to.
    pub(super) fn print(&self) -> BorrowedFd<'_> {
        self.print.as_fd()
    }

    /// Keeps a signal for the next who waits.
    pub(super) fn put_back(&mut self, signal: Signal) {
        self.pending.push_front(signal);
    }

    /// The next thing that happens, until `until`.
    pub(super) fn next(
        &mut self,
        mut reaper: Option<&mut Reaper>,
        side: Option<BorrowedFd<'_>>,
        until: Option<Instant>,
    ) -> Result<Event> {
        loop {
            if let Some(signal) = self.pending.pop_front() {
                return Ok(Event::Signal(signal));
            }
            let woken = self.wait(reaper.as_deref(), side, until)?;
            self.drain();
            self.pending.extend(self.signals.pending());
            if !self.pending.is_empty() {
                continue;
            }
            if let Some(reaper) = reaper.as_mut().filter(|_| woken.reaper) {
                return Ok(match reaper.reports.receive(None)? {
                    Received::Message(report) => Event::Report(report),
                    Received::Closed | Received::Nothing => Event::Gone,
                });
            }
            if woken.side {
                return Ok(Event::Side);
            }
            if until.is_some_and(|until| Instant::now() >= until) {
                return Ok(Event::Time);
            }
        }
    }

    fn wait(
        &self,
        reaper: Option<&Reaper>,
        side: Option<BorrowedFd<'_>>,
        until: Option<Instant>,
    ) -> Result<Woken> {
        if reaper.is_some_and(|reaper| reaper.reports.has_message()) {
            return Ok(Woken { reaper: true, side: false });
        }
        let idle = self.printed.as_fd();
        let reports = reaper.map_or(idle, |reaper| reaper.reports.as_fd());
        let mut fds = [self.signals.as_fd(), idle, reports, side.unwrap_or(idle)]
            .map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN));
        match poll(&mut fds, timeout(until).as_ref()) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => return Ok(Woken::default()),
            Err(error) => return Err(error).or_error(|| "cannot wait for a service".into()),
        }
        let [_, _, reports, at_side] = fds.map(|fd| !fd.revents().is_empty());
        Ok(Woken { reaper: reaper.is_some() && reports, side: side.is_some() && at_side })
    }

    /// Logs what is there to read, and no more than a pipe holds, so that signals are heard in between.
    fn drain(&mut self) {
        let mut chunk = [0; CHUNK];
        if let Ok(count @ 1..) = nix::unistd::read(&self.printed, &mut chunk) {
            self.log.take(&chunk[..count]);
        }
    }

    /// Logs all that was printed.
    pub(super) fn finish(&mut self) {
        self.log.finish_line();
    }

    /// Kills all that is left below a reaper, and keeps what it still prints.
    pub(super) fn end(&mut self, mut reaper: Reaper) -> Result<()> {
        reaper.signal(KILL_ALL);
        let mut asked = std::mem::take(&mut self.pending);
        loop {
            match self.next(Some(&mut reaper), None, None)? {
                Event::Gone => break,
                Event::Signal(signal) => asked.push_back(signal),
                Event::Report(_) | Event::Side | Event::Time => {}
            }
        }
        self.pending = asked;
        self.finish();
        reaper.bury()
    }
}
