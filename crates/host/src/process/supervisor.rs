//! Watches over one service of a container from outside: a process of its own that holds the service's lock,
//! writes its log and starts it again when it dies. It does not know who starts and stops it.

mod attend;
mod check;
mod events;
mod look;
mod readiness;
mod status;
mod surroundings;

use std::io::{IsTerminal, Read};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::unistd::setsid;
use qchroot_api::{Credentials, Error, ErrorKind, Restart, Result, ServiceRun, ServiceStep, Standing};
use serde::{Deserialize, Serialize};

use self::attend::End;
use self::events::{Event, Events};
use self::readiness::Readiness;
use self::status::StatusFile;
use super::channel::Sender;
use super::enter::{Passage, kept};
use super::reaper::{Orphans, Reaper, Report};
use super::rest::Rest;
use super::service::{self, Locked};
use super::{fork, identity};
use crate::errors::OrError;

/// The hidden first argument.
pub(super) const WORD: &str = "supervise";

/// A command that is alive after this time has started; earlier, when it waits for something to happen.
const GRACE: Duration = Duration::from_millis(200);

/// Between two looks whether a command has come to rest.
const LOOK: Duration = Duration::from_millis(1);

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
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    rustix::process::chdir("/").or_error(|| "cannot change to /".into())?;
    let until = Instant::now() + order.time;
    let begun = Supervisor::new(order.step).and_then(|mut supervisor| match supervisor.begin(until) {
        Ok(reaper) => Ok((supervisor, reaper)),
        Err(error) => {
            supervisor.status.stand(Standing::Failed);
            Err(error)
        }
    });
    answer.send(&begun.as_ref().map(|_| ()).map_err(Clone::clone));
    drop(answer);
    let (mut supervisor, reaper) = begun?;
    supervisor.watch(reaper)
}

struct Supervisor {
    step: ServiceStep,
    /// The process namespace that the service was first started in.
    home: Option<(u64, u64)>,
    _lock: Locked,
    events: Events,
    status: StatusFile,
}

impl Supervisor {
    fn new(step: ServiceStep) -> Result<Self> {
        let lock = service::take_lock(&step)?;
        let status = StatusFile::begin(&step.status);
        let events = Events::new(&step.log)?;
        let home = Passage::open(&step.way, &Credentials::root())?.namespace_id();
        Ok(Self { step, home, _lock: lock, events, status })
    }

    fn is_command(&self) -> bool {
        matches!(self.step.service.run, ServiceRun::Command { .. })
    }

    /// Starts the service, and waits until it can be said to run.
    fn begin(&mut self, until: Instant) -> Result<Reaper> {
        let mut readiness = self.arm()?;
        let begun = self.begin_with(readiness.as_mut(), until);
        let ended = readiness.map_or(Ok(()), Readiness::end);
        let reaper = begun?;
        ended?;
        self.status.stand(Standing::Running);
        Ok(reaper)
    }

    fn arm(&mut self) -> Result<Option<Readiness>> {
        let Some(ready) = &self.step.service.ready else { return Ok(None) };
        let armed = Readiness::arm(&self.step, ready);
        let (readiness, oddity) = armed.map_err(|error| error.while_doing(self.start_failed()))?;
        if let Some(oddity) = oddity {
            self.events.log.remark(&oddity);
        }
        Ok(Some(readiness))
    }

    fn begin_with(&mut self, mut readiness: Option<&mut Readiness>, until: Instant) -> Result<Reaper> {
        let argv = self.step.service.run.start_argv();
        let orphans = if self.is_command() { Orphans::Kill } else { Orphans::Keep };
        let news = readiness.as_mut().and_then(|readiness| readiness.end_for_service());
        let print = self.events.print();
        let mut reaper =
            surroundings::run(&self.step, &argv, print, orphans, news.as_ref().map(AsFd::as_fd))?;
        drop(news);
        self.status.descend_from(reaper.pid());
        let started = self.await_start(&mut reaper, until, readiness.is_some());
        let ready = started.and_then(|()| match readiness {
            Some(readiness) => self.await_ready(&mut reaper, readiness, until),
            None => Ok(()),
        });
        match ready {
            Ok(()) => Ok(reaper),
            Err(error) => {
                self.events.end(reaper)?;
                Err(self.with_output(error))
            }
        }
    }

    /// Waits until a script has come to its end, or a command is being executed; one that cannot say more gets time to
    /// fail, until it has come to rest.
    fn await_start(&mut self, reaper: &mut Reaper, mut until: Instant, says_more: bool) -> Result<()> {
        let is_command = self.is_command();
        let mut rest = None;
        loop {
            let due = rest.as_ref().map_or(until, |_| until.min(Instant::now() + LOOK));
            match self.events.next(Some(reaper), None, Some(due))? {
                Event::Report(Report::Started) if is_command && says_more => return Ok(()),
                Event::Report(Report::Started) if is_command => {
                    until = Instant::now() + GRACE;
                    rest = Some(Rest::below(reaper.pid()));
                }
                Event::Report(Report::Started) | Event::Side => {}
                Event::Report(Report::Failed(error)) => return Err(error.while_doing(self.start_failed())),
                Event::Report(Report::Ended(0)) if !is_command => return Ok(()),
                Event::Report(Report::Ended(status)) => return Err(self.failure_with(status)),
                Event::Time if Instant::now() < until && !rest.as_mut().is_some_and(Rest::is_long) => {}
                Event::Time if is_command => return Ok(()),
                Event::Time => return Err(self.failure("did not start in time")),
                Event::Gone => return Err(self.failure("ended before it had started")),
                Event::Signal(signal) => return Err(self.stopped_early(signal)),
            }
        }
    }

