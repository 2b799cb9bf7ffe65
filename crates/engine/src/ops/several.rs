//! `start`, `stop` and `restart` of any number of containers: by level of what they need of each other, several at
//! once. How one is started or stopped is told elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use qchroot_api::{Error, ErrorKind, Name, Progress, Result, Step};

use crate::parallel::in_order;
use crate::state::Observed;
use crate::{Engine, Outcome, Point, State, Watch};

/// Hears what became of each container, in an order that does not depend on how many are worked on at once.
pub type Told<'a> = dyn FnMut(&Name, Result<Outcome>) + 'a;

/// So many locks are held at once: each is an open file, and a process may have 1024 where nobody says otherwise.
const TOGETHER: usize = 256;

/// What a container gets at least of the time for all, where there is as much.
const FAIR_SHARE: Duration = Duration::from_secs(1);

impl Engine<'_> {
    /// Starts these containers and all that they require, at most `jobs` at once. Each starts after those it names; one
    /// that requires another which did not start is not started, and the others go on.
    pub fn start_all(&self, names: &[Name], jobs: NonZeroUsize, told: &mut Told<'_>) {
        let (needs, mut all) = self.with_required(names);
        all.retain(|name| names.contains(name) || !self.is_started(name).unwrap_or(false));
        let (levels, circling) = needs.levels(&all);
        let mut failed: BTreeSet<Name> = circling.keys().cloned().collect();
        circling.into_iter().for_each(|(name, error)| told(&name, Err(error)));
        for level in levels {
            let lacking = |name: &Name| needs.required_by(name).iter().find(|other| failed.contains(other));
            let without: BTreeMap<Name, Name> =
                level.iter().filter_map(|name| Some((name.clone(), lacking(name)?.clone()))).collect();
            let act = |engine: &Engine<'_>, _, name: &Name, observed: &Observed| match without.get(name) {
                Some(other) => Err(not_without(name, other)),
                None => engine.start_locked(name, observed),
            };
            self.at_once(&level, jobs, act, &mut |name, outcome| {
                if outcome.is_err() {
                    failed.insert(name.clone());
                }
                told(name, outcome);
            });
        }
    }

    /// Stops these containers, and first those that are up and require them, at most `jobs` at once: each before those
    /// that it starts after. `patience` is for all together.
    pub fn stop_all(&self, names: &[Name], jobs: NonZeroUsize, patience: Duration, told: &mut Told<'_>) {
        if let Err(error) = self.stop_levels(names, jobs, patience, told) {
            names.iter().for_each(|name| told(name, Err(error.clone())));
        }
    }

    fn stop_levels(
        &self,
        names: &[Name],
        jobs: NonZeroUsize,
        patience: Duration,
        told: &mut Told<'_>,
    ) -> Result<()> {
        let needs = self.all_needs()?;
        let observed = self.look()?;
        let mut all = needs.with_dependents(names);
        let is_down = |name: &Name| matches!(self.state(name, &observed), Ok((State::Stopped, _)));
        all.retain(|name| names.contains(name) || !is_down(name));
        let (mut levels, circling) = needs.levels(&all);
        levels.insert(0, circling.into_keys().collect()); // no order is right for them, and they stop all the same
        let end = self.deadline_in(patience);
        let waves = |names: &[Name]| names.len().div_ceil(jobs.get());
        while let Some(level) = levels.pop() {
            let later: usize = levels.iter().map(|level| waves(level)).sum();
            let act = |engine: &Engine<'_>, index: usize, name: &Name, observed: &Observed| {
                let left = end.0.saturating_sub(engine.host.steady_clock());
                let time = share(left, later + waves(&level[index..]), patience);
                engine.stop_locked(name, observed, time)
            };
            self.at_once(&level, jobs, act, told);
        }
        Ok(())
    }

    /// Stops these containers and those that are up and require them, then starts the same again.
    pub fn restart_all(&self, names: &[Name], jobs: NonZeroUsize, patience: Duration, told: &mut Told<'_>) {
        let mut able = names.to_vec();
        able.retain(|name| self.load(name).map(drop).map_err(|error| told(name, Err(error))).is_ok());
        let mut stopped = able.clone();
        self.stop_all(&able, jobs, patience, &mut |name, outcome| match outcome {
            Ok(_) if stopped.contains(name) => {}
            Ok(_) => stopped.push(name.clone()),
            Err(error) => {
                stopped.retain(|other| other != name);
                told(name, Err(error));
            }
        });
        self.start_all(&stopped, jobs, told);
    }

    /// Does `act` for each of `names` and its place among them, under its lock. The machine is looked at once for all
    /// that are locked together.
    fn at_once(
        &self,
        names: &[Name],
        jobs: NonZeroUsize,
        act: impl Fn(&Engine<'_>, usize, &Name, &Observed) -> Result<Outcome> + Sync,
        told: &mut Told<'_>,
    ) {
        for (number, together) in names.chunks(TOGETHER).enumerate() {
            let placed = |engine: &Engine<'_>, index, name: &Name, observed: &Observed| {
                act(engine, number * TOGETHER + index, name, observed)
            };
            self.at_once_together(together, jobs, placed, told);
        }
    }

    fn at_once_together(
        &self,
        names: &[Name],
        jobs: NonZeroUsize,
        act: impl Fn(&Engine<'_>, usize, &Name, &Observed) -> Result<Outcome> + Sync,
        told: &mut Told<'_>,
    ) {
        let locks = Mutex::new(names.iter().map(|name| Some(self.lock_container(name))).collect::<Vec<_>>());
        let observed = self.look();
        let one = |index: usize, name: &Name| {
            let lock = locks.lock().unwrap_or_else(PoisonError::into_inner)[index].take();
            let quiet = Quiet { watch: self.watch, warnings: Mutex::default() };
            let outcome = lock.transpose().and_then(|_lock| {
                let observed = observed.as_ref().map_err(Clone::clone)?;
                act(&self.heard_by(&quiet), index, name, observed)
            });
            (quiet.warnings.into_inner().unwrap_or_else(PoisonError::into_inner), outcome)
        };
        // Steps that are only shown come one after the other.
        let jobs = if self.dry_run { NonZeroUsize::MIN } else { jobs };
        in_order(names, jobs, one, |name, (warnings, outcome)| {
            warnings.iter().for_each(|text| self.watch.warn(text));
            told(name, outcome);
        });
    }

    fn heard_by<'b>(&'b self, watch: &'b dyn Watch) -> Engine<'b> {
        let Engine { host, registry, dry_run, .. } = *self;
        let (layout, settings) = (self.layout.clone(), self.settings.clone());
        Engine { host, registry, layout, settings, watch, dry_run }
    }
}

