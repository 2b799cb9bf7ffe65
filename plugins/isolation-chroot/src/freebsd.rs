//! The plan on FreeBSD: devfs with a rule set, the kernel's views that the userland expects, and a jail that
//! inherits everything, so that its processes have a jail id of their own and nothing else changes for them.

use qchroot_api::{
    Brand, Container, Error, ErrorKind, KernelViews, Observe, OptionSpec, Plan, Result, Rules, Way,
    freebsd_mounts, jail_limits, jail_rules, jail_step, refuse_in_jail,
};

use crate::flag;

/// Parameters of jail(8) that take nothing away from a process.
const INHERIT: &[&str] = &[
    "host=inherit",
    "ip4=inherit",
    "ip6=inherit",
    "sysvmsg=inherit",
    "sysvsem=inherit",
    "sysvshm=inherit",
    "allow.raw_sockets",
    "allow.chflags",
    "allow.mlock",
    "allow.socket_af",
    "allow.reserved_ports",
    "allow.set_hostname",
    "children.max=0",
    "enforce_statfs=1",
];

pub(crate) fn up(brand: Brand, container: &Container, host: &dyn Observe) -> Result<Plan> {
    refuse_rules(container)?;
    refuse_in_jail(host)?;
    let (root, name) = (container.root(), container.system_name());
    let ruleset = container.isolation.get("devfs_ruleset").and_then(|v| v.as_integer()).unwrap_or(4);
    let views = KernelViews {
        devices: Some(u32::try_from(ruleset).unwrap_or(4)),
        descriptors: false,
        processes: flag(&container.isolation, "proc"),
    };
    let mut plan = freebsd_mounts(brand, &root, views);
    plan.extend(jail_limits(&name, &container.limits));
    let path = [format!("path={root}")];
    let parameters: Vec<String> =
        path.into_iter().chain(INHERIT.iter().map(|&parameter| parameter.to_owned())).collect();
    plan.push(jail_step(&name, &[], &parameters));
    Ok(plan)
}

/// What is asked for and not done would be believed to hold.
fn refuse_rules(container: &Container) -> Result<()> {
    let given = |option: &OptionSpec| container.isolation.contains_key(&option.key);
    match Rules::options(false).iter().find(|option| given(option)) {
        Some(option) => {
            let message = format!("{} cannot be held to option {} on FreeBSD", container.name, option.key);
            Err(Error::new(ErrorKind::Unavailable, message)
                .with("key", &option.key)
                .hint("take it out; the isolation jail holds what is inside"))
        }
        None => Ok(()),
    }
}

pub(crate) fn way(container: &Container) -> Way {
    Way::Jail { name: container.system_name(), root: container.root(), rules: jail_rules(&container.limits) }
}
