//! Watches over one service of a container from outside: a process of its own that holds the service's lock,
//! writes its log and starts it again when it dies. It does not know who starts and stops it.

use std::collections::{BTreeMap, VecDeque};
use std::io::{IsTerminal, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;
use nix::sys::signal::Signal;
use nix::unistd::setsid;
use qchroot_api::{Credentials, Error, ErrorKind, Result, ServiceRun, ServiceStep};
use rustix::event::{PollFd, PollFlags, poll};
use serde::{Deserialize, Serialize};

use super::channel::{Received, Sender, timeout};
use super::enter::{Passage, kept};
use super::log::Log;
use super::program::Program;
use super::reaper::{ASK_ALL, KILL_ALL, Orphans, Reaper, Report};
use super::rules::Hold;
use super::service::{self, Locked};
use super::signals::Signals;
use super::{fork, identity};
use crate::errors::OrError;

/// The hidden first argument.
pub(super) const WORD: &str = "supervise";

/// A command that is alive after this time has started.
const GRACE: Duration = Duration::from_millis(200);

/// Waits between restarts: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// A command that lived this long starts over with the first pause.
const HEALTHY: Duration = Duration::from_secs(10);

/// What a supervisor is told on its standard input.
#[derive(Serialize, Deserialize)]
pub(super) struct Order {
    /// The service.
    pub(super) step: ServiceStep,
    /// The time it may take to start.
    pub(super) time: Duration,
}

/// Becomes a supervisor when this program was started as one. The program's `main` calls it first of all, and
/// ends with the status it is given, if any.
pub fn supervise_main() -> Option<i32> {
    let words: Vec<_> = std::env::args_os().collect();
    if words.len() != 4 || words[1] != WORD || std::io::stdin().is_terminal() {
        return None;
    }
    let mut text = vec![];
    std::io::stdin().lock().read_to_end(&mut text).ok()?;
    let order: Order = serde_json::from_slice(&text).ok()?;
    // In a child, so that whoever started this one need not stay its parent.
    let status = fork::fork(|| i32::from(supervise(order).is_err()));
    Some(i32::from(status.is_err()))
}

fn supervise(order: Order) -> Result<()> {
    setsid().or_error(|| "cannot begin a session".into())?;
    identity::default_actions();
    identity::close_others(&[1])?;
    let answer: Sender<Result<()>> = kept(3).into();
    identity::silence()?;
    rustix::process::chdir("/").or_error(|| "cannot change to /".into())?;
    let until = Instant::now() + order.time;
    let begun = Supervisor::new(order.step).and_then(|mut supervisor| {
        let reaper = supervisor.begin(until)?;
        Ok((supervisor, reaper))
    });
    answer.send(&begun.as_ref().map(|_| ()).map_err(Clone::clone));
    drop(answer);
    let (mut supervisor, reaper) = begun?;
    supervisor.watch(reaper)
}

enum Event {
    Signal(Signal),
    Report(Report),
    /// The reaper has ended, and with it the last process of the service.
    Gone,
    Time,
}

struct Supervisor {
    step: ServiceStep,
    /// The process namespace that the service was first started in.
    home: Option<(u64, u64)>,
    _lock: Locked,
    log: Log,
    /// What all processes of the service print.
    printed: OwnedFd,
    print: OwnedFd,
    signals: Signals,
    pending: VecDeque<Signal>,
}

impl Supervisor {
    fn new(step: ServiceStep) -> Result<Self> {
        let lock = service::take_lock(&step)?;
        let log = Log::open(&step.log)?;
        let (printed, print) =
            nix::unistd::pipe2(OFlag::O_CLOEXEC).or_error(|| "cannot make a pipe".into())?;
        rustix::io::ioctl_fionbio(&printed, true).or_error(|| "cannot set up a pipe".into())?;
        let signals = Signals::catch(&[ASK_ALL, KILL_ALL])?;
        identity::unblock_signals()?;
        let home = Passage::open(&step.way, &Credentials::root())?.namespace_id();
        Ok(Self { step, home, _lock: lock, log, printed, print, signals, pending: VecDeque::new() })
    }

    /// Starts the service, and waits until it can be said to run.
    fn begin(&mut self, until: Instant) -> Result<Reaper> {
        let (argv, orphans) = match &self.step.service.run {
            ServiceRun::Command { argv } => (argv.clone(), Orphans::Kill),
            ServiceRun::Script { path, start, .. } => (vec![path.to_string(), start.clone()], Orphans::Keep),
            _ => return Err(self.failure("is of a kind not known here")),
        };
        let mut reaper = self.run(&argv, orphans)?;
        match self.await_start(&mut reaper, until, orphans == Orphans::Kill) {
            Ok(()) => Ok(reaper),
            Err(error) => {
                self.end(reaper)?;
                Err(self.with_output(error))
            }
        }
    }

    fn await_start(&mut self, reaper: &mut Reaper, until: Instant, is_command: bool) -> Result<()> {
        let mut until = until;
        loop {
            match self.next(Some(reaper), Some(until))? {
                Event::Report(Report::Started) if is_command => until = Instant::now() + GRACE,
                Event::Report(Report::Started) => {}
                Event::Report(Report::Failed(error)) => return Err(error.while_doing(self.start_failed())),
                Event::Report(Report::Ended(0)) if !is_command => return Ok(()),
                Event::Report(Report::Ended(status)) => return Err(self.failure(&ended(status))),
                Event::Time if is_command => return Ok(()),
                Event::Time => return Err(self.failure("did not start in time")),
                Event::Gone => return Err(self.failure("ended before it had started")),
                Event::Signal(signal) => {
                    self.pending.push_front(signal);
                    return Err(self.failure("was stopped while it started"));
                }
            }
        }
    }

    /// Stays until the service has ended for good.
    fn watch(&mut self, reaper: Reaper) -> Result<()> {
        let mut pause = PAUSES.0;
        let mut current = Some(reaper);
        loop {
            let Some(reaper) = current.take() else { return Ok(()) };
            let begun = Instant::now();
            let is_over = self.attend(reaper)?;
            if is_over {
                return Ok(());
            }
            if begun.elapsed() >= HEALTHY {
                pause = PAUSES.0;
            }
            while current.is_none() {
                if !self.has_home() || self.rest(pause)? || !self.has_home() {
                    return Ok(());
                }
                pause = (pause * 2).min(PAUSES.1);
                current = self.again();
            }
        }
    }

    /// Whether the container is still the one that the service belongs to. Started in one that was stopped, it
    /// would run outside of its process namespace, and outlive the next stop.
    fn has_home(&mut self) -> bool {
        let there = Passage::open(&self.step.way, &Credentials::root());
        let same = there.is_ok_and(|passage| passage.namespace_id() == self.home);
        if !same {
            self.log.remark("the container has stopped");
        }
        same
    }

    fn again(&mut self) -> Option<Reaper> {
        let begun = self.begin(Instant::now() + PAUSES.1);
        begun.inspect_err(|error| self.log.remark(&error.to_string())).ok()
    }

    /// Lets one run of the service end; whether it must not be started again.
    fn attend(&mut self, mut reaper: Reaper) -> Result<bool> {
        let (mut stopping, mut status) = (false, None);
        loop {
            match self.next(Some(&mut reaper), None)? {
                Event::Report(Report::Ended(code)) => status = Some(code),
                Event::Report(Report::Failed(error)) => self.log.remark(&error.to_string()),
                Event::Report(Report::Started) | Event::Time => {}
                Event::Signal(ASK_ALL) => {
                    if !stopping {
                        self.run_stop_script()?;
                    }
                    stopping = true;
                    reaper.signal(ASK_ALL);
                }
                Event::Signal(other) => {
                    stopping = true;
                    reaper.signal(other);
                }
                Event::Gone => {
                    reaper.bury()?;
                    self.log.finish_line();
                    return Ok(self.is_over(stopping, status));
                }
            }
        }
    }

    fn is_over(&mut self, stopping: bool, status: Option<i32>) -> bool {
        let is_command = matches!(self.step.service.run, ServiceRun::Command { .. });
        match status {
            _ if stopping => self.log.remark("stopped"),
            _ if !is_command => self.log.remark("all processes of the service have ended"),
            Some(0) => self.log.remark("ended with status 0"),
            Some(status) => self.log.remark(&ended(status)),
            None => self.log.remark("its processes were ended from outside"),
        }
        stopping || !is_command || status == Some(0)
    }

    /// A pause before a restart; true when the service was stopped meanwhile.
    fn rest(&mut self, pause: Duration) -> Result<bool> {
        self.log.remark(&format!("starting it again in {} s", pause.as_secs()));
        Ok(matches!(self.next(None, Some(Instant::now() + pause))?, Event::Signal(_)))
    }

    /// Runs the service's own way to stop, if it has one, to its end or until somebody is tired of waiting.
    fn run_stop_script(&mut self) -> Result<()> {
        let ServiceRun::Script { path, stop, .. } = self.step.service.run.clone() else { return Ok(()) };
        let mut reaper = match self.run(&[path.to_string(), stop], Orphans::Kill) {
            Ok(reaper) => reaper,
            Err(error) => {
                self.log.remark(&error.to_string());
                return Ok(());
            }
        };
        loop {
            match self.next(Some(&mut reaper), None)? {
                Event::Report(Report::Ended(0) | Report::Started) | Event::Time => {}
                Event::Report(Report::Ended(status)) => {
                    self.log.remark(&format!("{path}: {}", ended(status)))
                }
                Event::Report(Report::Failed(error)) => self.log.remark(&error.to_string()),
                Event::Gone => return reaper.bury(),
                Event::Signal(signal) => {
                    self.log.remark(&format!("{path} takes too long and is ended"));
                    self.pending.push_front(signal);
                    return self.end(reaper);
                }
            }
        }
    }

    fn run(&self, argv: &[String], orphans: Orphans) -> Result<Reaper> {
        let passage = Passage::open(&self.step.way, &Credentials::root())?;
        let program = Program::new(&passage.words(argv), None, &environment())?;
        let hold = Hold::new(self.step.way.rules())?;
        Reaper::start(&passage, &hold, &program, self.print.as_fd(), orphans)
    }

    /// Kills all that is left below a reaper, and keeps what it still prints.
    fn end(&mut self, mut reaper: Reaper) -> Result<()> {
        reaper.signal(KILL_ALL);
        let mut asked = std::mem::take(&mut self.pending);
        loop {
            match self.next(Some(&mut reaper), None)? {
                Event::Gone => break,
                Event::Signal(signal) => asked.push_back(signal),
                Event::Report(_) | Event::Time => {}
            }
        }
        self.pending = asked;
        self.log.finish_line();
        reaper.bury()
    }

    /// The next thing that happens; what the service prints is logged meanwhile.
    fn next(&mut self, mut reaper: Option<&mut Reaper>, until: Option<Instant>) -> Result<Event> {
        loop {
            if let Some(signal) = self.pending.pop_front() {
                return Ok(Event::Signal(signal));
            }
            if let Some(reaper) = &mut reaper
                && (reaper.reports.has_message() || self.wait(Some(reaper), until)? == Woken::Reaper)
            {
                self.drain();
                return Ok(match reaper.reports.receive(None)? {
                    Received::Message(report) => Event::Report(report),
                    Received::Closed | Received::Nothing => Event::Gone,
                });
            } else if reaper.is_none() {
                self.wait(None, until)?;
            }
            self.drain();
            self.pending.extend(self.signals.pending());
            if self.pending.is_empty() && until.is_some_and(|until| Instant::now() >= until) {
                return Ok(Event::Time);
            }
        }
    }

    fn wait(&self, reaper: Option<&Reaper>, until: Option<Instant>) -> Result<Woken> {
        let idle = self.printed.as_fd();
        let reports = reaper.map_or(idle, |reaper| reaper.reports.as_fd());
        let mut fds =
            [self.signals.as_fd(), idle, reports].map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN));
        match poll(&mut fds, timeout(until).as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error).or_error(|| "cannot wait for a service".into()),
        }
        let is_reaper = reaper.is_some() && fds[0].revents().is_empty() && !fds[2].revents().is_empty();
        Ok(if is_reaper { Woken::Reaper } else { Woken::Other })
    }

    /// Logs what is there to read, and no more than a pipe holds, so that signals are heard in between.
    fn drain(&mut self) {
        let mut chunk = [0; 64 << 10];
        if let Ok(count @ 1..) = nix::unistd::read(&self.printed, &mut chunk) {
            self.log.take(&chunk[..count]);
        }
    }

    fn start_failed(&self) -> String {
        let ServiceStep { service, container, .. } = &self.step;
        format!("cannot start service {} of {container}", service.name)
    }

    fn failure(&self, what: &str) -> Error {
        let ServiceStep { service, container, .. } = &self.step;
        Error::new(ErrorKind::System, format!("service {} of {container} {what}", service.name))
    }

    fn with_output(&self, error: Error) -> Error {
        let error = error.with("log", &self.step.log).hint(format!("see {}", self.step.log));
        match self.log.tail() {
            tail if tail.is_empty() => error,
            tail => error.cause(tail.join(" | ")),
        }
    }
}

#[derive(PartialEq, Eq)]
enum Woken {
    Reaper,
    Other,
}

/// An end in words.
fn ended(status: i32) -> String {
    match status.checked_sub(128).and_then(|number| Signal::try_from(number).ok()) {
        Some(signal) => format!("was ended by {signal}"),
        None => format!("ended with status {status}"),
    }
}

/// All that a service is told of its surroundings.
fn environment() -> BTreeMap<String, String> {
    let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    [("PATH", path), ("HOME", "/root"), ("LANG", "C.UTF-8")].map(|(k, v)| (k.to_owned(), v.to_owned())).into()
}
