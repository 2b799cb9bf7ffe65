//! One run of a service, from when it is ready to its end: it is asked whether it is well, and told to stop. It does
//! not decide whether another run follows.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use qchroot_api::{Health, Restart, Result, ServiceRun, Standing};

use super::check::Check;
use super::events::Event;
use super::{Supervisor, ended};
use crate::process::reaper::{ASK_ALL, KILL_ALL, Orphans, Reaper, Report};

/// How long a service that is not well may take to end before it is killed.
const PATIENCE: Duration = Duration::from_secs(15);

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// By itself, with the status of its command; a script's processes have none that says anything.
    Itself(Option<i32>),
    /// Somebody wanted it to.
    Stopped,
    /// It was not well, and was ended to be started again.
    Unwell,
}

/// A service that runs.
struct Run {
    reaper: Reaper,
    status: Option<i32>,
    /// Why it is being ended.
    ending: Option<End>,
    /// When it is killed.
    kill_at: Option<Instant>,
    care: Option<Care>,
}

/// How it is looked after.
struct Care {
    check: Check,
    bad: u32,
}

impl Care {
    fn new(health: &Health) -> Self {
        let [pause, patience] = [health.interval, health.timeout].map(Duration::from_secs);
        Self { check: Check::new(&health.command, pause, pause, patience), bad: 0 }
    }
}

impl Supervisor {
    /// Stays with one run of the service until its last process has ended.
    pub(super) fn attend(&mut self, reaper: Reaper) -> Result<End> {
        let care = self.step.service.health.as_ref().map(Care::new);
        let mut run = Run { reaper, status: None, ending: None, kill_at: None, care };
        loop {
            let Run { reaper, care, kill_at, .. } = &mut run;
            let side = care.as_ref().and_then(|care| care.check.side());
            let due = care.as_ref().and_then(|care| care.check.due());
            let until = [due, *kill_at].into_iter().flatten().min();
            match self.events.next(Some(reaper), side, until)? {
                Event::Report(Report::Ended(status)) => self.note_end(&mut run, status),
                Event::Report(Report::Failed(error)) => self.events.log.remark(&error.to_string()),
                Event::Report(Report::Started) => {}
                Event::Side | Event::Time => self.turn(&mut run)?,
                Event::Signal(signal) => self.obey(&mut run, signal)?,
                Event::Gone => return self.close(run),
            }
        }
    }

    fn note_end(&mut self, run: &mut Run, status: i32) {
        if matches!(self.step.service.run, ServiceRun::Command { .. }) {
            run.status = Some(status);
            self.status.note_exit(status);
        }
    }

    /// What is due.
    fn turn(&mut self, run: &mut Run) -> Result<()> {
        if run.kill_at.is_some_and(|at| Instant::now() >= at) {
            run.kill_at = None;
            run.reaper.signal(KILL_ALL);
        }
        let (Some(care), Some(health)) = (&mut run.care, &self.step.service.health) else { return Ok(()) };
        let Some(answer) = care.check.turn(&self.step, self.events.print())? else { return Ok(()) };
        match answer {
            Ok(()) => {
                care.bad = 0;
                self.status.stand(Standing::Running);
            }
            Err(why) => {
                care.bad = care.bad.saturating_add(1);
                self.status.stand(Standing::Unhealthy);
                self.events.finish();
                self.events.log.remark(&format!("its health command {why}; {} in a row", care.bad));
                if care.bad >= health.retries && self.step.service.restart != Restart::Never {
                    self.give_up_on(run)?;
                }
            }
        }
        Ok(())
    }

    /// Ends a service that is not well, so that it is started again.
    fn give_up_on(&mut self, run: &mut Run) -> Result<()> {
        self.events.log.remark("it is not well and is ended");
        run.ending = Some(End::Unwell);
        run.look_away()?;
        self.run_stop_script(Some(Instant::now() + PATIENCE))?;
        run.kill_at = Some(Instant::now() + PATIENCE);
        run.reaper.signal(ASK_ALL);
        Ok(())
    }

    fn obey(&mut self, run: &mut Run, signal: Signal) -> Result<()> {
        let is_first = run.ending.is_none();
        run.ending = Some(End::Stopped);
        run.kill_at = None;
        run.look_away()?;
        if is_first && signal == ASK_ALL {
            self.run_stop_script(None)?;
        }
        run.reaper.signal(signal);
        Ok(())
    }

    fn close(&mut self, mut run: Run) -> Result<End> {
        run.look_away()?;
        run.reaper.bury()?;
        self.events.finish();
        Ok(run.ending.unwrap_or(End::Itself(run.status)))
    }

    /// Runs the service's own way to stop, if it has one, to its end or until somebody is tired of waiting.
    fn run_stop_script(&mut self, until: Option<Instant>) -> Result<()> {
        let Some(argv) = self.step.service.run.stop_argv() else { return Ok(()) };
        let name = argv.join(" ");
        let mut reaper = match self.run(&argv, Orphans::Kill) {
            Ok(reaper) => reaper,
            Err(error) => {
                self.events.log.remark(&error.to_string());
                return Ok(());
            }
        };
        loop {
            let remark = match self.events.next(Some(&mut reaper), None, until)? {
                Event::Report(Report::Ended(0) | Report::Started) | Event::Side => continue,
                Event::Report(Report::Ended(status)) => format!("{name} {}", ended(status)),
                Event::Report(Report::Failed(error)) => error.to_string(),
                Event::Gone => return reaper.bury(),
                Event::Time => return self.end_stop_script(reaper),
                Event::Signal(signal) => {
                    self.events.put_back(signal);
                    return self.end_stop_script(reaper);
                }
            };
            self.events.log.remark(&remark);
        }
    }

    fn end_stop_script(&mut self, reaper: Reaper) -> Result<()> {
        if let Some(argv) = self.step.service.run.stop_argv() {
            self.events.log.remark(&format!("{} takes too long and is ended", argv.join(" ")));
        }
        self.events.end(reaper)
    }
}

impl Run {
    /// Asks no more how it is.
    fn look_away(&mut self) -> Result<()> {
        self.care.take().map_or(Ok(()), |care| care.check.end())
    }
}
