//! Isolation `jail`: FreeBSD's jail(8), by its command. This crate only plans.
//!
//! Its options bear the names that jail(8) gives its parameters, dots included. What keeps a container apart is on
//! unless an option takes it away.

#![forbid(unsafe_code)]

mod address;
mod network;
mod options;
mod parameters;

use std::collections::BTreeMap;

use qchroot_api::{
    Backend, Base, Brand, Capability, Container, Error, ErrorKind, Info, Isolation, KernelViews, Kind,
    Observe, Options, Place, Plan, Platform, Registration, Result, Service, ServiceRun, Step, Way,
    check_options, freebsd_mounts, inventory, jail_facts, jail_limits, jail_rules, jail_step, refuse_in_jail,
};

use options::Given;

inventory::submit! { Registration::Isolation(|| Box::new(Jail)) }

/// The back end.
#[derive(Debug, Clone, Copy, Default)]
pub struct Jail;

impl Backend for Jail {
    fn info(&self) -> Info {
        Info {
            name: "jail".into(),
            kind: Kind::Isolation,
            programs: vec![],
            summary: "a jail of FreeBSD: own address and host name, no sight of processes outside".into(),
            platforms: vec![Platform::Freebsd],
            capabilities: [Capability::Limits, Capability::OwnProcesses, Capability::OwnNetwork].into(),
            options: options::specs(),
        }
    }

    fn check(&self, options: &Options) -> Result<()> {
        let info = self.info();
        check_options(&info.name, &info.options, options)?;
        options::check_values(Given(options))?;
        network::check(Given(options))?;
        parameters::check(Given(options))
    }
}

impl Isolation for Jail {
    fn up(&self, base: &Base, container: &Container, host: &dyn Observe) -> Result<Plan> {
        let (root, name, given) = (container.root(), container.system_name(), Given(&container.isolation));
        if host.platform()? != Platform::Freebsd {
            return Err(Error::new(ErrorKind::Unavailable, "jails are FreeBSD's")
                .hint("use the isolation namespaces"));
        }
        refuse_in_jail(host)?;
        parameters::refuse_lower(given, host)?;
        network::refuse_missing(&name, given, host)?;
        let mut plan = freebsd_mounts(base.brand, &root, views(base.brand, given));
        plan.extend(jail_limits(&name, &container.limits));
        plan.extend(network::aliases(given)?);
        let mut options = vec![];
        if let Some(file) = given.text("jid_file") {
            let at = Place::host(file);
            plan.push(Step::WriteFile { at, text: String::new(), mode: 0o644, was: None });
            options.extend(["-J".to_owned(), file.to_owned()]);
        }
        plan.push(jail_step(&name, &options, &parameters::all(container, given)?));
        plan.extend(network::moves(&name, given));
        Ok(plan)
    }

    fn services(&self, container: &Container) -> Result<Vec<Service>> {
        if Given(&container.isolation).text("style") != Some("system") {
            return Ok(vec![]);
        }
        let words = |line: &str| line.split(' ').map(str::to_owned).collect();
        let (start, stop) = (words("/bin/sh /etc/rc"), words("/bin/sh /etc/rc.shutdown jail"));
        Ok(vec![Service::new("rc", ServiceRun::Programs { start, stop })])
    }

    fn facts(&self, container: &Container, host: &dyn Observe) -> Result<BTreeMap<String, String>> {
        let mut facts = jail_facts(&container.system_name(), &container.root(), host)?;
        if Given(&container.isolation).flag("allow.mount.nullfs", false) {
            facts.insert("risk".into(), "allow.mount.nullfs has been a way out of jails".into());
        }
        Ok(facts)
    }

    fn way(&self, container: &Container, _host: &dyn Observe) -> Result<Way> {
        Ok(Way::Jail {
            name: container.system_name(),
            root: container.root(),
            rules: jail_rules(&container.limits),
        })
    }
}

/// A userland that is not FreeBSD's gets what its programs read, whatever procfs(5) is for others.
fn views(brand: Brand, given: Given<'_>) -> KernelViews {
    KernelViews {
        devices: given.flag("mount.devfs", true).then(|| options::ruleset(given)),
        descriptors: given.flag("mount.fdescfs", false),
        processes: given.flag("mount.procfs", brand != Brand::Freebsd),
    }
}
