//! `adopt`: containers of other tools become containers here, by renaming; nothing large is copied. First what there is
//! and what would be done, then, if that is wanted, the doing: one transaction a shared tree, one a container.
//!
//! What the tools' files say is known to `qchroot-adopt`; here are the machine's word on it and the steps.

mod base;
mod container;
mod report;
mod standing;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_adopt::{Found, Left, Shared, System, Tool};
use qchroot_api::{Error, ErrorKind, Name, Plan, ReleaseId, Result};

use crate::journal::Op;
use crate::transaction::Job;
use crate::{Engine, START_PATIENCE};

pub(crate) use base::SOURCE;
pub use report::{AdoptedContainer, AdoptedRelease, AdoptedSystem, Adoption};

use standing::Machine;

/// What `adopt` was asked for.
#[derive(Debug, Clone)]
pub struct AdoptWish {
    /// `--from`: one tool only.
    pub from: Option<Tool>,
    /// `--path`: the root of the system that the tools ran on.
    pub top: Utf8PathBuf,
    /// The containers; all when none is named.
    pub names: Vec<String>,
    /// `--isolation`, in place of the one that the tool used.
    pub isolation: Option<String>,
    /// Whether it is done.
    pub apply: bool,
}

/// A shared tree, and how it becomes a base.
struct Sharing {
    shared: Shared,
    /// The base that it is or becomes, or why it cannot.
    base: Result<ReleaseId>,
    /// What is to be done; nothing where it is a base already.
    plan: Plan,
}

