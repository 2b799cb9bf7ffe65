//! Storage `zfs`: a data set for each base and a clone of it for each container, with quotas and snapshots.
//!
//! This crate only plans; everything is done and asked through zfs(8), and `zfs.rs` alone knows how.

#![forbid(unsafe_code)]

mod create;
mod names;
mod own;
mod settings;
mod snapshots;
mod zfs;

use camino::Utf8PathBuf;
use qchroot_api::{
    Backend, Base, Capability, Container, Derived, Info, Kind, Mount, MountFs, Observe, Options, Place, Plan,
    Platform, Registration, ReleaseId, Result, SharedStorage, Snapshot, Step, Usage, inventory, shared_links,
    shared_plan,
};

use names::Parent;
use settings::Settings;

inventory::submit! { Registration::Storage(|| Box::new(Zfs)) }

/// The back end.
#[derive(Debug, Clone, Copy, Default)]
pub struct Zfs;

impl Backend for Zfs {
    fn info(&self) -> Info {
        Info {
            name: "zfs".into(),
            kind: Kind::SharedStorage,
            programs: vec![],
            summary: "a clone of the template's data set, the shared base mounted read-only inside".into(),
            platforms: vec![Platform::Linux, Platform::Freebsd],
            capabilities: [
                Capability::SharedReadOnly,
                Capability::Quota,
                Capability::Resize,
                Capability::Snapshot,
                Capability::Clone,
                Capability::Closed,
            ]
            .into(),
            options: settings::specs(),
        }
    }

    fn check(&self, options: &Options) -> Result<()> {
        Settings::read(options).map(drop)
    }
}

impl SharedStorage for Zfs {
    fn create(&self, base: &Base, container: &Container, host: &dyn Observe) -> Result<Plan> {
        create::plan(base, container, host)
    }

    fn attach(&self, base: &Base, container: &Container, host: &dyn Observe) -> Result<Plan> {
        let settings = Settings::read(&container.storage)?;
        let dataset = Parent::of(container, host)?.container(container);
        let mut mount = Mount::new(Place::host(container.root()), MountFs::Zfs { dataset });
        (mount.nosuid, mount.nodev) = (settings.nosuid, container.own_dev);
        let mut plan = vec![Step::Mount(mount)];
        plan.extend(shared_plan(base, container, host)?);
        Ok(plan)
    }

    /// While the container is stopped its root is empty, and its files are in the data set alone.
    fn layers(&self, base: &Base, container: &Container) -> Result<Vec<Utf8PathBuf>> {
        Ok(vec![container.root(), base.sharedfs.clone()])
    }

    fn private(&self, container: &Container) -> Result<Utf8PathBuf> {
        Ok(container.root())
    }

    fn derived(&self, base: &Base, container: &Container) -> Result<Option<Derived>> {
        Ok(Some(Derived::Copy { at: container.root(), links: shared_links(base) }))
    }

    fn usage(&self, container: &Container, host: &dyn Observe) -> Result<Option<Usage>> {
        own::usage(container, host).map(Some)
    }

    fn resize(&self, _base: &Base, container: &Container, to: u64, host: &dyn Observe) -> Result<Plan> {
        own::resize(container, to, host)
    }

    fn delete(&self, container: &Container, host: &dyn Observe) -> Result<Plan> {
        own::delete(container, host)
    }

    fn prune(&self, installed: &[ReleaseId], host: &dyn Observe) -> Result<Plan> {
        own::prune(installed, host)
    }

    fn rename(&self, container: &Container, to: &Container, host: &dyn Observe) -> Result<Plan> {
        own::rename(container, to, host)
    }

    fn clone_of(&self, _base: &Base, from: &Container, to: &Container, host: &dyn Observe) -> Result<Plan> {
        own::clone_of(from, to, host)
    }

    fn snapshot(&self, container: &Container, name: &str, host: &dyn Observe) -> Result<Plan> {
        snapshots::take(container, name, host)
    }

    fn restore(&self, container: &Container, name: &str, host: &dyn Observe) -> Result<Plan> {
        snapshots::restore(container, name, host)
    }

    fn forget(&self, container: &Container, name: &str, host: &dyn Observe) -> Result<Plan> {
        snapshots::forget(container, name, host)
    }

    fn snapshots(&self, container: &Container, host: &dyn Observe) -> Result<Vec<Snapshot>> {
        snapshots::list(container, host)
    }
}
