//! What a run that died left behind, and how it is put right: the substance of `doctor`.

use camino::Utf8PathBuf;
use qchroot_api::{Error, ErrorKind, Mount, MountFs, Name, Place, Result, Step};
use serde::Serialize;

use crate::journal::{Journal, Op};
use crate::sandbox::is_enclosed;
use crate::{Engine, Held, Overcommit, Probe, STOP_PATIENCE, State};

/// An operation whose run ended before it did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Interrupted {
    /// The operation.
    pub operation: String,
    /// Its container; none for an install.
    pub container: Option<Name>,
    #[serde(skip)]
    journal: Utf8PathBuf,
    #[serde(skip)]
    lock: Utf8PathBuf,
}

/// One thing that `doctor` found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What is wrong, as a lower-case fragment.
    pub what: String,
    /// Whether it was put right.
    pub repaired: bool,
    /// Whether nothing is wrong and this is only how to set up the host for containers.
    pub advice: bool,
    /// What to do, where `doctor --repair` cannot.
    pub hint: Option<String>,
}

impl Engine<'_> {
    /// Changes that outlive a reboot and whose run died. Cheap when there are none.
    pub fn interrupted(&self) -> Result<Vec<Interrupted>> {
        let mut found = Vec::new();
        for file in self.host.list_own(&self.layout.journals())? {
            let journal = self.layout.journals().join(&file);
            let container: Option<Name> = file.parse().ok();
            let lock =
                container.as_ref().map_or_else(|| self.layout.install_lock(), |name| self.layout.lock(name));
            let operation = match Journal::load(self.host, &journal) {
                Ok(Some(journal)) => journal.op.word().to_owned(),
                Ok(None) => continue,
                Err(_) => "damaged journal".to_owned(),
            };
            found.push(Interrupted { operation, container, journal, lock });
        }
        Ok(found)
    }

    /// Warns of interrupted changes that nobody is at work on.
    pub fn warn_of_interrupted(&self) -> Result<()> {
        for work in self.interrupted()? {
            if self.host.is_superuser() && self.take(&work.lock)?.is_none() {
                continue; // its run is alive
            }
            let of = work.container.map_or(String::new(), |name| format!(" of {name}"));
            let operation = work.operation;
            self.watch
                .warn(&format!("{operation}{of} was interrupted; `qchroot doctor --repair` puts it right"));
        }
        Ok(())
    }

    /// Refuses to build on a half-done state of this container.
    pub(crate) fn refuse_half_done(&self, name: &Name) -> Result<()> {
        match Journal::load(self.host, &self.layout.journal(name))? {
            Some(journal) => Err(half_done(&format!("{} of {name}", journal.op.word()))),
            None => match self.half_renamed_to(name)? {
                Some(old) => Err(half_done(&format!("rename of {old} to {name}"))),
                None => Ok(()),
            },
        }
    }

    /// The container that an interrupted rename was to give this name. Its journal has the old one.
    pub(crate) fn half_renamed_to(&self, name: &Name) -> Result<Option<Name>> {
        let there = self.layout.container(name);
        let gives = |step: &Step| matches!(step, Step::Rename { to, .. } if *to == there);
        for file in self.host.list_own(&self.layout.journals())? {
            let Ok(Some(journal)) = Journal::load(self.host, &self.layout.journals().join(&file)) else {
                continue;
            };
            if journal.op == Op::Rename && journal.steps.iter().any(gives) {
                return Ok(journal.container);
            }
        }
        Ok(None)
    }

    pub(crate) fn take(&self, lock: &camino::Utf8Path) -> Result<Option<Held>> {
        self.host.make_own_dir(&self.layout.locks())?;
        self.host.lock(lock, false)
    }

    /// Looks for everything that is not as it should be; puts right what it can when `repair` is set.
    pub fn doctor(&self, repair: bool) -> Result<Vec<Finding>> {
        self.require_superuser()?;
        let repair = repair && !self.dry_run;
        let mut findings = Vec::new();
        for work in self.interrupted()? {
            findings.extend(self.examine_work(&work, repair)?);
        }
        self.examine_runs(&mut findings, repair)?;
        self.examine_files(&mut findings)?;
        self.examine_leftovers(&mut findings, repair)?;
        self.examine_trash(&mut findings, repair)?;
        findings.extend(self.examine_promises()?);
        match self.exposed_daemons() {
            Ok(advice) => findings.extend(advice),
            Err(error) => self.watch.warn(&format!("the host's daemons were not looked at: {error}")),
        }
        Ok(findings)
    }

    /// Whether all disks can be filled.
    fn examine_promises(&self) -> Result<Option<Finding>> {
        let overcommit = self.overcommit(self.promised()?)?;
        Ok(overcommit.map(|overcommit| Finding {
            what: overcommit.to_string(),
            repaired: false,
            advice: false,
            hint: Some(Overcommit::HINT.into()),
        }))
    }

    fn examine_work(&self, work: &Interrupted, repair: bool) -> Result<Option<Finding>> {
        let Some(_lock) = self.take(&work.lock)? else { return Ok(None) };
        let of = work.container.as_ref().map_or(String::new(), |name| format!(" of {name}"));
        let what = format!("{}{of} was interrupted", work.operation);
        let outcome = match Journal::load(self.host, &work.journal) {
            Ok(None) => return Ok(None),
            Ok(Some(journal)) if repair => self.put_right(journal).map(|()| true),
            Ok(Some(_)) => Ok(false),
            Err(error) => Err(error),
        };
        Ok(Some(finding(what, outcome)))
    }

    /// Repairs a change; while a container is not attached, what was done inside it would look as if it never was.
    fn put_right(&self, journal: Journal<'_>) -> Result<()> {
        let deadline = self.deadline_in(STOP_PATIENCE);
        match journal.container.clone() {
            Some(name) if journal.op.is_inside() => {
                self.while_attached(&self.load(&name)?, || self.repair(journal, deadline))
            }
            _ => self.repair(journal, deadline),
        }
    }

    /// Starts, stops and sessions that did not come to their end.
    fn examine_runs(&self, findings: &mut Vec<Finding>, repair: bool) -> Result<()> {
        let mut names = self.names()?;
        let running = self.host.list_own(&self.layout.run)?;
        names.extend(running.iter().filter_map(|name| name.parse::<Name>().ok()));
        names.sort();
        names.dedup();
        for name in names {
            let Some(_lock) = self.take(&self.layout.lock(&name))? else { continue };
            if self.has_journal(&self.layout.journal(&name)) {
                continue; // told already, as an interrupted change
            }
            let (state, problems) = match self.state(&name, &self.look()?) {
                Ok(found) => found,
                Err(error) => {
                    findings.push(finding(format!("{name} cannot be told started from stopped"), Err(error)));
                    continue;
                }
            };
            if state == State::Partial {
                let what = format!("{name} is half started: {}", problems.join(", "));
                let outcome =
                    if repair { self.take_down(&name, STOP_PATIENCE).map(|()| true) } else { Ok(false) };
                findings.push(finding(what, outcome));
            }
        }
        Ok(())
    }

    /// Files that cannot be read, bases that are missing, containers without their tree.
    fn examine_files(&self, findings: &mut Vec<Finding>) -> Result<()> {
        for name in self.names()? {
            match self.load(&name) {
                Err(error) => findings.push(finding(format!("{name} cannot be used"), Err(error))),
                Ok(loaded) if !self.is_directory(&loaded.container.dir)? => findings.push(Finding {
                    what: format!("{name} has a file but no tree: {} is missing", loaded.container.dir),
                    repaired: false,
                    advice: false,
                    hint: Some(format!("restore the tree, or remove {}", self.layout.file(&name))),
                }),
                Ok(_) => {}
            }
        }
        if let Err(error) = self.current_base() {
            findings.push(finding("the current release cannot be used".into(), Err(error)));
        }
        Ok(())
    }

    /// Staging and trash that no journal speaks of.
    fn examine_leftovers(&self, findings: &mut Vec<Finding>, repair: bool) -> Result<()> {
        for file in self.host.list_own(&self.layout.lib)? {
            let owner = file.strip_prefix(".staging-").or_else(|| file.strip_prefix(".trash-"));
            let Some(owner) = owner else { continue };
            let (lock, journal) = match owner.parse::<Name>() {
                _ if owner == "install" => (self.layout.install_lock(), self.layout.install_journal()),
                Ok(name) => (self.layout.lock(&name), self.layout.journal(&name)),
                Err(_) => continue,
            };
            let Some(_lock) = self.take(&lock)? else { continue };
            if self.has_journal(&journal) {
                continue; // a damaged one too: what it speaks of may be all that is left of a container
            }
            let at = self.layout.lib.join(&file);
            let step = Step::RemoveTree { at: at.clone() };
            let outcome = match repair {
                true => self.host.apply(&step, self.deadline_in(STOP_PATIENCE)).map(|()| true),
                false => Ok(false),
            };
            findings.push(finding(format!("{at} is left over from an interrupted run"), outcome));
        }
        Ok(())
    }

    fn has_journal(&self, at: &camino::Utf8Path) -> bool {
        !matches!(Journal::load(self.host, at), Ok(None))
    }

    /// Takes a container down to nothing: by its journal when it has one, by what the kernel says in any case.
    /// The caller holds its lock.
    pub(crate) fn take_down(&self, name: &Name, patience: std::time::Duration) -> Result<()> {
        let deadline = self.deadline_in(patience);
        if let Some(journal) = Journal::load(self.host, &self.layout.start_journal(name))? {
            if journal.boot != self.host.boot_id()? {
                journal.remove()?; // mounts and processes ended with that boot
            } else {
                if is_enclosed(&journal) && !self.has_sandbox(name)? {
                    self.reopen(&journal, deadline);
                }
                if self.roll_back(journal, deadline).is_ok() && !self.has_mounts(name)? {
                    return Ok(()); // and taking down the init has made sure of the processes
                }
            }
        }
        // Something inside was in the way, such as a mount that was moved: sweep, then once more.
        self.sweep(name, deadline)?;
        match Journal::load(self.host, &self.layout.start_journal(name))? {
            Some(rest) => self.roll_back(rest, deadline),
            None => Ok(()),
        }
    }

    pub(crate) fn has_mounts(&self, name: &Name) -> Result<bool> {
        let root = self.layout.container(name).join("root");
        Ok(self.view().mounts()?.iter().any(|mount| mount.at.starts_with(&root)))
    }

    /// Ends every process and every mount that the kernel still shows for a container.
    fn sweep(&self, name: &Name, deadline: crate::Deadline) -> Result<()> {
        let observed = self.look()?;
        let root = self.layout.container(name).join("root");
        let mut steps = Vec::new();
        for mount in observed.mounts(name) {
            let at = match mount.at.strip_prefix(&root) {
                Ok(inside) if !inside.as_str().is_empty() => Place::within(&root, inside),
                _ => Place::host(&mount.at),
            };
            steps.push(Step::Mount(Mount::new(at, MountFs::Foreign { name: mount.fs.clone() })));
        }
        if self.has_sandbox(name)? {
            steps.push(self.any_sandbox(name));
        }
        let init = Step::StartInit { container: name.clone(), root, proc: None };
        if !observed.processes(name).is_empty() || self.host.probe(&init)? == Probe::Present {
            steps.push(init);
        }
        for step in steps.iter().rev().filter_map(Step::inverse) {
            self.host.apply(&step, deadline)?;
        }
        Ok(())
    }
}

pub(crate) fn finding(what: String, outcome: Result<bool>) -> Finding {
    match outcome {
        Ok(repaired) => {
            let hint = (!repaired).then(|| "`qchroot doctor --repair` puts it right".to_owned());
            Finding { what, repaired, advice: false, hint }
        }
        Err(error) => Finding {
            what: format!("{what}: {error}"),
            repaired: false,
            advice: false,
            hint: error.hint_text().map(str::to_owned),
        },
    }
}

fn half_done(what: &str) -> Error {
    Error::new(ErrorKind::Busy, format!("{what} was interrupted and is half done"))
        .hint("`qchroot doctor --repair` puts it right")
}
