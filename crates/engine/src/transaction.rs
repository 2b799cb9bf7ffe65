//! Transactions: a plan is probed and applied step by step with its journal, rolled back when a step fails,
//! and put right later when the run died.
//!
//! It knows steps and journals; which plan belongs to which command is the operations' business.

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{DiskStep, Error, ErrorKind, Name, Place, Plan, Result, Step};

use crate::advice::advise;
use crate::journal::{Journal, Mark, Op, is_marked_on_disk, is_one_way};
use crate::{Deadline, Engine, Point, Probe, START_PATIENCE};

/// One plan to carry out.
pub(crate) struct Job<'a> {
    pub op: Op,
    pub container: Option<&'a Name>,
    pub journal: Utf8PathBuf,
    pub deadline: Deadline,
}

impl Engine<'_> {
    /// Carries out `plan`; when a step fails, what was done is taken back and the failure returned. In a dry
    /// run the steps are shown and nothing else happens.
    pub(crate) fn run(&self, job: &Job<'_>, plan: Plan) -> Result<()> {
        if self.dry_run {
            plan.iter().for_each(|step| self.watch.step(Point::Planned, step));
            return Ok(());
        }
        let mut journal = Journal::begin(self.host, job.journal.clone(), job.op, job.container, plan)?;
        let outcome = self.forward(&mut journal, job.deadline);
        self.record(&journal);
        match outcome {
            Ok(()) if job.op.is_durable() => self.forget(journal),
            Ok(()) => journal.finish(),
            Err(error) => Err(self.give_up(journal, error, job.deadline)),
        }
    }

    /// Carries out a plan about one container whose effect outlives a reboot.
    pub(crate) fn run_durable(&self, name: &Name, op: Op, plan: Plan) -> Result<()> {
        if !self.dry_run {
            self.host.make_own_dir(&self.layout.journals())?;
        }
        let journal = self.layout.journal(name);
        let deadline = self.deadline_in(START_PATIENCE);
        self.run(&Job { op, container: Some(name), journal, deadline }, plan)
    }

    /// Applies every step that is not done yet, in order.
    fn forward(&self, journal: &mut Journal<'_>, deadline: Deadline) -> Result<()> {
        for index in 0..journal.steps.len() {
            if matches!(journal.marks[index], Mark::Done | Mark::Skipped) {
                continue;
            }
            let step = journal.steps[index].clone();
            match self.host.probe(&step)? {
                // Somebody who asks for a check wants more than what a disk says of itself.
                Probe::Present if journal.op == Op::Check => {
                    self.take_step(journal, index, &step, deadline)?
                }
                Probe::Present => self.settle(journal, index, &step)?,
                Probe::Conflict(why) => return Err(conflict(&step, &why)),
                Probe::Unknown if journal.marks[index] == Mark::Begun && !is_repeatable(&step) => {
                    return Err(cannot_resume(&step));
                }
                Probe::Absent | Probe::Unknown => self.take_step(journal, index, &step, deadline)?,
            }
        }
        Ok(())
    }

    /// A step that needs no applying: done by the run that died in it, or there before.
    fn settle(&self, journal: &mut Journal<'_>, index: usize, step: &Step) -> Result<()> {
        let begun = journal.marks[index] == Mark::Begun;
        let (mark, point) = if begun { (Mark::Done, Point::Done) } else { (Mark::Skipped, Point::Skipped) };
        journal.mark(index, mark)?;
        self.watch.step(point, step);
        Ok(())
    }

    fn take_step(
        &self,
        journal: &mut Journal<'_>,
        index: usize,
        step: &Step,
        deadline: Deadline,
    ) -> Result<()> {
        journal.mark(index, Mark::Begun)?;
        self.watch.step(Point::Begun, step);
        self.apply(step, deadline).map_err(|error| {
            // What is read for a clone belongs to another container.
            advise(error, step, journal.container.as_ref().filter(|_| journal.op != Op::Clone))
        })?;
        journal.mark(index, Mark::Done)?;
        self.watch.step(Point::Done, step);
        Ok(())
    }

    fn apply(&self, step: &Step, deadline: Deadline) -> Result<()> {
        match step {
            Step::Fill { source, release, into } => self.fill(source, release, into),
            Step::Split { tree, sharedfs, template, describe, brand } => {
                let word = self.recognise(tree, describe, *brand, deadline)?;
                self.split(tree, sharedfs, template, describe, word, deadline)
            }
            Step::Unpack { file, sha256, into } => self.unpack(file, sha256, into),
            Step::Record { base } => self.record_base(base, deadline),
            step => self.host.apply(step, deadline),
        }
    }

    /// Takes back what a failed run did, and says so if that failed too.
    fn give_up(&self, journal: Journal<'_>, error: Error, deadline: Deadline) -> Error {
        match self.can_go_back(&journal) {
            Ok(true) => {}
            Ok(false) => return error.hint("`qchroot doctor --repair` finishes what was begun"),
            Err(second) => return not_taken_back(error, &second),
        }
        match self.roll_back(journal, deadline) {
            Ok(()) => error,
            Err(second) => not_taken_back(error, &second),
        }
    }

    /// Takes back, last step first, everything that the journal's run did or may have done. Goes on past
    /// failures; the journal stays until nothing is left.
    pub(crate) fn roll_back(&self, mut journal: Journal<'_>, deadline: Deadline) -> Result<()> {
        let rebooted = self.host.boot_id()? != journal.boot;
        let surely_pending = self.surely_pending(&journal)?;
        let mut failures = Vec::new();
        for index in (0..journal.steps.len()).rev() {
            let maybe_done = match journal.marks[index] {
                Mark::Begun | Mark::Done => true,
                // Its mark may have been lost with the power.
                Mark::Pending => rebooted && index < surely_pending,
                Mark::Skipped | Mark::Undone => false,
            };
            if maybe_done {
                let time = self.share_of(&journal.steps[..=index], deadline);
                failures.extend(self.undo(&mut journal, index, time).err());
            }
        }
        let mut failures = failures.into_iter();
        match failures.next() {
            None => self.forget(journal),
            Some(first) => Err(failures.fold(first, |error, next| error.cause(next))),
        }
    }

    /// When the last of `steps` must be undone: services that are stopped one after the other share what time is left,
    /// so that one that will not end leaves some to those before it.
    fn share_of(&self, steps: &[Step], deadline: Deadline) -> Deadline {
        let is_service = |step: &&Step| matches!(step, Step::StartService(_));
        let services = u32::try_from(steps.iter().filter(is_service).count()).unwrap_or(u32::MAX);
        match steps.last().filter(is_service) {
            Some(_) if services > 1 => {
                let now = self.host.steady_clock();
                Deadline(now + deadline.0.saturating_sub(now) / services)
            }
            _ => deadline,
        }
    }

    /// The first step that was not begun for sure, whatever marks a power cut took: its own would have been on disk,
    /// or the move before it was not made.
    fn surely_pending(&self, journal: &Journal<'_>) -> Result<usize> {
        for (index, step) in journal.steps.iter().enumerate().filter(|(_, step)| is_marked_on_disk(step)) {
            match (journal.marks[index], step) {
                (Mark::Pending, _) => return Ok(index),
                (Mark::Begun, Step::Move { .. }) if self.host.probe(step)? == Probe::Absent => {
                    return Ok(index);
                }
                _ => {}
            }
        }
        Ok(journal.steps.len())
    }

    fn undo(&self, journal: &mut Journal<'_>, index: usize, deadline: Deadline) -> Result<()> {
        let step = journal.steps[index].clone();
        if let Some(inverse) = step.inverse()
            && !self.is_gone(&step, &inverse)?
        {
            journal.mark(index, Mark::Begun)?;
            self.watch.step(Point::Undoing, &inverse);
            self.host.apply(&inverse, deadline)?;
            self.watch.step(Point::Undone, &inverse);
        }
        journal.mark(index, Mark::Undone)
    }

    /// Whether nothing of a step is there any more. Only the check of a program knows its own effect.
    fn is_gone(&self, step: &Step, inverse: &Step) -> Result<bool> {
        match step {
            Step::Run { .. } => Ok(self.host.probe(step)? == Probe::Absent),
            Step::Rename { to, .. } => Ok(self.view().stat(&Place::host(to))?.is_none()),
            Step::Move { to, .. } => Ok(self.view().stat(to)?.is_none()),
            _ => Ok(self.host.probe(inverse)? == Probe::Present),
        }
    }

    /// Puts right what a run that died left: back where that is possible, otherwise on to its end.
    pub(crate) fn repair(&self, mut journal: Journal<'_>, deadline: Deadline) -> Result<()> {
        if self.can_go_back(&journal)? {
            return self.roll_back(journal, deadline);
        }
        if let Err(error) = self.forward(&mut journal, deadline) {
            return Err(self.give_up(journal, error, deadline));
        }
        self.record(&journal);
        self.forget(journal)
    }

    /// Removes the journal of what is done, or taken back, for good: before that, all of it is on disk.
    fn forget(&self, journal: Journal<'_>) -> Result<()> {
        if let Some(name) = journal.container.as_ref().filter(|_| journal.op.is_inside())
            && self.has_mounts(name)?
        {
            self.host.flush(&self.layout.container(name).join("root"))?;
        }
        journal.remove()
    }

    /// Whether no step has had an effect that nothing takes back: a removal has from its beginning.
    fn can_go_back(&self, journal: &Journal<'_>) -> Result<bool> {
        for (step, mark) in journal.steps.iter().zip(&journal.marks) {
            match (step, mark) {
                (Step::Disk(DiskStep::Grow { at, from, .. }), Mark::Begun)
                    if self.is_as_it_was(at, *from)? => {}
                (Step::Run { .. }, _) if !journal.op.is_durable() => {}
                (step, Mark::Begun | Mark::Done) if is_one_way(step) => return Ok(false),
                _ => {}
            }
        }
        Ok(true)
    }

    /// Whether a disk that was to grow has not.
    fn is_as_it_was(&self, disk: &Utf8Path, length: u64) -> Result<bool> {
        Ok(self.view().disk(disk)?.is_some_and(|disk| disk.fs_length.min(disk.length) <= length))
    }

    /// Writes what was done to the record of steps. A record that cannot be written is a warning: the work is
    /// done all the same.
    fn record(&self, journal: &Journal<'_>) {
        let time = humantime::format_rfc3339_seconds(
            std::time::UNIX_EPOCH + std::time::Duration::from_secs(self.host.wall_clock()),
        );
        let who = journal.container.as_ref().map_or(String::new(), |name| format!(" {name}"));
        let lines: String = journal
            .steps
            .iter()
            .zip(&journal.marks)
            .map(|(step, mark)| {
                let mark = format!("{mark:?}").to_lowercase();
                format!("{time} {}{who} {mark}: {step}\n", journal.op.word())
            })
            .collect();
        let written = self
            .host
            .make_own_dir(&self.layout.log)
            .and_then(|()| self.host.append_own(&self.layout.record(), lines.as_bytes(), false));
        if let Err(error) = written {
            self.watch.warn(&format!("the steps were not recorded: {error}"));
        }
    }
}

/// Whether a step that was begun by a run that died is simply done again.
fn is_repeatable(step: &Step) -> bool {
    matches!(step, Step::Disk(DiskStep::Grow { .. } | DiskStep::Check { .. } | DiskStep::Remove { .. }))
}

fn not_taken_back(error: Error, second: &Error) -> Error {
    error
        .cause(format!("and taking it back failed: {second}"))
        .hint("`qchroot doctor --repair` takes back the rest")
}

fn conflict(step: &Step, why: &str) -> Error {
    Error::new(ErrorKind::Exists, format!("cannot {step}")).cause(why)
}

fn cannot_resume(step: &Step) -> Error {
    Error::new(ErrorKind::Busy, format!("cannot tell whether this was done: {step}"))
}
