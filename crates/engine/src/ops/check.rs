//! `check`: the file system of a container that has one of its own is looked at, and put right.

use camino::Utf8PathBuf;
use qchroot_api::{DiskCheck, DiskStep, Name, Result, Step};
use serde::Serialize;

use crate::Engine;
use crate::journal::Op;

/// What a check came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// The container.
    pub name: Name,
    /// `clean` or `repaired`.
    pub result: &'static str,
    /// Where it stands what was found and done.
    pub log: Utf8PathBuf,
}

impl Engine<'_> {
    /// Checks the file system of a stopped container from end to end; `repair` answers every question with yes. None in
    /// a dry run.
    ///
    /// # Errors
    /// Bad data, when damage is left; busy, when it is started; unavailable, where it has no file system of its own.
    pub fn check(&self, name: &Name, repair: bool) -> Result<Option<Checked>> {
        let _lock = self.lock_container(name)?;
        self.refuse_half_done(name)?;
        let loaded = self.load(name)?;
        let how = if repair { DiskCheck::Repair } else { DiskCheck::Full };
        self.refuse_started(&loaded)?;
        let plan = loaded.storage.examine(&loaded.container, how, self.view())?;
        let log = plan.iter().find_map(log_of).unwrap_or_else(|| loaded.container.log.join("disk.log"));
        let before = self.log_length(&log)?;
        self.make_log_dir(name)?;
        self.run_durable(name, Op::Check, plan)?;
        if self.dry_run {
            return Ok(None);
        }
        let result = if self.says_repaired(&log, before)? { "repaired" } else { "clean" };
        Ok(Some(Checked { name: name.clone(), result, log }))
    }

    fn log_length(&self, log: &camino::Utf8Path) -> Result<usize> {
        Ok(self.host.read_own(log)?.map_or(0, |text| text.len()))
    }

    /// Whether the last line that was added to the log since it had `before` bytes says so.
    fn says_repaired(&self, log: &camino::Utf8Path, before: usize) -> Result<bool> {
        let text = self.host.read_own(log)?.unwrap_or_default();
        let added = String::from_utf8_lossy(text.get(before..).unwrap_or(&text)).into_owned();
        let last = added.lines().rev().find(|line| !line.trim().is_empty());
        Ok(last.is_some_and(|line| line.trim_end().ends_with("repaired")))
    }
}

fn log_of(step: &Step) -> Option<Utf8PathBuf> {
    match step {
        Step::Disk(DiskStep::Check { log, .. }) => Some(log.clone()),
        _ => None,
    }
}
