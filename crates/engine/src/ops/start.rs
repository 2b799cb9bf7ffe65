//! `start` and `stop` of one container. A stop is the roll-back of what the start left in its journal.

use std::time::Duration;

use qchroot_api::{Brand, Error, ErrorKind, Info, Name, Plan, Platform, Result, ServiceStep, Step};

use crate::host_dirs;
use crate::journal::{Journal, Op};
use crate::sandbox::Remains;
use crate::state::Observed;
use crate::transaction::Job;
use crate::version::{Standing, compare};
use crate::{Engine, Loaded, START_PATIENCE, STOP_PATIENCE, State};

/// What became of one container; each has the manual's own phrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It has no service to start.
    Bypassed,
    /// It is started now.
    Started,
    /// It was started already.
    AlreadyStarted,
    /// It is stopped now.
    Stopped,
    /// It was stopped already.
    AlreadyStopped,
}

impl Outcome {
    /// The phrase of qchroot(8).
    #[must_use]
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Bypassed => "Bypassed; No service configured yet",
            Self::Started => "Start chroot completed.",
            Self::AlreadyStarted => "Error; Chroot is already started.",
            Self::Stopped => "Chroot is stopped.",
            Self::AlreadyStopped => "Error; Chroot is already stopped.",
        }
    }
}