/// Passes everything on but warnings, which are kept until it is their container's turn.
struct Quiet<'a> {
    watch: &'a dyn Watch,
    warnings: Mutex<Vec<String>>,
}

impl Watch for Quiet<'_> {
    fn step(&self, point: Point, step: &Step) {
        self.watch.step(point, step);
    }

    fn progress(&self, progress: &Progress) {
        self.watch.progress(progress);
    }

    fn said(&self, container: &Name, phrase: &str) {
        self.watch.said(container, phrase);
    }

    fn warn(&self, text: &str) {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).push(text.to_owned());
    }
}

/// What one of so many waves gets of the time that is `left` of the `whole`.
fn share(left: Duration, waves: usize, whole: Duration) -> Duration {
    let waves = u32::try_from(waves.max(1)).unwrap_or(u32::MAX);
    (left / waves).max(FAIR_SHARE.min(whole))
}

fn not_without(name: &Name, other: &Name) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        format!("{name} is not started: it requires {other}, which did not start"),
    )
    .with("container", name)
    .with("requires", other)
    .hint(format!("put {other} right, then `qchroot start {name}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_gets_a_share_and_at_least_a_second_where_there_is_one() {
        let seconds = Duration::from_secs;
        assert_eq!(share(seconds(30), 3, seconds(30)), seconds(10));
        assert_eq!(share(seconds(20), 2, seconds(30)), seconds(10), "what one leaves is for the others");
        assert_eq!(share(seconds(0), 2, seconds(30)), seconds(1));
        assert_eq!(share(seconds(0), 1, seconds(0)), seconds(0));
    }
}
