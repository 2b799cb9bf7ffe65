//! One fake host with a base, and the storage under examination: what a trial of the suite starts from.

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Base, Capability, Container, Place, Plan, Platform, Result, SharedStorage, Step, Usage};

use super::Storage;
use crate::behavior::transaction::{succeed, take_back};
use crate::behavior::view;
use crate::fixture::{
    LIMIT, container, native, needs_pool, plant_base, plant_pool, plant_tree, with_required,
};
use crate::{FakeHost, Snapshot};

pub(super) const STAGING: &str = "/q/.staging-web";
pub(super) const DIR: &str = "/q/web";

/// The machine, the base and the storage.
pub(super) struct World {
    subject: Storage,
    pub(super) platform: Platform,
    pub(super) storage: Box<dyn SharedStorage>,
    pub(super) host: FakeHost,
    pub(super) base: Base,
}

impl World {
    pub(super) fn new(subject: &Storage, platform: Platform) -> Self {
        Self::on(FakeHost::new(platform), subject, platform)
    }

    /// On a machine that has just booted.
    pub(super) fn on(host: FakeHost, subject: &Storage, platform: Platform) -> Self {
        let storage = subject.make();
        let base = match storage.info().capabilities.contains(&Capability::OwnRoot) {
            true => plant_tree(&host, "/mnt/the tree", native(platform)),
            false => plant_base(&host, "/q/releases", native(platform)),
        };
        host.plant_dir(STAGING, 0o700);
        if needs_pool(&*storage) {
            plant_pool(&host);
        }
        Self { subject: subject.clone(), platform, storage, host, base }
    }

    pub(super) fn again<T>(&self, run: impl FnOnce(&Self) -> T) -> T {
        run(&Self::new(&self.subject, self.platform))
    }

    /// The same machine in the same state; from now on each goes its own way.
    pub(super) fn twin(&self) -> Self {
        let (subject, storage, base) = (self.subject.clone(), self.subject.make(), self.base.clone());
        Self { subject, platform: self.platform, storage, host: self.host.twin(), base }
    }

    /// Compares a plan with what is kept of it, if anything is.
    pub(super) fn compare(&self, verb: &str, plan: &Plan) {
        self.subject.compare(self.platform, verb, plan);
    }

    pub(super) fn can(&self, capability: Capability) -> bool {
        self.storage.info().capabilities.contains(&capability)
    }

    pub(super) fn create(&self) -> Plan {
        let plan = self.storage.create(&self.base, &self.container_in("web", STAGING), view(&self.host));
        plan.expect("the storage can plan a container")
    }

    pub(super) fn container(&self) -> Container {
        self.container_in("web", DIR)
    }

    pub(super) fn container_in(&self, name: &str, dir: &str) -> Container {
        let mut container = with_required(container(name, dir), &*self.storage, &self.base);
        container.storage.extend(self.subject.options.clone());
        container
    }

    /// A second container, attached.
    pub(super) fn second(&self) -> Container {
        let second = self.container_in("db", "/q/db");
        succeed(&self.host, &vec![Step::Stage { at: second.dir.clone() }]);
        let create = self.storage.create(&self.base, &second, view(&self.host));
        succeed(&self.host, &create.expect("a second container can be planned"));
        succeed(&self.host, &self.attach_of(&second));
        second
    }

    pub(super) fn attach(&self) -> Plan {
        self.attach_of(&self.container())
    }

    pub(super) fn attach_of(&self, container: &Container) -> Plan {
        let plan = self.storage.attach(&self.base, container, view(&self.host));
        plan.expect("the storage can plan to attach")
    }

    /// Creates the container and gives it its name.
    pub(super) fn created(&self) -> &Self {
        succeed(&self.host, &self.create());
        succeed(&self.host, &vec![Step::Rename { from: STAGING.into(), to: DIR.into() }]);
        self
    }

    pub(super) fn attached(&self) -> &Self {
        self.created();
        succeed(&self.host, &self.attach());
        self
    }

    /// Attaches the container, lets `run` see it, and detaches it.
    pub(super) fn while_attached<T>(&self, run: impl FnOnce(&Self) -> T) -> T {
        let begun = succeed(&self.host, &self.attach());
        let done = run(self);
        take_back(&self.host, &begun);
        done
    }

    pub(super) fn inside(&self, path: impl AsRef<Utf8Path>) -> Place {
        Place::within(self.container().root(), path)
    }

    /// The text of a file inside; nothing when there is none.
    pub(super) fn read(&self, path: impl AsRef<Utf8Path>) -> Option<String> {
        view(&self.host).read(&self.inside(path)).ok()
    }

    /// Writes as a process of the container would.
    pub(super) fn write(&self, path: impl AsRef<Utf8Path>) -> Result<()> {
        self.write_text(path, "new")
    }

    pub(super) fn write_text(&self, path: impl AsRef<Utf8Path>, text: &str) -> Result<()> {
        self.host.write_inside(self.container().root(), path, text)
    }

    pub(super) fn usage(&self) -> Usage {
        let usage = self.storage.usage(&self.container(), view(&self.host));
        usage.expect("the usage can be told").expect("a storage with limits tells the usage")
    }

    /// Steps that give the container another limit.
    pub(super) fn resize(&self, to: u64) -> Result<Plan> {
        self.storage.resize(&self.base, &self.container(), to, view(&self.host))
    }

    /// Half as much again as the container may have, and half of it.
    pub(super) fn other_limits() -> [u64; 2] {
        [LIMIT + LIMIT / 2, LIMIT / 2]
    }

    pub(super) fn of_base(&self) -> Snapshot {
        self.host.files([&self.base.sharedfs, &self.base.template])
    }

    /// The directories outside of the container's own that its plans may read or write: those of the base, its logs,
    /// and names of the host's.
    pub(super) fn others(&self) -> Vec<Utf8PathBuf> {
        let base = [&self.base.sharedfs, &self.base.template].map(Clone::clone);
        base.into_iter().chain(["/etc/resolv.conf".into(), self.container().log]).chain(self.kept()).collect()
    }

    /// Where the base keeps what its containers are made from.
    pub(super) fn kept(&self) -> Option<Utf8PathBuf> {
        self.base.template.parent().map(|base| base.join("disks"))
    }
}
