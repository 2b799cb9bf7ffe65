//! Isolation `namespaces`: mounts, processes, host name, IPC and control groups of a container's own, and by option its
//! own network and users. Linux only. This crate only plans.

#![forbid(unsafe_code)]

use qchroot_api::{
    Backend, Base, Capability, Container, Info, Isolation, Kind, Network, Observe, Plan, Platform,
    Registration, Result, Rules, SandboxStep, SealStep, Step, Way, inventory,
};

inventory::submit! { Registration::Isolation(|| Box::new(Namespaces)) }

/// Bytes of shared memory.
const SHARED_MEMORY: u64 = 64 << 20;

/// The back end.
#[derive(Debug, Clone, Copy, Default)]
pub struct Namespaces;

impl Backend for Namespaces {
    fn info(&self) -> Info {
        Info {
            name: "namespaces".into(),
            kind: Kind::Isolation,
            summary: "own mounts, processes, host name and IPC; by option own network and users".into(),
            platforms: vec![Platform::Linux],
            capabilities: [Capability::OwnMounts, Capability::OwnDev, Capability::OwnProcesses].into(),
            options: vec![],
        }
    }
}

impl Isolation for Namespaces {
    fn enclose(&self, container: &Container, _host: &dyn Observe) -> Result<Plan> {
        Ok(vec![Step::StartSandbox(SandboxStep {
            container: container.name.clone(),
            root: container.root(),
            host_name: container.name.to_string(),
            network: Network::Host,
            users: None,
            group: None,
        })])
    }

    fn up(&self, _base: &Base, container: &Container, _host: &dyn Observe) -> Result<Plan> {
        Ok(vec![Step::Seal(SealStep {
            container: container.name.clone(),
            root: container.root(),
            masked: vec![],
            read_only: vec![],
            shared_memory: SHARED_MEMORY,
            sys: true,
            rules: Rules::default(),
        })])
    }

    fn way(&self, container: &Container, _host: &dyn Observe) -> Result<Way> {
        Ok(Way::Sandbox { root: container.root(), rules: Rules::default() })
    }
}