impl Engine<'_> {
    /// What other tools' containers there are, and how they are taken over; with `apply`, that is done.
    ///
    /// # Errors
    /// Not found for a tool or a container that was named and is not there. What stands in one container's way is in
    /// the report.
    pub fn adopt(&self, wish: &AdoptWish) -> Result<Adoption> {
        if wish.apply && !self.dry_run {
            self.require_superuser()?;
        }
        let mut adoption =
            Adoption { applied: wish.apply && !self.dry_run, systems: vec![], failures: vec![] };
        for tool in Tool::ALL.into_iter().filter(|tool| wish.from.is_none_or(|from| from == *tool)) {
            if let Some(system) = qchroot_adopt::find(tool, &wish.top, self.view())? {
                let system = self.adopt_system(system, wish, &mut adoption.failures)?;
                adoption.systems.extend(system);
            } else if wish.from.is_some() {
                let message = format!("there is nothing of {tool} below {}", wish.top);
                return Err(Error::new(ErrorKind::NotFound, message)
                    .hint("--path names the root of the system that it ran on"));
            }
        }
        self.refuse_unknown(wish, &adoption)?;
        Ok(adoption)
    }

    fn refuse_unknown(&self, wish: &AdoptWish, adoption: &Adoption) -> Result<()> {
        let is_known = |name: &&String| !adoption.knows(name) && !self.is_container(name);
        match wish.names.iter().find(is_known) {
            Some(name) => {
                Err(Error::new(ErrorKind::NotFound, format!("no other tool has a container {name}"))
                    .hint("`qchroot adopt` shows those there are"))
            }
            None => Ok(()),
        }
    }

    fn is_container(&self, name: &str) -> bool {
        name.parse::<Name>().is_ok_and(|name| self.refuse_missing(&name).is_ok())
    }

    /// `None` where nothing is left to be done.
    fn adopt_system(
        &self,
        system: System,
        wish: &AdoptWish,
        failures: &mut Vec<Error>,
    ) -> Result<Option<AdoptedSystem>> {
        let machine = Machine::look(self, &system)?;
        let sharing: Vec<Sharing> =
            system.shared.iter().map(|shared| self.sharing(&system, shared, &machine)).collect();
        let mut report = AdoptedSystem::of(&system);
        for found in &system.containers {
            if self.is_adopted(found)? {
                report.forget(&found.name);
                continue;
            }
            if !wish.names.is_empty() && !wish.names.contains(&found.name) {
                continue;
            }
            match self.container_taken(&system, found, &sharing, &machine, wish) {
                Ok(taken) => report.containers.push(taken),
                Err(error) => report.leave(found, &error, !wish.names.is_empty(), failures),
            }
        }
        report.left.extend(left(&system, wish, self));
        for sharing in &sharing {
            self.report_base(sharing, wish, &mut report);
        }
        if wish.apply {
            self.apply_all(&sharing, &mut report, failures);
        }
        Ok((!report.is_idle()).then_some(report))
    }

    /// A shared tree is taken with the first container that needs it, and without any when everything is taken.
    fn report_base(&self, sharing: &Sharing, wish: &AdoptWish, report: &mut AdoptedSystem) {
        let Ok(id) = &sharing.base else {
            if report.containers.is_empty()
                && wish.names.is_empty()
                && let Err(error) = &sharing.base
            {
                report.left.push(explained(sharing.shared.at.as_str(), error));
            }
            return;
        };
        let is_needed = report.containers.iter().any(|taken| taken.release == *id);
        let is_new = !sharing.plan.is_empty();
        if is_new && (is_needed || wish.names.is_empty()) {
            report.releases.push(AdoptedRelease {
                id: id.clone(),
                from: sharing.shared.at.clone(),
                steps: sharing.plan.clone(),
                done: false,
            });
        }
    }

    fn apply_all(&self, sharing: &[Sharing], report: &mut AdoptedSystem, failures: &mut Vec<Error>) {
        let mut broken = vec![];
        for release in &mut report.releases {
            let plan = sharing.iter().find(|sharing| sharing.base.as_ref().ok() == Some(&release.id));
            match self.take_base(&release.id, plan.map_or_else(Vec::new, |sharing| sharing.plan.clone())) {
                Ok(()) => release.done = true,
                Err(error) => {
                    failures.push(error);
                    broken.push(release.id.clone());
                }
            }
        }
        for taken in report.containers.iter_mut().filter(|taken| !broken.contains(&taken.release)) {
            match self.take_container(taken) {
                Ok(()) => taken.done = true,
                Err(error) => failures.push(error),
            }
        }
    }

    fn take_base(&self, id: &ReleaseId, plan: Plan) -> Result<()> {
        let _lock = self.lock_install()?;
        if self.base(id).is_ok() {
            return Ok(());
        }
        let journal = self.layout.install_journal();
        let deadline = self.deadline_in(START_PATIENCE);
        self.run(&Job { op: Op::Adopt, container: None, journal, deadline }, plan)
    }

    fn take_container(&self, taken: &AdoptedContainer) -> Result<()> {
        let name = &taken.name;
        let _lock = self.lock_container(name)?;
        let _bases = self.share_releases()?;
        self.refuse_half_done(name)?;
        if !self.dry_run {
            self.base(&taken.release)?;
            self.host.make_own_dir(&self.layout.containers)?;
            self.host.make_own_dir(&self.layout.all_trash())?;
        }
        self.run_durable(name, Op::Adopt, taken.steps.clone())
    }

    /// Whether an earlier run took it: there is such a container, and its tree is not where the old tool had it.
    fn is_adopted(&self, found: &Found) -> Result<bool> {
        let Ok(name) = found.name.parse::<Name>() else { return Ok(false) };
        if self.host.read_own(&self.layout.file(&name))?.is_none() {
            return Ok(false);
        }
        let own = self.view().real_path(&self.layout.container(&name))?;
        Ok(found.root == own || !self.is_directory(&found.root)?)
    }
}

/// Those that the tool's files alone rule out, unless others were named.
fn left(system: &System, wish: &AdoptWish, engine: &Engine<'_>) -> Vec<Left> {
    let is_meant = |left: &&Left| wish.names.is_empty() || wish.names.contains(&left.name);
    let left = system.left.iter().filter(is_meant);
    left.filter(|left| !engine.is_container(&left.name)).cloned().collect()
}

/// Why something is left where it is.
fn explained(name: &str, error: &Error) -> Left {
    Left { name: name.into(), why: error.to_string(), hint: error.hint_text().map(str::to_owned) }
}

/// The directory's nearest parent that exists: on its file system it would be made.
fn nearest(engine: &Engine<'_>, at: &Utf8Path) -> Result<Utf8PathBuf> {
    let mut at = at;
    while !engine.is_directory(at)? {
        match at.parent() {
            Some(parent) => at = parent,
            None => break,
        }
    }
    Ok(at.to_owned())
}
