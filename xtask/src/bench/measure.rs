//! Times of programs: what a clock on the wall shows and what the processors spent.

use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike};

use crate::Result;
use crate::run::Run;

/// Runs before the first that counts.
const WARM_UP: usize = 5;

/// The times of many runs of the same command, in the order in which they ran.
#[derive(Debug, Default, Clone)]
pub(super) struct Series {
    wall: Vec<Duration>,
    cpu: Vec<Duration>,
}

impl Series {
    /// Runs `command` and adds its times; an error if it fails, because a failure may be quick.
    pub(super) fn add(&mut self, command: Run) -> Result<()> {
        let (cpu, start) = (cpu_of_children()?, Instant::now());
        command.silently()?;
        self.wall.push(start.elapsed());
        self.cpu.push(cpu_of_children()?.saturating_sub(cpu));
        Ok(())
    }

    pub(super) fn wall(&self) -> Spread {
        Spread::of(&self.wall)
    }

    /// User and system time together, of the program and of all its children that it waited for.
    pub(super) fn cpu(&self) -> Spread {
        Spread::of(&self.cpu)
    }
}

/// The least and the middle of some times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spread {
    pub(super) min: Duration,
    pub(super) median: Duration,
}

impl Spread {
    fn of(times: &[Duration]) -> Self {
        let mut sorted = times.to_vec();
        sorted.sort_unstable();
        let at = |index: usize| sorted.get(index).copied().unwrap_or_default();
        Self { min: at(0), median: at(sorted.len() / 2) }
    }
}

/// Runs `command` alone, `runs` times.
pub(super) fn alone(runs: usize, command: impl Fn() -> Run) -> Result<Series> {
    let mut series = Series::default();
    for _ in 0..WARM_UP {
        command().silently()?;
    }
    for _ in 0..runs {
        series.add(command())?;
    }
    Ok(series)
}

/// Runs `one` and `other` by turns, so that what disturbs the machine disturbs both.
pub(super) fn by_turns(
    runs: usize,
    one: impl Fn() -> Run,
    other: impl Fn() -> Run,
) -> Result<(Series, Series)> {
    let (mut first, mut second) = (Series::default(), Series::default());
    for _ in 0..WARM_UP {
        one().silently()?;
        other().silently()?;
    }
    for _ in 0..runs {
        first.add(one())?;
        second.add(other())?;
    }
    Ok((first, second))
}

/// As [`by_turns`] for commands that take seconds, each prepared outside the measured time; one run of each
/// warms up.
pub(super) fn by_turns_of(
    runs: usize,
    one: impl Fn() -> Result<Run>,
    other: impl Fn() -> Result<Run>,
) -> Result<(Series, Series)> {
    let (mut first, mut second) = (Series::default(), Series::default());
    one()?.silently()?;
    other()?.silently()?;
    for _ in 0..runs {
        first.add(one()?)?;
        second.add(other()?)?;
    }
    Ok((first, second))
}

fn cpu_of_children() -> Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let micros = |time: TimeVal| u64::try_from(time.num_microseconds()).unwrap_or(0);
    Ok(Duration::from_micros(micros(usage.user_time()) + micros(usage.system_time())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_and_the_middle_do_not_depend_on_the_order() {
        let times = [9, 1, 5, 3, 7].map(Duration::from_millis);
        let spread = Spread::of(&times);
        assert_eq!(spread, Spread { min: Duration::from_millis(1), median: Duration::from_millis(5) });
    }

    #[test]
    fn work_costs_cpu_time_and_waiting_does_not() {
        let sh = |script: &'static str| move || Run::new("sh").args(["-c", script]);
        let busy = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done";
        let (work, wait) = by_turns(3, sh(busy), sh("sleep 0.05")).unwrap();
        assert!(wait.wall().min >= Duration::from_millis(50), "{wait:?}");
        assert!(work.cpu().min > wait.cpu().min, "{work:?} {wait:?}");
    }

    #[test]
    fn a_failure_is_no_measurement() {
        assert!(alone(1, || Run::new("false")).is_err());
    }
}
