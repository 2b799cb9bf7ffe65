//! Isolation `chroot`: the program runs with the container as its root directory, and that is all.
//!
//! On Linux the container's processes live in a process namespace of their own, so that a service script that
//! stops "every httpd" can only mean its own; everything else is shared with the host. On FreeBSD a jail that
//! inherits everything has the same effect, because rc.subr(8) matches by jail id. This crate only plans.

#![forbid(unsafe_code)]

mod freebsd;
mod linux;

use std::collections::BTreeMap;

use qchroot_api::{
    Backend, Base, Capability, Container, Info, Isolation, KEPT_CAPABILITIES, Kind, Limits, Observe,
    OptionKind, OptionSpec, Options, Plan, Platform, Registration, Result, Rules, Way, check_options,
    group_steps, inventory, jail_facts,
};

inventory::submit! { Registration::Isolation(|| Box::new(Chroot)) }

/// What shares everything with the host filters no system calls unless it is told to.
const SECCOMP: bool = false;

/// The back end.
#[derive(Debug, Clone, Copy, Default)]
pub struct Chroot;

impl Backend for Chroot {
    fn info(&self) -> Info {
        Info {
            name: "chroot".into(),
            kind: Kind::Isolation,
            programs: vec![],
            summary: "the container as root directory, everything else shared with the host".into(),
            platforms: vec![Platform::Linux, Platform::Freebsd],
            capabilities: [Capability::Limits].into(),
            options: [
                OptionSpec::new(
                    "proc",
                    OptionKind::Flag,
                    "true",
                    "mount /proc inside, and /sys for a foreign userland",
                ),
                OptionSpec::new("pts", OptionKind::Flag, "true", "mount /dev/pts inside (Linux)"),
                OptionSpec::new(
                    "devfs_ruleset",
                    OptionKind::Number,
                    "4",
                    "devfs(8) rule set for /dev (FreeBSD)",
                ),
            ]
            .into_iter()
            .chain(Rules::options(SECCOMP))
            .collect(),
        }
    }

    fn check(&self, options: &Options) -> Result<()> {
        let info = self.info();
        check_options(&info.name, &info.options, options)?;
        Rules::of(options, &Limits::default(), &KEPT_CAPABILITIES, SECCOMP).map(drop)
    }
}

impl Isolation for Chroot {
    fn enclose(&self, container: &Container, host: &dyn Observe) -> Result<Plan> {
        Ok(match host.platform()? {
            Platform::Linux => group_steps(container),
            Platform::Freebsd => vec![],
        })
    }

    fn up(&self, base: &Base, container: &Container, host: &dyn Observe) -> Result<Plan> {
        Ok(match host.platform()? {
            Platform::Linux => linux::up(container, host)?,
            Platform::Freebsd => freebsd::up(base.brand, container, host)?,
        })
    }

    fn facts(&self, container: &Container, host: &dyn Observe) -> Result<BTreeMap<String, String>> {
        match host.platform()? {
            Platform::Linux => Ok(BTreeMap::new()),
            Platform::Freebsd => jail_facts(&container.system_name(), &container.root(), host),
        }
    }

    fn way(&self, container: &Container, host: &dyn Observe) -> Result<Way> {
        Ok(match host.platform()? {
            Platform::Linux => linux::way(container)?,
            Platform::Freebsd => freebsd::way(container),
        })
    }
}

/// A flag that is on unless the container's options say otherwise.
fn flag(options: &Options, key: &str) -> bool {
    options.get(key).and_then(|value| value.as_bool()).unwrap_or(true)
}
