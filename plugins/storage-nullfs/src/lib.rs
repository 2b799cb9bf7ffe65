//! Storage `nullfs`: a private copy of the template, and the shared base mounted read-only once inside it, with
//! relative links from the root into it.
//!
//! The classic of qchroot(8). This crate only plans; the host layer makes a nullfs(5) mount on FreeBSD and a
//! read-only bind mount on Linux of it.

#![forbid(unsafe_code)]

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{
    Backend, Base, Capability, Container, Derived, Info, Kind, Observe, Options, Place, Plan, Platform,
    Registration, Result, SHARED_PART, SharedStorage, Snapshot, Step, check_host_trees, check_options,
    forget_steps, host_trees_spec, inventory, restore_steps, shared_links, shared_plan, snapshot_data,
    snapshot_steps, snapshots_of,
};

inventory::submit! { Registration::Storage(|| Box::new(Nullfs)) }

/// The back end.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nullfs;

impl Backend for Nullfs {
    fn info(&self) -> Info {
        Info {
            name: "nullfs".into(),
            kind: Kind::SharedStorage,
            programs: vec![],
            summary: "a private copy of the template, the shared base mounted read-only inside".into(),
            platforms: vec![Platform::Linux, Platform::Freebsd],
            capabilities: [
                Capability::SharedReadOnly,
                Capability::Snapshot,
                Capability::Clone,
                Capability::Export,
            ]
            .into(),
            options: vec![host_trees_spec()],
        }
    }

    fn check(&self, options: &Options) -> Result<()> {
        check_options("nullfs", &self.info().options, options)?;
        check_host_trees(options)
    }
}

impl SharedStorage for Nullfs {
    fn create(&self, base: &Base, container: &Container, _host: &dyn Observe) -> Result<Plan> {
        let root = container.root();
        let mut plan = vec![
            Step::CopyTree { from: base.template.clone(), to: root.clone() },
            Step::MakeDir { at: Place::within(&root, SHARED_PART), mode: 0o755 },
        ];
        let link = |(path, to)| Step::Link { at: Place::within(&root, path), to, was: None };
        plan.extend(shared_links(base).into_iter().map(link));
        Ok(plan)
    }

    fn attach(&self, base: &Base, container: &Container, host: &dyn Observe) -> Result<Plan> {
        shared_plan(base, container, host)
    }

    fn receive(
        &self,
        _base: &Base,
        container: &Container,
        _disk: Option<&Utf8Path>,
        _host: &dyn Observe,
    ) -> Result<Plan> {
        Ok(vec![Step::MakeDir { at: Place::host(container.root()), mode: 0o755 }])
    }

    fn layers(&self, base: &Base, container: &Container) -> Result<Vec<Utf8PathBuf>> {
        Ok(vec![container.root(), base.sharedfs.clone()])
    }

    fn derived(&self, base: &Base, container: &Container) -> Result<Option<Derived>> {
        Ok(Some(Derived::Copy { at: container.root(), links: shared_links(base) }))
    }

    fn private(&self, container: &Container) -> Result<Utf8PathBuf> {
        Ok(container.root())
    }

    fn clone_of(&self, _base: &Base, from: &Container, to: &Container, _host: &dyn Observe) -> Result<Plan> {
        Ok(vec![Step::CopyTree { from: self.private(from)?, to: self.private(to)? }])
    }

    fn snapshot(&self, container: &Container, name: &str, _host: &dyn Observe) -> Result<Plan> {
        Ok(snapshot_steps(container, &self.private(container)?, name))
    }

    fn restore(&self, container: &Container, name: &str, _host: &dyn Observe) -> Result<Plan> {
        let from = snapshot_data(container, name);
        Ok(restore_steps(container, &self.private(container)?, |to| Step::CopyTree { from, to }))
    }

    fn forget(&self, container: &Container, name: &str, _host: &dyn Observe) -> Result<Plan> {
        Ok(forget_steps(container, name))
    }

    fn snapshots(&self, container: &Container, host: &dyn Observe) -> Result<Vec<Snapshot>> {
        snapshots_of(container, host)
    }
}
