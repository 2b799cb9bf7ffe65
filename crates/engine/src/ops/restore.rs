//! `rollback --snapshot`: a container gets back what it had when a snapshot was taken, and the release it was pinned to.

use qchroot_api::{Error, Name, Place, Plan, ReleaseId, Result, Step};

use crate::journal::Op;
use crate::snapshots::{SnapshotFile, check_snapshot_name};
use crate::{Engine, Loaded};

/// How a container went back to a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The release it was pinned to before.
    pub from: Option<ReleaseId>,
    /// The release it is pinned to now.
    pub to: Option<ReleaseId>,
}

impl Engine<'_> {
    /// Brings back what the stopped container had when the snapshot was taken. The snapshot stays; services and
    /// options stay as they are now.
    ///
    /// # Errors
    /// Not found, when there is no such snapshot, or the release it needs is gone.
    pub fn restore(&self, name: &Name, snapshot: &str) -> Result<Restored> {
        check_snapshot_name(snapshot)?;
        let _lock = self.lock_container(name)?;
        let _bases = self.share_releases()?;
        self.refuse_half_done(name)?;
        let loaded = self.load(name)?;
        self.require_snapshot(&loaded, snapshot)?;
        let record = self.snapshot_record(&loaded.container, snapshot)?;
        let from = loaded.file.release.clone();
        let to = record.as_ref().map_or_else(|| from.clone(), |record| record.release.clone());
        if let Some(id) = &to {
            self.base(id).map_err(|error| needed_by(error, name, snapshot))?;
        }
        self.refuse_started(&loaded)?;
        let plan = self.restore_plan(&loaded, snapshot, record.as_ref())?;
        self.make_log_dir(name)?;
        self.run_durable(name, Op::Restore, plan)?;
        Ok(Restored { from, to })
    }

    /// The pin comes first: once the storage's steps begin to remove what was there, there is no way back.
    fn restore_plan(
        &self,
        loaded: &Loaded<'_>,
        snapshot: &str,
        record: Option<&SnapshotFile>,
    ) -> Result<Plan> {
        let name = &loaded.name;
        let mut plan = vec![];
        if let Some(id) = record.and_then(|record| record.release.as_ref())
            && loaded.file.release.as_ref() != Some(id)
        {
            let (text, was) = self.repinned(name, id)?;
            plan.push(Step::WriteFile {
                at: Place::host(self.layout.file(name)),
                text,
                mode: 0o644,
                was: Some(was),
            });
        }
        plan.extend(loaded.storage.restore(&loaded.container, snapshot, self.view())?);
        if let (Some(record), Some(previous)) = (record, self.previous(name)?) {
            let is_its_own = (record.release.as_ref(), record.upgraded_from.as_ref())
                == (Some(&previous.to), Some(&previous.from));
            if !is_its_own {
                plan.push(Step::RemoveTree { at: self.layout.previous(name) }); // of an upgrade that is gone
            }
        }
        Ok(plan)
    }
}

fn needed_by(error: Error, name: &Name, snapshot: &str) -> Error {
    error
        .while_doing(format!("{name} cannot go back to snapshot {snapshot}: its release cannot be used"))
        .with("container", name)
}
