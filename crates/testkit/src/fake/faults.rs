//! Faults on order: a step that fails, a process that dies at a given point. It knows no steps.

use qchroot_api::{Error, ErrorKind, Result};

/// On which side of an effect a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The effect is not there.
    Before,
    /// The effect is there, but nobody was told.
    After,
}

/// Counters and what is armed against them; both counters start when a fault is armed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    applies: u64,
    ticks: u64,
    fail: Option<(u64, Moment)>,
    crash: Option<(u64, Moment)>,
    crashed: bool,
}

impl Faults {
    pub(crate) fn fail(&mut self, at: u64, moment: Moment) {
        (self.applies, self.fail) = (0, Some((at, moment)));
    }

    pub(crate) fn crash(&mut self, at: u64, moment: Moment) {
        (self.ticks, self.crash) = (0, Some((at, moment)));
    }

    pub(crate) fn applies(&self) -> u64 {
        self.applies
    }

    pub(crate) fn ticks(&self) -> u64 {
        self.ticks
    }

    pub(crate) fn is_crashed(&self) -> bool {
        self.crashed
    }

    /// Refuses every call after the crash.
    pub(crate) fn alive(&self) -> Result<()> {
        if self.crashed { Err(Error::new(ErrorKind::Internal, "crashed")) } else { Ok(()) }
    }

    /// Counts one call that changes the machine.
    pub(crate) fn tick(&mut self) {
        self.ticks += 1;
    }

    /// Counts one step.
    pub(crate) fn count_apply(&mut self) {
        self.applies += 1;
    }

    /// Strikes if the process is to die now.
    pub(crate) fn may_crash(&mut self, now: Moment) -> Result<()> {
        if self.crash == Some((self.ticks, now)) {
            self.crashed = true;
        }
        self.alive()
    }

    /// Strikes if the step is to fail now.
    pub(crate) fn may_fail(&self, now: Moment, step: &dyn std::fmt::Display) -> Result<()> {
        if self.fail == Some((self.applies, now)) {
            return Err(Error::new(ErrorKind::Io, format!("cannot {step}")).cause("input/output error"));
        }
        Ok(())
    }
}
