//! Storage `zfs`: a data set for each base and a clone of it for each container, with quotas and snapshots.
//!
//! This crate only plans; everything is done and asked through zfs(8).

#![forbid(unsafe_code)]

use camino::Utf8PathBuf;
use qchroot_api::{
    Backend, Base, Capability, Container, Error, ErrorKind, Info, Kind, Observe, OptionKind, OptionSpec,
    Plan, Platform, Registration, Result, SharedStorage, inventory,
};

inventory::submit! { Registration::Storage(|| Box::new(Zfs)) }

/// The back end.
#[derive(Debug, Clone, Copy, Default)]
pub struct Zfs;

impl Backend for Zfs {
    fn info(&self) -> Info {
        Info {
            name: "zfs".into(),
            kind: Kind::SharedStorage,
            summary: "a clone of the template's data set, the shared base mounted read-only inside".into(),
            platforms: vec![Platform::Linux, Platform::Freebsd],
            capabilities: [Capability::SharedReadOnly, Capability::Quota, Capability::Closed].into(),
            options: vec![OptionSpec::new(
                "dataset",
                OptionKind::Text,
                "none",
                "the data set below which all others are made",
            )],
        }
    }
}

impl SharedStorage for Zfs {
    fn create(&self, _base: &Base, container: &Container, _host: &dyn Observe) -> Result<Plan> {
        Err(not_yet(container))
    }

    fn attach(&self, _base: &Base, container: &Container, _host: &dyn Observe) -> Result<Plan> {
        Err(not_yet(container))
    }

    fn layers(&self, base: &Base, container: &Container) -> Vec<Utf8PathBuf> {
        vec![container.root(), base.sharedfs.clone()]
    }

    fn private(&self, container: &Container) -> Utf8PathBuf {
        container.root()
    }
}

fn not_yet(container: &Container) -> Error {
    Error::new(ErrorKind::Unavailable, format!("{}: storage zfs cannot be used yet", container.name))
}
