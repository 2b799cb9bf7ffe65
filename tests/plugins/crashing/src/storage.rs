//! The storage: as `overlay` is, without its limits.

use std::collections::BTreeSet;

use camino::Utf8PathBuf;
use qchroot_plugin::{
    Backend, Base, Container, Info, Kind, Mount, MountFs, Observe, Place, Plan, Platform, Result,
    SharedStorage, Step,
};

use crate::misdeed;

pub struct Storage;

impl Backend for Storage {
    fn info(&self) -> Info {
        Info {
            name: "acme.crashing".into(),
            kind: Kind::SharedStorage,
            summary: "an overlay, if it gets that far".into(),
            platforms: vec![Platform::Linux],
            capabilities: BTreeSet::new(),
            options: misdeed::options(),
            programs: vec![],
        }
    }
}

impl SharedStorage for Storage {
    fn create(&self, _base: &Base, container: &Container, _host: &dyn Observe) -> Result<Plan> {
        misdeed::turn("create", &container.storage);
        let make = |name: &str| Step::MakeDir { at: Place::host(container.dir.join(name)), mode: 0o755 };
        Ok(["root", "upper", "work"].map(make).into())
    }

    fn attach(&self, base: &Base, container: &Container, host: &dyn Observe) -> Result<Plan> {
        host.has_fs("overlay")?;
        misdeed::turn("attach", &container.storage);
        let layers = MountFs::Overlay {
            lower: vec![base.template.clone(), base.sharedfs.clone()],
            upper: container.dir.join("upper"),
            work: container.dir.join("work"),
        };
        Ok(vec![Step::Mount(Mount::new(Place::host(container.root()), layers))])
    }

    fn layers(&self, base: &Base, container: &Container) -> Result<Vec<Utf8PathBuf>> {
        Ok(vec![container.dir.join("upper"), base.template.clone(), base.sharedfs.clone()])
    }

    fn private(&self, container: &Container) -> Result<Utf8PathBuf> {
        Ok(container.dir.join("upper"))
    }
}
