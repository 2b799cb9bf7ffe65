//! `snapshot`: what a container has now is kept under a name, or such a copy is removed.

use std::time::{Duration, UNIX_EPOCH};

use camino::Utf8Path;
use qchroot_api::{Capability, Error, ErrorKind, Name, Place, Plan, Result, Step, snapshot_dir};

use crate::journal::Op;
use crate::snapshots::check_snapshot_name;
use crate::{Engine, Loaded};

impl Engine<'_> {
    /// Keeps what the container has now; the snapshot's name, which is the time in UTC where none is given.
    ///
    /// # Errors
    /// Unavailable, when its storage has no snapshots; busy, when it is started.
    pub fn snapshot(&self, name: &Name, snapshot: Option<&str>) -> Result<String> {
        let snapshot = snapshot.map_or_else(|| self.time_as_name(), str::to_owned);
        check_snapshot_name(&snapshot)?;
        let _lock = self.lock_container(name)?;
        let _bases = self.share_releases()?;
        self.refuse_half_done(name)?;
        let loaded = self.load(name)?;
        let steps = loaded.storage.snapshot(&loaded.container, &snapshot, self.view())?;
        self.refuse_started(&loaded)?;
        self.refuse_taken_snapshot(&loaded, &snapshot)?;
        let dir = snapshot_dir(&loaded.container, &snapshot);
        let mut plan: Plan = dirs(&dir).into_iter().filter(|step| !steps.contains(step)).collect();
        plan.extend(steps);
        plan.push(self.record_snapshot(&loaded, &snapshot)?);
        self.make_log_dir(name)?;
        self.run_durable(name, Op::Snapshot, plan)?;
        Ok(snapshot)
    }

    /// Removes a snapshot.
    ///
    /// # Errors
    /// Not found, when there is none of this name.
    pub fn remove_snapshot(&self, name: &Name, snapshot: &str) -> Result<()> {
        check_snapshot_name(snapshot)?;
        let _lock = self.lock_container(name)?;
        self.refuse_half_done(name)?;
        let loaded = self.load(name)?;
        let mut plan = vec![];
        // Of one that is gone by the storage's own means, what was written down may be left.
        let is_recorded = self.snapshot_record(&loaded.container, snapshot)?.is_some();
        if !is_recorded || self.has_snapshot(&loaded, snapshot)? {
            self.require_snapshot(&loaded, snapshot)?;
            plan = loaded.storage.forget(&loaded.container, snapshot, self.view())?;
        }
        let rest = Step::RemoveTree { at: snapshot_dir(&loaded.container, snapshot) };
        if !plan.contains(&rest) {
            plan.push(rest);
        }
        self.run_durable(name, Op::Snapshot, plan)
    }

    /// Makes the directory for what a storage logs while it carries out its steps.
    pub(crate) fn make_log_dir(&self, name: &Name) -> Result<()> {
        if self.dry_run {
            return Ok(());
        }
        self.host.make_own_dir(&self.layout.container_log(name))
    }

    /// `20261122T101500Z`.
    fn time_as_name(&self) -> String {
        let now = UNIX_EPOCH + Duration::from_secs(self.host.wall_clock());
        humantime::format_rfc3339_seconds(now).to_string().replace(['-', ':'], "")
    }

    fn has_snapshot(&self, loaded: &Loaded<'_>, snapshot: &str) -> Result<bool> {
        let all = loaded.storage.snapshots(&loaded.container, self.view())?;
        Ok(all.iter().any(|found| found.name == snapshot))
    }

    fn refuse_taken_snapshot(&self, loaded: &Loaded<'_>, snapshot: &str) -> Result<()> {
        if !self.has_snapshot(loaded, snapshot)? {
            return Ok(());
        }
        let name = &loaded.name;
        Err(Error::new(ErrorKind::Exists, format!("{name} has a snapshot {snapshot} already"))
            .with("container", name)
            .hint(format!(
                "choose another name, or remove it: `qchroot snapshot {name} --remove {snapshot}`"
            )))
    }

    /// # Errors
    /// Not found, when the container has no snapshot of this name; unavailable, when it cannot have any.
    pub(crate) fn require_snapshot(&self, loaded: &Loaded<'_>, snapshot: &str) -> Result<()> {
        if !loaded.storage.info().capabilities.contains(&Capability::Snapshot) {
            loaded.storage.forget(&loaded.container, snapshot, self.view())?; // says why not
        }
        if self.has_snapshot(loaded, snapshot)? {
            return Ok(());
        }
        let name = &loaded.name;
        Err(Error::new(ErrorKind::NotFound, format!("{name} has no snapshot {snapshot}"))
            .with("container", name)
            .hint(format!("`qchroot snapshot {name} --list` shows those it has")))
    }
}

/// The directory of a snapshot and the one above it.
fn dirs(dir: &Utf8Path) -> Plan {
    let make = |at: &Utf8Path| Step::MakeDir { at: Place::host(at), mode: 0o700 };
    dir.parent().into_iter().chain([dir]).map(make).collect()
}
