//! One container in a jail of the fake machine.

#![allow(clippy::expect_used, reason = "tests report by panicking")]

use qchroot_api::{Base, Brand, Container, Isolation, Observe, Options, Plan, Result};
use qchroot_isolation_jail::Jail;
use qchroot_testkit::FakeHost;
use qchroot_testkit::fixture::{Small, container, plant_base, userland};

pub(crate) struct World {
    pub(crate) host: FakeHost,
    pub(crate) container: Container,
    base: Base,
}

impl World {
    /// A container with these options, on a machine with an interface `lo1`.
    pub(crate) fn new(options: Options) -> Self {
        let host = FakeHost::freebsd().with_accounting();
        host.plant_interface("lo1");
        let base = plant_base(&host, "/q/releases", Brand::Freebsd);
        let container = Container { isolation: options, ..container("web", "/q/web") };
        for &(path, small) in userland(base.brand) {
            let at = container.root().join(path);
            match small {
                Small::Dir(mode) => host.plant_dir(at, mode),
                Small::File(text, mode) => host.plant_file(at, text, mode),
                Small::Link(to) => host.plant_link(at, to),
            }
        }
        Self { host, container, base }
    }

    pub(crate) fn view(&self) -> &dyn Observe {
        &self.host
    }

    pub(crate) fn plan(&self) -> Result<Plan> {
        Jail.up(&self.base, &self.container, self.view())
    }

    /// The plan of a start.
    pub(crate) fn up(&self) -> Plan {
        self.plan().expect("the isolation can plan")
    }
}