    fn await_ready(&mut self, reaper: &mut Reaper, readiness: &mut Readiness, until: Instant) -> Result<()> {
        loop {
            let due = readiness.due().map_or(until, |due| due.min(until));
            match self.events.next(Some(reaper), readiness.side(), Some(due))? {
                Event::Side | Event::Time => {
                    let turn = readiness.turn(&self.step, self.events.print());
                    if turn.map_err(|error| error.while_doing(self.start_failed()))? {
                        return Ok(());
                    }
                }
                Event::Report(Report::Ended(status)) if self.is_command() => {
                    return Err(self.failure_with(status));
                }
                Event::Report(Report::Failed(error)) => self.events.log.remark(&error.to_string()),
                Event::Report(_) => {}
                Event::Gone => return Err(self.failure("ended before it was ready")),
                Event::Signal(signal) => return Err(self.stopped_early(signal)),
            }
            if Instant::now() >= until {
                return Err(self.failure("was not ready in time"));
            }
        }
    }

    /// Stays until the service has ended for good.
    fn watch(&mut self, reaper: Reaper) -> Result<()> {
        let mut pause = PAUSES.0;
        let mut current = Some(reaper);
        while let Some(reaper) = current.take() {
            let begun = Instant::now();
            let end = self.attend(reaper)?;
            if self.is_over(end) {
                return Ok(());
            }
            if begun.elapsed() >= HEALTHY {
                pause = PAUSES.0;
            }
            while current.is_none() {
                if !self.has_home() || self.rest(pause)? || !self.has_home() {
                    self.status.stand(Standing::Stopped);
                    return Ok(());
                }
                pause = (pause * 2).min(PAUSES.1);
                current = self.again();
            }
        }
        Ok(())
    }

    /// Whether the container is still the one that the service belongs to. Started in one that was stopped, it
    /// would run outside of its process namespace, and outlive the next stop.
    fn has_home(&mut self) -> bool {
        let there = Passage::open(&self.step.way, &Credentials::root());
        let same = there.is_ok_and(|passage| passage.namespace_id() == self.home);
        if !same {
            self.events.log.remark("the container has stopped");
        }
        same
    }

    fn again(&mut self) -> Option<Reaper> {
        self.status.start_again();
        let time = start_time(&self.step, PAUSES.1);
        let begun = self.begin(Instant::now() + time);
        begun.inspect_err(|error| self.events.log.remark(&error.to_string())).ok()
    }

    /// Whether the service stays ended.
    fn is_over(&mut self, end: End) -> bool {
        let restart = self.step.service.restart;
        let (words, standing, is_over) = match end {
            End::Stopped => ("stopped".into(), Standing::Stopped, true),
            End::Unwell => ("ended".into(), Standing::Waiting, false),
            End::Itself(_) if !self.is_command() => {
                let words = "all processes of the service have ended";
                (words.into(), Standing::Ended, restart != Restart::Always)
            }
            End::Itself(Some(0)) => (ended(0), Standing::Ended, restart != Restart::Always),
            End::Itself(Some(status)) => (ended(status), Standing::Failed, restart == Restart::Never),
            End::Itself(None) => {
                let words = "its processes were ended from outside";
                (words.into(), Standing::Failed, restart == Restart::Never)
            }
        };
        self.events.log.remark(&words);
        self.status.stand(if is_over { standing } else { Standing::Waiting });
        is_over
    }

    /// A pause before a restart; true when the service was stopped meanwhile.
    fn rest(&mut self, pause: Duration) -> Result<bool> {
        self.status.stand(Standing::Waiting);
        self.events.log.remark(&format!("starting it again in {} s", pause.as_secs()));
        Ok(matches!(self.events.next(None, None, Some(Instant::now() + pause))?, Event::Signal(_)))
    }

    fn run(&self, argv: &[String], orphans: Orphans) -> Result<Reaper> {
        surroundings::run(&self.step, argv, self.events.print(), orphans, None)
    }

    fn start_failed(&self) -> String {
        let ServiceStep { service, container, .. } = &self.step;
        format!("cannot start service {} of {container}", service.name)
    }

    fn stopped_early(&mut self, signal: Signal) -> Error {
        self.events.put_back(signal);
        self.failure("was stopped while it started")
    }

    fn failure_with(&mut self, status: i32) -> Error {
        if self.is_command() {
            self.status.note_exit(status);
        }
        self.failure(&ended(status))
    }

    fn failure(&self, what: &str) -> Error {
        let ServiceStep { service, container, .. } = &self.step;
        Error::new(ErrorKind::System, format!("service {} of {container} {what}", service.name))
    }

    fn with_output(&self, error: Error) -> Error {
        let error = error.with("log", &self.step.log).hint(format!("see {}", self.step.log));
        match self.events.log.tail() {
            tail if tail.is_empty() => error,
            tail => error.cause(tail.join(" | ")),
        }
    }
}

/// The time that a service may take to start, where `rest` is left.
pub(super) fn start_time(step: &ServiceStep, rest: Duration) -> Duration {
    step.service.ready_timeout.map_or(rest, Duration::from_secs)
}

/// An end in words.
fn ended(status: i32) -> String {
    match status.checked_sub(128).and_then(|number| Signal::try_from(number).ok()) {
        Some(signal) => format!("was ended by {signal}"),
        None => format!("ended with status {status}"),
    }
}