impl Engine<'_> {
    /// Starts one container and its services.
    pub fn start(&self, name: &Name) -> Result<Outcome> {
        let _lock = self.lock_container(name)?;
        self.start_locked(name, &self.look()?)
    }

    /// The same for who holds its lock, and has looked since.
    pub(crate) fn start_locked(&self, name: &Name, observed: &Observed) -> Result<Outcome> {
        self.refuse_half_done(name)?;
        let loaded = self.load(name)?;
        if loaded.services.is_empty() {
            return Ok(Outcome::Bypassed);
        }
        match self.state(name, observed)? {
            (State::Started, _) => return Ok(Outcome::AlreadyStarted),
            (State::Partial, problems) => return Err(half_started(name, &problems)),
            (State::Stopped, _) => {}
        }
        self.check_standing(&loaded)?;
        let mut plan = self.open_plan(&loaded, self.purge_step(&loaded)?)?;
        plan.extend(self.service_steps(&loaded)?);
        self.run_start(&loaded, Op::Start, plan)?;
        self.note_boot(name)?;
        Ok(Outcome::Started)
    }

    /// Carries out a plan whose journal lies in the run directory.
    pub(crate) fn run_start(&self, loaded: &Loaded<'_>, op: Op, plan: Plan) -> Result<()> {
        let name = &loaded.name;
        let journal = self.layout.start_journal(name);
        if !self.dry_run {
            self.host.make_own_dir(&self.layout.container_run(name))?;
            self.host.make_own_dir(&self.layout.container_log(name))?;
            if self.host.read_own(&journal)?.is_some() {
                self.take_down(name, STOP_PATIENCE)?; // its processes and mounts ended without it
            }
        }
        let deadline = self.deadline_in(START_PATIENCE + time_to_be_ready(loaded));
        self.run(&Job { op, container: Some(name), journal, deadline }, plan)
    }

    /// The steps after which programs can run inside, with one to clean up before anything is made there.
    pub(crate) fn open_plan(&self, loaded: &Loaded<'_>, clean: Option<Step>) -> Result<Plan> {
        let base = &loaded.installed.base;
        self.refuse_elsewhere(&loaded.name, &loaded.isolation.info())?;
        self.refuse_foreign(loaded)?;
        let container = &self.with_kept_limits(loaded)?;
        let mut plan = loaded.isolation.enclose(container, self.view())?;
        plan.extend(loaded.storage.attach(base, container, self.view())?);
        plan.extend(host_dirs::plan(base, container, self.view())?);
        plan.extend(loaded.isolation.up(base, container, self.view())?);
        plan.extend(clean);
        plan.extend(self.declared_steps(loaded)?);
        Ok(plan)
    }

    /// An isolation of another kernel's is refused; a dry run shows what would be done there.
    pub(crate) fn refuse_elsewhere(&self, name: &Name, isolation: &Info) -> Result<()> {
        let platform = self.view().platform()?;
        if isolation.platforms.contains(&platform) {
            return Ok(());
        }
        let theirs: Vec<String> = isolation.platforms.iter().map(ToString::to_string).collect();
        let message = format!("isolation {} of {name} works on {} only", isolation.name, theirs.join(", "));
        if self.dry_run {
            self.watch.warn(&message);
            return Ok(());
        }
        Err(Error::new(ErrorKind::Unavailable, message)
            .with("container", name)
            .hint(format!("`qchroot plugin list` shows what there is for {platform}")))
    }

    /// A userland whose programs this kernel cannot run is kept, and not entered; a dry run shows what would be done
    /// where they can.
    fn refuse_foreign(&self, loaded: &Loaded<'_>) -> Result<()> {
        let (brand, platform) = (loaded.installed.base.brand, self.view().platform()?);
        if self.view().runs(brand)? {
            return Ok(());
        }
        let hint = match (brand, platform) {
            (Brand::Linux, Platform::Freebsd) => {
                "load linux(4): `service linux onestart`, or `kldload linux64`".to_owned()
            }
            _ => format!("enter it on a {} host; here it can be made, listed and deleted", brand.platform()),
        };
        let message =
            format!("{} has a {brand} userland, which this {platform} kernel cannot run", loaded.name);
        if self.dry_run {
            self.watch.warn(&message);
            return Ok(());
        }
        Err(Error::new(ErrorKind::Unavailable, message).with("container", &loaded.name).hint(hint))
    }

    fn service_steps(&self, loaded: &Loaded<'_>) -> Result<Plan> {
        let way = loaded.isolation.way(&loaded.container, self.view())?;
        let step = |service: &qchroot_api::Service| {
            Step::StartService(ServiceStep {
                container: loaded.name.clone(),
                root: loaded.container.root(),
                way: way.clone(),
                service: service.clone(),
                lock: self.layout.service_lock(&loaded.name, &service.name),
                log: self.layout.service_log(&loaded.name, &service.name),
                status: self.layout.service_status(&loaded.name, &service.name),
            })
        };
        Ok(loaded.services.iter().map(step).collect())
    }

    /// The host and the shared base must be the same release.
    pub(crate) fn check_standing(&self, loaded: &Loaded<'_>) -> Result<()> {
        let (base, host) = (&loaded.installed.file, self.view().host_release()?);
        let name = &loaded.name;
        match compare(&base.version, &host) {
            Standing::Fine => {}
            Standing::OtherMinor => {
                self.watch.warn(&format!("{name} runs {} on a host of {host}", base.version));
            }
            Standing::OtherMajor if base.insisted => self.watch.warn(&format!(
                "{name} runs {} on a host of {host}: programs tied to the kernel, such as ps and top, may fail",
                base.version
            )),
            Standing::OtherMajor => {
                let message = format!("{name} has {} and the host is {host}: another major release", base.version);
                return Err(Error::new(ErrorKind::Config, message).with("container", name).hint(
                    "run `qchroot install --across-major`, create the container anew from it, and install its \
                     packages again",
                ));
            }
        }
        Ok(())
    }

    /// Stops one container: afterwards it has no process and no mount.
    pub fn stop(&self, name: &Name, patience: Duration) -> Result<Outcome> {
        let _lock = self.lock_container(name)?;
        self.stop_locked(name, &self.look()?, patience)
    }

    /// The same for who holds its lock, and has looked since.
    pub(crate) fn stop_locked(
        &self,
        name: &Name,
        observed: &Observed,
        patience: Duration,
    ) -> Result<Outcome> {
        let journal = Journal::load(self.host, &self.layout.start_journal(name))?;
        let nothing = self.remains(name, observed, journal.as_ref())? == Remains::Nothing;
        if self.dry_run {
            self.show_stop(journal);
            return Ok(if nothing { Outcome::AlreadyStopped } else { Outcome::Stopped });
        }
        if nothing && journal.is_none() {
            self.read_file(name)?; // a name that is no container is an error
            return Ok(Outcome::AlreadyStopped);
        }
        self.take_down(name, patience)?;
        Ok(if nothing { Outcome::AlreadyStopped } else { Outcome::Stopped })
    }

    fn show_stop(&self, journal: Option<Journal<'_>>) {
        let steps = journal.map(|journal| journal.steps).unwrap_or_default();
        for step in steps.iter().rev().filter_map(Step::inverse) {
            self.watch.step(crate::Point::Planned, &step);
        }
    }
}

/// The time that the services of a container ask for by themselves.
fn time_to_be_ready(loaded: &Loaded<'_>) -> Duration {
    Duration::from_secs(
        loaded.services.iter().filter_map(|service| service.ready_timeout).fold(0, u64::saturating_add),
    )
}

pub(crate) fn half_started(name: &Name, problems: &[String]) -> Error {
    Error::new(ErrorKind::Busy, format!("{name} is neither started nor stopped"))
        .cause(problems.join(", "))
        .with("container", name)
        .hint(format!("`qchroot stop {name}` takes down what is left, then start it again"))
}
