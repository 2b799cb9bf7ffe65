//! Isolation `acme.thing`: the container as root directory, with devices, terminals and processes of its own. Linux.
//!
//! An isolation never acts. It answers with a plan, whose steps qchroot carries out, writes into a journal, and takes
//! back when one of them fails.

use qchroot_plugin::{
    Backend, Base, Capability, Container, Info, Isolation, KEPT_CAPABILITIES, Kind, Mount, MountFs, Observe,
    Options, Place, Plan, Platform, Result, Rules, Step, Way, check, device_steps, group_steps, in_group,
    options_of, pts_steps, read,
};
use schemars::JsonSchema;
use serde::Deserialize;

qchroot_plugin::export! { isolation "acme.thing" = Thing::new()? }

/// What users may set: `-o isolation.KEY=VALUE`, or below `[isolation.options]` of a container's file.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// mount /dev/pts inside, for programs that want a terminal
    #[serde(default = "yes")]
    pts: bool,
}

fn yes() -> bool {
    true
}

struct Thing {
    info: Info,
}

impl Thing {
    fn new() -> Result<Self> {
        let info = Info {
            platforms: vec![Platform::Linux],
            capabilities: [Capability::Limits].into(),
            options: options_of::<Settings>()?,
            ..Info::new(
                Kind::Isolation,
                "acme.thing",
                "the container as root directory, processes of its own",
            )
        };
        Ok(Self { info })
    }
}

impl Backend for Thing {
    fn info(&self) -> Info {
        self.info.clone()
    }

    fn check(&self, options: &Options) -> Result<()> {
        check::<Settings>(&self.info, options)
    }
}

impl Isolation for Thing {
    /// Before the storage is attached: the control group that keeps the container to its limits.
    fn enclose(&self, container: &Container, _host: &dyn Observe) -> Result<Plan> {
        Ok(group_steps(container))
    }

    /// After it: what processes inside expect. Links that somebody planted inside are never followed: see `Place`.
    fn up(&self, _base: &Base, container: &Container, _host: &dyn Observe) -> Result<Plan> {
        let settings: Settings = read(&container.isolation)?;
        let root = container.root();
        let at = |path: &str| Place::within(&root, path);
        let mut plan = vec![Step::MakeDir { at: at("dev"), mode: 0o755 }];
        plan.extend(device_steps(at));
        if settings.pts {
            plan.extend(pts_steps(at));
            plan.push(Step::Mount(Mount::new(at("dev/pts"), MountFs::Pts).restricted()));
        }
        plan.push(Step::StartInit { container: container.name.clone(), root: root.clone(), proc: None });
        Ok(plan)
    }

    /// How a program gets inside, and what it is held to there.
    fn way(&self, container: &Container, _host: &dyn Observe) -> Result<Way> {
        let rules = Rules::of(&Options::new(), &container.limits, &KEPT_CAPABILITIES, false)?;
        Ok(Way::Chroot { root: container.root(), rules: in_group(rules, container) })
    }
}

#[cfg(test)]
mod tests {
    use qchroot_plugin::testing::{Desk, base, container};
    use qchroot_plugin::{Brand, toml};

    use super::*;

    fn up(options: Options) -> Plan {
        let web = Container { isolation: options, ..container("web").unwrap() };
        Thing::new().unwrap().up(&base(Brand::Linux).unwrap(), &web, &Desk::new()).unwrap()
    }

    #[test]
    fn the_init_comes_last() {
        assert!(matches!(up(Options::new()).last(), Some(Step::StartInit { .. })));
    }

    #[test]
    fn terminals_are_mounted_unless_they_are_not_wanted() {
        let mounts = |plan: Plan| plan.iter().filter(|step| matches!(step, Step::Mount(_))).count();
        assert_eq!(mounts(up(Options::new())), 1);
        assert_eq!(mounts(up(toml::toml! { pts = false })), 0);
    }
}
