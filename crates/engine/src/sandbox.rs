//! What a container has beside processes and mounts that the host shows: a sandbox with mounts of its own, and what
//! was made outside for it, such as a network. The lock beside its root tells of the sandbox; of the rest, the journal
//! says what was meant and the machine what is there. It changes nothing.

use camino::Utf8Path;
use qchroot_api::{ErrorKind, Name, Network, Result, SandboxStep, Step};

use crate::journal::{Journal, Mark};
use crate::state::Observed;
use crate::{Deadline, Engine, Probe};

/// What is said of a container whose init has ended, and everything inside with it.
pub(crate) const ENDED: &str = "its sandbox has ended";

/// Whether the steps of this journal are done inside a sandbox.
pub(crate) fn is_enclosed(journal: &Journal<'_>) -> bool {
    done(journal).any(|step| matches!(step, Step::StartSandbox(_)))
}

/// The steps that a journal says were begun and not taken back.
fn done<'j>(journal: &'j Journal<'_>) -> impl Iterator<Item = &'j Step> {
    let made = |mark: &Mark| matches!(mark, Mark::Begun | Mark::Done | Mark::Skipped);
    journal.steps.iter().zip(&journal.marks).filter(move |(_, mark)| made(mark)).map(|(step, _)| step)
}

/// Whether a step leaves something in the files of the container with this root.
fn changes_below(step: &Step, root: &Utf8Path) -> bool {
    match step {
        Step::MakeDir { at, .. }
        | Step::WriteFile { at, .. }
        | Step::Link { at, .. }
        | Step::Device { at, .. } => at.lexical().starts_with(root),
        _ => false,
    }
}

/// What there is of a container at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remains {
    /// Nothing.
    Nothing,
    /// Neither processes nor mounts, but what this says.
    Left(&'static str),
    /// Processes, mounts or a sandbox.
    Life,
}

impl Engine<'_> {
    /// Whether the container has a sandbox that lives.
    pub(crate) fn has_sandbox(&self, name: &Name) -> Result<bool> {
        match self.view().holder(&self.layout.sandbox_lock(name)) {
            // Others may not look; the journal says that there was one.
            Err(error) if error.kind() == ErrorKind::Permission && !self.host.is_superuser() => Ok(true),
            held => Ok(held?.is_some()),
        }
    }

    /// What there is of a container that `journal` tells of.
    pub(crate) fn remains(
        &self,
        name: &Name,
        observed: &Observed,
        journal: Option<&Journal<'_>>,
    ) -> Result<Remains> {
        if !observed.mounts(name).is_empty() || !observed.processes(name).is_empty() {
            return Ok(Remains::Life);
        }
        let Some(journal) = journal else { return Ok(Remains::Nothing) };
        if is_enclosed(journal) && self.has_sandbox(name)? {
            return Ok(Remains::Life);
        }
        Ok(self.left_over(journal)?.map_or(Remains::Nothing, Remains::Left))
    }

    /// Removes the journal of a start whose mounts are gone.
    pub(crate) fn forget_start(&self, name: &Name) -> Result<()> {
        self.host.remove_own(&self.layout.start_journal(name), false)
    }

    /// What this boot's start left, of a container that has neither processes nor mounts any more; `None` for nothing.
    pub(crate) fn left_over(&self, journal: &Journal<'_>) -> Result<Option<&'static str>> {
        if journal.boot != self.host.boot_id()? {
            return Ok(None);
        }
        if journal.complete && is_enclosed(journal) {
            return Ok(Some(ENDED));
        }
        for step in done(journal) {
            let there = match (step, step.inverse()) {
                (Step::Run { undo: Some(_), .. }, _) => (step.clone(), Probe::Present),
                // One that is half made is left over, too.
                (Step::Group(_), Some(remove)) => (remove, Probe::Absent),
                _ => continue,
            };
            if self.host.is_superuser() && self.host.probe(&there.0)? == there.1 {
                return Ok(Some("its start or stop did not come to its end"));
            }
        }
        Ok(None)
    }

    /// Makes room for taking back what a start changed inside a sandbox that has ended: such a one again, with its
    /// mounts and nothing running. What cannot be mounted any more stays as it is, with a warning.
    pub(crate) fn reopen(&self, journal: &Journal<'_>, deadline: Deadline) {
        if let Err(error) = self.mount_again(journal, deadline) {
            self.watch.warn(&format!("what its start changed inside stays: {error}"));
        }
    }

    fn mount_again(&self, journal: &Journal<'_>, deadline: Deadline) -> Result<()> {
        let root = |step: &Step| match step {
            Step::StartSandbox(sandbox) => Some(sandbox.root.clone()),
            _ => None,
        };
        let Some(root) = done(journal).find_map(root) else { return Ok(()) };
        let inside = |(step, mark): (&Step, &Mark)| {
            matches!(mark, Mark::Begun | Mark::Done) && changes_below(step, &root)
        };
        if !journal.steps.iter().zip(&journal.marks).any(inside) {
            return Ok(());
        }
        let again = |step: &&Step| matches!(step, Step::StartSandbox(_) | Step::Mount(_));
        for step in done(journal).filter(again) {
            if self.host.probe(step)? == Probe::Absent {
                self.host.apply(step, deadline)?;
            }
        }
        Ok(())
    }

    /// The step that a sandbox is ended by taking back, whatever is known of it.
    pub(crate) fn any_sandbox(&self, name: &Name) -> Step {
        Step::StartSandbox(SandboxStep {
            container: name.clone(),
            root: self.layout.container(name).join("root"),
            host_name: name.to_string(),
            network: Network::Host,
            users: None,
            group: None,
        })
    }
}
