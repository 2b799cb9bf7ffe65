//! Isolation `jail`: FreeBSD's jail(8), by its command. This crate only plans.

#![forbid(unsafe_code)]

use qchroot_api::{
    Backend, Base, Container, Info, Isolation, Kind, Observe, Plan, Platform, Registration, Result, Rules,
    Way, inventory,
};

inventory::submit! { Registration::Isolation(|| Box::new(Jail)) }

/// The back end.
#[derive(Debug, Clone, Copy, Default)]
pub struct Jail;

impl Backend for Jail {
    fn info(&self) -> Info {
        Info {
            name: "jail".into(),
            kind: Kind::Isolation,
            summary: "a jail of FreeBSD: own address and host name, no sight of processes outside".into(),
            platforms: vec![Platform::Freebsd],
            capabilities: [].into(),
            options: vec![],
        }
    }
}

impl Isolation for Jail {
    fn up(&self, _base: &Base, _container: &Container, _host: &dyn Observe) -> Result<Plan> {
        Ok(vec![])
    }

    fn way(&self, container: &Container, _host: &dyn Observe) -> Result<Way> {
        Ok(Way::Command { prefix: vec!["jexec".into(), container.system_name()], rules: Rules::default() })
    }
}
