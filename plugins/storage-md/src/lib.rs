//! Storage `md`: the private tree lives on a disk of a fixed size, a file system in a file, and the shared base is
//! mounted read-only inside it.
//!
//! A container cannot take one byte more than it was given. This crate only plans; the host layer shows the file as
//! md(4) on FreeBSD and as loop(4) on Linux.

#![forbid(unsafe_code)]

use camino::Utf8PathBuf;
use qchroot_api::{
    Backend, Base, Capability, Container, Error, ErrorKind, Info, Kind, Observe, OptionKind, OptionSpec,
    Plan, Platform, Registration, Result, SharedStorage, inventory,
};

inventory::submit! { Registration::Storage(|| Box::new(Md)) }

/// The back end.
#[derive(Debug, Clone, Copy, Default)]
pub struct Md;

impl Backend for Md {
    fn info(&self) -> Info {
        Info {
            name: "md".into(),
            kind: Kind::SharedStorage,
            summary: "a private tree on a disk of a fixed size, the shared base mounted read-only inside"
                .into(),
            platforms: vec![Platform::Linux, Platform::Freebsd],
            capabilities: [Capability::SharedReadOnly, Capability::Quota, Capability::Closed].into(),
            options: vec![OptionSpec::new(
                "size",
                OptionKind::Size,
                "none",
                "the size of the disk, such as 512M",
            )],
        }
    }
}

impl SharedStorage for Md {
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
        container.dir.join("disk.img")
    }
}

fn not_yet(container: &Container) -> Error {
    Error::new(ErrorKind::Unavailable, format!("{}: storage md cannot be used yet", container.name))
}
