//! Isolation `namespaces`: mounts, processes, host name, IPC and control groups of a container's own, and by option its
//! own network and users. Linux only. This crate only plans; a sandbox is the host layer's work.

#![forbid(unsafe_code)]

mod bridge;
mod options;

use qchroot_api::{
    Backend, Base, Capability, Container, Info, Isolation, KEPT_CAPABILITIES, Kind, Limits, Network, Observe,
    Options, Place, Plan, Platform, Registration, Result, Rules, SandboxStep, SealStep, Step, Way,
    check_options, group_steps, in_group, inventory,
};

use options::{Net, Settings};

inventory::submit! { Registration::Isolation(|| Box::new(Namespaces)) }

/// System calls are filtered unless the container's options say otherwise.
const SECCOMP: bool = true;

/// The back end.
#[derive(Debug, Clone, Copy, Default)]
pub struct Namespaces;

impl Backend for Namespaces {
    fn info(&self) -> Info {
        Info {
            name: "namespaces".into(),
            kind: Kind::Isolation,
            programs: vec![],
            summary: "own mounts, processes, host name and IPC; by option own network and users".into(),
            platforms: vec![Platform::Linux],
            capabilities: [
                Capability::OwnMounts,
                Capability::OwnDev,
                Capability::OwnProcesses,
                Capability::OwnNetwork,
                Capability::Limits,
            ]
            .into(),
            options: options::specs(),
        }
    }

    fn check(&self, options: &Options) -> Result<()> {
        check_options("namespaces", &options::specs(), options)?;
        Rules::of(options, &Limits::default(), &kept(), SECCOMP)?;
        Settings::read(options).map(drop)
    }
}

impl Isolation for Namespaces {
    /// The limits, the network, and then the sandbox that is put into both.
    fn enclose(&self, container: &Container, host: &dyn Observe) -> Result<Plan> {
        let settings = Settings::read(&container.isolation)?;
        let mut plan = group_steps(container);
        let group = (!plan.is_empty()).then(|| container.system_name());
        let network = match &settings.network {
            Net::Host => Network::Host,
            Net::None => Network::None,
            Net::Bridge(bridge) => {
                plan.extend(bridge::plan(container, bridge, host)?);
                Network::Named { name: container.system_name() }
            }
        };
        plan.push(Step::StartSandbox(SandboxStep {
            container: container.name.clone(),
            root: container.root(),
            host_name: settings.host_name.unwrap_or_else(|| container.name.to_string()),
            network,
            users: settings.users,
            group,
        }));
        Ok(plan)
    }

    fn up(&self, _base: &Base, container: &Container, _host: &dyn Observe) -> Result<Plan> {
        let (settings, root) = (Settings::read(&container.isolation)?, container.root());
        let kernels = ["dev", "proc", "sys"].iter().take(if settings.sys { 3 } else { 2 });
        let mut plan: Plan =
            kernels.map(|path| Step::MakeDir { at: Place::within(&root, path), mode: 0o755 }).collect();
        plan.push(Step::Seal(SealStep {
            container: container.name.clone(),
            root,
            masked: settings.masked.clone(),
            read_only: settings.read_only.clone(),
            shared_memory: settings.shared_memory,
            sys: settings.sys,
            rules: rules(container)?,
        }));
        Ok(plan)
    }

    fn way(&self, container: &Container, _host: &dyn Observe) -> Result<Way> {
        Ok(Way::Sandbox { root: container.root(), rules: rules(container)? })
    }
}

/// What every process inside is held to.
fn rules(container: &Container) -> Result<Rules> {
    let rules = Rules::of(&container.isolation, &container.limits, &kept(), SECCOMP)?;
    Ok(in_group(rules, container))
}

/// What programs keep: with a root of their own, a further chroot(2) leads nowhere, and sshd(8) and package managers
/// want it.
fn kept() -> Vec<&'static str> {
    KEPT_CAPABILITIES.into_iter().chain(["sys_chroot"]).collect()
}
