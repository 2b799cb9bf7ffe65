//! The trash: what was given up and takes space until somebody has removed it. It does not know what it was.

use camino::Utf8PathBuf;
use qchroot_api::{Name, Plan, Result, Step};

use crate::interrupted::finding;
use crate::{Engine, Finding, Held, STOP_PATIENCE};

impl Engine<'_> {
    /// The steps that give up those of a container's `trees` that there are, under names that nothing in the trash has.
    pub(crate) fn discard_steps(&self, name: &Name, trees: &[(&str, Utf8PathBuf)]) -> Result<Plan> {
        let trash = self.layout.all_trash();
        let there = self.host.list_own(&trash)?;
        let is_free = |number: &u32| !there.iter().any(|it| it.starts_with(&format!("{name}.{number}.")));
        let number = (1..).find(is_free).unwrap_or_default();
        let mut plan = Plan::new();
        for (what, from) in trees {
            if self.is_directory(from)? {
                plan.push(Step::Discard {
                    from: from.clone(),
                    to: trash.join(format!("{name}.{number}.{what}")),
                });
            }
        }
        Ok(plan)
    }

    /// Removes what is in the trash: in a process of its own that may go on after this one, or, with `wait`, before
    /// this returns. What somebody else is removing already is left to him, or waited for.
    ///
    /// # Errors
    /// With `wait`: what could not be removed, such as busy where something is mounted in it.
    pub fn empty_trash(&self, wait: bool) -> Result<()> {
        if self.dry_run || self.trash()?.is_empty() {
            return Ok(());
        }
        self.host.make_own_dir(&self.layout.locks())?;
        match self.host.lock(&self.layout.trash_lock(), wait)? {
            None => Ok(()),
            Some(_lock) if wait => {
                self.trash()?.into_iter().map(|at| self.remove(at)).fold(Ok(()), Result::and)
            }
            Some(lock) => {
                self.host.in_background(lock, &|lock| self.sweep_trash(lock));
                Ok(())
            }
        }
    }

    /// Removes what can be removed until nothing more comes.
    fn sweep_trash(&self, lock: Held) {
        let mut failed = Vec::new();
        let left = |failed: &[Utf8PathBuf]| {
            let mut left = self.trash().unwrap_or_default();
            left.retain(|at| !failed.contains(at));
            left
        };
        let mut lock = Some(lock);
        while let Some(held) = lock {
            for at in left(&failed) {
                if self.remove(at.clone()).is_err() {
                    failed.push(at); // `doctor` says why
                }
            }
            drop(held);
            // Who gave something up in the meantime met the lock and went away.
            let more = !left(&failed).is_empty();
            lock = if more { self.host.lock(&self.layout.trash_lock(), false).unwrap_or(None) } else { None };
        }
    }

    /// Trash that nobody is removing: whoever did was killed, or could not.
    pub(crate) fn examine_trash(&self, findings: &mut Vec<Finding>, repair: bool) -> Result<()> {
        let Some(_lock) = self.take(&self.layout.trash_lock())? else { return Ok(()) };
        for at in self.trash()? {
            let what = format!("{at} was deleted and still takes space");
            let outcome = if repair { self.remove(at).map(|()| true) } else { Ok(false) };
            findings.push(finding(what, outcome));
        }
        Ok(())
    }

    fn trash(&self) -> Result<Vec<Utf8PathBuf>> {
        let trash = self.layout.all_trash();
        Ok(self.host.list_own(&trash)?.into_iter().map(|name| trash.join(name)).collect())
    }

    fn remove(&self, at: Utf8PathBuf) -> Result<()> {
        self.host.apply(&Step::RemoveTree { at }, self.deadline_in(STOP_PATIENCE))
    }
}
