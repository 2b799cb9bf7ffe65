//! A command that is run inside again and again to tell whether all is well. It does not know what follows from the
//! answers.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use qchroot_api::{Result, ServiceStep};

use super::{ended, surroundings};
use crate::process::channel::Received;
use crate::process::reaper::{KILL_ALL, Orphans, Reaper, Report};

/// How long the kernel may take to bury what was killed.
const BURIAL: Duration = Duration::from_secs(5);

/// All is well, or why it is not.
pub(super) type Answer = std::result::Result<(), String>;

/// See the module.
pub(super) struct Check {
    argv: Vec<String>,
    /// From one answer to the next question.
    pause: Duration,
    /// How long an answer may take.
    patience: Duration,
    /// When the next question is asked, or when the one that is asked has taken too long.
    due: Option<Instant>,
    asked: Option<Asked>,
}

/// A command that runs.
struct Asked {
    reaper: Reaper,
    answer: Answer,
    /// Its time is over, and it was killed.
    is_late: bool,
}

impl Check {
    /// One whose first question comes after `first`.
    pub(super) fn new(argv: &[String], first: Duration, pause: Duration, patience: Duration) -> Self {
        let due = Some(Instant::now() + first);
        Self { argv: argv.to_vec(), pause, patience, due, asked: None }
    }

    /// Has something to read when the command has something to tell.
    pub(super) fn side(&self) -> Option<BorrowedFd<'_>> {
        self.asked.as_ref().map(|asked| asked.reaper.reports.as_fd())
    }

    /// When it wants its turn in any case.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Does what is to be done now; an answer, if there is one.
    pub(super) fn turn(&mut self, step: &ServiceStep, output: BorrowedFd<'_>) -> Result<Option<Answer>> {
        let is_due = self.due.is_some_and(|due| Instant::now() >= due);
        let Some(asked) = &mut self.asked else {
            return Ok(if is_due { self.ask(step, output) } else { None });
        };
        if is_due {
            asked.answer = Err(format!("took longer than {} s", self.patience.as_secs()));
            asked.is_late = true;
            asked.reaper.signal(KILL_ALL);
            self.due = None;
        }
        Ok(if asked.listen()? { self.settle()? } else { None })
    }

    fn ask(&mut self, step: &ServiceStep, output: BorrowedFd<'_>) -> Option<Answer> {
        match surroundings::run(step, &self.argv, output, Orphans::Kill, None) {
            Ok(reaper) => {
                let answer = Err("was ended from outside".into());
                self.asked = Some(Asked { reaper, answer, is_late: false });
                self.due = Some(Instant::now() + self.patience);
                None
            }
            Err(error) => {
                self.due = Some(Instant::now() + self.pause);
                Some(Err(error.to_string()))
            }
        }
    }

    fn settle(&mut self) -> Result<Option<Answer>> {
        let Some(asked) = self.asked.take() else { return Ok(None) };
        self.due = Some(Instant::now() + self.pause);
        asked.reaper.bury()?;
        Ok(Some(asked.answer))
    }

    /// Ends a command that still runs, with everything it has started.
    pub(super) fn end(mut self) -> Result<()> {
        let Some(mut asked) = self.asked.take() else { return Ok(()) };
        asked.reaper.signal(KILL_ALL);
        let until = Instant::now() + BURIAL;
        loop {
            match asked.reaper.reports.receive(Some(until))? {
                Received::Message(_) => {}
                Received::Closed => return asked.reaper.bury(),
                Received::Nothing => return Ok(()), // its reaper goes on killing
            }
        }
    }
}

impl Asked {
    /// Hears what there is to hear; whether that was all.
    fn listen(&mut self) -> Result<bool> {
        loop {
            match self.reaper.reports.receive(Some(Instant::now()))? {
                Received::Message(Report::Ended(0)) if !self.is_late => self.answer = Ok(()),
                Received::Message(Report::Ended(status)) if !self.is_late => self.answer = Err(ended(status)),
                Received::Message(Report::Failed(error)) => self.answer = Err(error.to_string()),
                Received::Message(_) => {}
                Received::Closed => return Ok(true),
                Received::Nothing => return Ok(false),
            }
        }
    }
}
