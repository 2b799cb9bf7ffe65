//! The state of containers, observed: mounts and processes from the kernel, held against what the journal of
//! the last start intended. Nothing here is stored.

use std::collections::BTreeMap;

use camino::Utf8Path;
use qchroot_api::{GroupUsage, Limits, Mounted, Name, Process, Result, Step};
use serde::Serialize;

use crate::config::ContainerFile;
use crate::journal::{Journal, Mark, Op};
use crate::sandbox::{ENDED, Remains, is_enclosed};
use crate::{Engine, Loaded, ServiceReport, SpaceReport};

/// The state of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// No mount, no process, and nothing else of a start's.
    Stopped,
    /// Everything that a start intended is there.
    Started,
    /// Anything between.
    Partial,
}

/// Everything that `list` and `status` show of a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StatusReport {
    /// Its name.
    pub name: Name,
    /// Its state.
    pub state: State,
    /// The base it is pinned to; empty when it has none, or when its file cannot be read.
    pub release: String,
    /// Its storage.
    pub storage: String,
    /// Its isolation.
    pub isolation: String,
    /// Its services in their order.
    pub services: Vec<ServiceReport>,
    /// How many processes have their root in it.
    pub processes: usize,
    /// How many mounts lie at or below its root.
    pub mounts: usize,
    /// Bytes that it has written, as it sees it itself; none when not asked for.
    pub used_bytes: Option<u64>,
    /// Bytes that it cannot exceed; none where there is no limit.
    pub limit_bytes: Option<u64>,
    /// All that is known of its space; none when not asked for, or when it cannot be told.
    pub space: Option<SpaceReport>,
    /// How many snapshots it has; none when not asked for, or for who may not look.
    pub snapshots: Option<usize>,
    /// What it may use of the machine; none where nothing is limited.
    pub limits: Option<Limits>,
    /// What its processes use of what is limited; none where nothing counts it.
    pub usage: Option<GroupUsage>,
    /// Whether it starts with the system.
    pub boot: bool,
    /// What its isolation tells of it while it is up, such as the number of its jail.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, String>,
    /// What is missing or wrong, one line each.
    pub problems: Vec<String>,
}

impl StatusReport {
    fn take_space(&mut self, space: Option<SpaceReport>) {
        self.used_bytes = space.map(|space| space.used_bytes);
        self.limit_bytes = space.and_then(|space| space.limit_bytes);
        self.problems.extend(space.and_then(|space| space.warning()));
        self.space = space;
    }
}

/// What the kernel says, by container; asked once for any number of them.
pub(crate) struct Observed {
    mounts: BTreeMap<String, Vec<Mounted>>,
    processes: BTreeMap<String, Vec<Process>>,
}

impl Observed {
    pub(crate) fn mounts(&self, name: &Name) -> &[Mounted] {
        self.mounts.get(name.as_str()).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn processes(&self, name: &Name) -> &[Process] {
        self.processes.get(name.as_str()).map_or(&[], Vec::as_slice)
    }
}

impl Engine<'_> {
    /// Asks the kernel once: the mount table and the process table, sorted by container.
    pub(crate) fn look(&self) -> Result<Observed> {
        let mut observed = Observed { mounts: BTreeMap::new(), processes: BTreeMap::new() };
        for mount in self.view().mounts()? {
            if let Some(name) = self.owner(&mount.at) {
                observed.mounts.entry(name.into()).or_default().push(mount);
            }
        }
        for process in self.view().processes(&self.layout.lib)? {
            if process.zombie {
                continue;
            }
            if let Some(name) = self.owner(&process.root) {
                observed.processes.entry(name.into()).or_default().push(process);
            }
        }
        Ok(observed)
    }

    /// The container in whose root a path lies: `lib/NAME/root…`.
    fn owner<'p>(&self, path: &'p Utf8Path) -> Option<&'p str> {
        let mut rest = path.strip_prefix(&self.layout.lib).ok()?.components();
        let name = rest.next()?.as_str();
        (rest.next()?.as_str() == "root").then_some(name)
    }

    /// The state of one container, and what is missing from it.
    pub(crate) fn state(&self, name: &Name, observed: &Observed) -> Result<(State, Vec<String>)> {
        let is_half_done = self.host.read_own(&self.layout.journal(name))?.is_some();
        if is_half_done || self.half_renamed_to(name)?.is_some() {
            return Ok((State::Partial, vec!["an interrupted change is not put right yet".into()]));
        }
        let journal = Journal::load(self.host, &self.layout.start_journal(name))?;
        match self.remains(name, observed, journal.as_ref())? {
            Remains::Nothing => return Ok((State::Stopped, vec![])),
            Remains::Left(what) => return Ok((State::Partial, vec![what.into()])),
            Remains::Life => {}
        }
        let Some(journal) = journal else {
            return Ok((State::Partial, vec!["it has mounts or processes, but was not started".into()]));
        };
        if journal.op == Op::Session {
            return Ok((State::Partial, vec!["it is open for a console or a single program".into()]));
        }
        if !journal.complete {
            return Ok((State::Partial, vec!["its start or stop did not come to its end".into()]));
        }
        let missing = self.missing(name, &journal, || Ok(observed.mounts(name).to_vec()))?;
        let state = if missing.is_empty() { State::Started } else { State::Partial };
        Ok((state, missing))
    }

    /// Whether a container is started, asked in the cheapest way: by its journal, the mount table and its init,
    /// without a look at every process.
    pub(crate) fn is_started(&self, name: &Name) -> Result<bool> {
        let Some(journal) = Journal::load(self.host, &self.layout.start_journal(name))? else {
            return Ok(false);
        };
        let settled = journal.op == Op::Start && journal.complete && self.refuse_half_done(name).is_ok();
        Ok(settled && self.missing(name, &journal, || self.view().mounts())?.is_empty())
    }

    /// What a complete start made that is not there any more. Services that ended are not among it.
    fn missing(
        &self,
        name: &Name,
        journal: &Journal<'_>,
        mounts: impl FnOnce() -> Result<Vec<Mounted>>,
    ) -> Result<Vec<String>> {
        if is_enclosed(journal) {
            let lives = self.has_sandbox(name)?;
            return Ok(if lives { vec![] } else { vec![ENDED.into()] });
        }
        let (mut missing, mounts) = (Vec::new(), mounts()?);
        let mounted = |at: &Utf8Path| mounts.iter().any(|mount| mount.at == at);
        for (step, mark) in journal.steps.iter().zip(&journal.marks) {
            if !matches!(mark, Mark::Done | Mark::Skipped) {
                continue;
            }
            match step {
                Step::Mount(mount) if !mounted(&mount.at.lexical()) => {
                    missing.push(format!("{} is not mounted", mount.at.path()));
                }
                Step::StartInit { proc, .. } => {
                    if let Some(at) = proc.as_ref().filter(|at| !mounted(&at.lexical())) {
                        missing.push(format!("{} is not mounted", at.path()));
                    }
                    // The processes of others are hidden from who is not root.
                    if self.host.is_superuser() && self.host.probe(step)? != crate::Probe::Present {
                        missing.push("its init is gone".into());
                    }
                }
                Step::Run { check: Some(_), .. }
                    if self.host.is_superuser() && self.host.probe(step)? != crate::Probe::Present =>
                {
                    missing.push(format!("somebody undid: {step}"));
                }
                _ => {}
            }
        }
        Ok(missing)
    }

    /// What `list` shows of these containers. A container whose file is damaged has a line too. Space is told where the
    /// storage knows it; `with_usage` measures the others, too.
    pub fn report(&self, names: &[Name], with_usage: bool) -> Result<Vec<StatusReport>> {
        let observed = self.look()?;
        names.iter().map(|name| self.report_one(name, &observed, with_usage)).collect()
    }

    fn report_one(&self, name: &Name, observed: &Observed, with_usage: bool) -> Result<StatusReport> {
        let (state, mut problems) = match self.state(name, observed) {
            Ok(found) => found,
            Err(error) => (State::Partial, vec![error.to_string()]),
        };
        let mut report = StatusReport {
            name: name.clone(),
            state,
            release: String::new(),
            storage: String::new(),
            isolation: String::new(),
            services: vec![],
            processes: observed.processes(name).len(),
            mounts: observed.mounts(name).len(),
            used_bytes: None,
            limit_bytes: None,
            space: None,
            snapshots: None,
            limits: None,
            usage: None,
            boot: false,
            facts: BTreeMap::new(),
            problems: vec![],
        };
        match self.read_file(name) {
            Ok((file, _)) => {
                problems.extend(self.not_as_declared(name, &file));
                self.describe(&mut report, file, observed.processes(name), with_usage)?;
            }
            Err(error) if error.kind() == qchroot_api::ErrorKind::NotFound => return Err(error),
            Err(error) => problems.push(error.to_string()),
        }
        report.problems.extend(problems);
        Ok(report)
    }

    /// Only root may look into every container.
    fn not_as_declared(&self, name: &Name, file: &ContainerFile) -> Vec<String> {
        if file.permission.is_empty() || !self.host.is_superuser() {
            return vec![];
        }
        let problems = self.load(name).and_then(|loaded| self.declared_problems(&loaded));
        problems.unwrap_or_else(|error| vec![error.to_string()])
    }

    fn describe(
        &self,
        report: &mut StatusReport,
        file: ContainerFile,
        processes: &[Process],
        with_usage: bool,
    ) -> Result<()> {
        let container = self.container(&report.name, self.layout.container(&report.name), &file);
        let isolation = self.registry.isolation(&file.isolation.backend);
        let own = isolation.clone().and_then(|isolation| isolation.services(&container));
        let own = own.unwrap_or_else(|error| {
            report.problems.push(error.to_string());
            vec![]
        });
        let configured = file.service.iter().map(|service| service.name.clone());
        for name in own.into_iter().map(|service| service.name).chain(configured) {
            let line = self.service_report(&report.name, &name, report.state, processes)?;
            report.services.push(line);
        }
        report.limits = Some(file.limits.limits()).filter(|limits| !limits.is_empty());
        if report.state != State::Stopped {
            report.usage = self.view().group_usage(&container.system_name())?;
        }
        if let (Ok(isolation), true) = (isolation, report.state != State::Stopped && self.host.is_superuser())
        {
            match isolation.facts(&container, self.view()) {
                Ok(facts) => report.facts = facts,
                Err(error) => report.problems.push(error.to_string()),
            }
        }
        match self.space_of(&report.name, &file, with_usage) {
            Ok(space) => report.take_space(space),
            Err(error) if self.host.is_superuser() => report.problems.push(error.to_string()),
            Err(_) => {} // others may not look
        }
        if with_usage {
            report.snapshots = self.count_snapshots(&report.name, &file);
        }
        report.boot = file.boot;
        report.release = file.release.map(|id| id.to_string()).unwrap_or_default();
        report.storage = file.storage.backend;
        report.isolation = file.isolation.backend;
        Ok(())
    }

    /// Whether nothing of the container is up.
    pub(crate) fn is_stopped(&self, loaded: &Loaded<'_>) -> Result<bool> {
        Ok(self.state(&loaded.name, &self.look()?)?.0 == State::Stopped)
    }
}
