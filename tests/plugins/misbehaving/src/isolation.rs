//! An isolation by chroot(2) and an init, or with trouble.

use std::collections::BTreeMap;

use qchroot_plugin::{
    Backend, Base, Container, Info, Isolation, Kind, Observe, Options, Place, Plan, Result, Service,
    ServiceRun, Step, Way, check_options, device_steps, proc_steps,
};

use crate::bad::{self, may_panic, wish};

qchroot_plugin::export! { isolation "acme.isolation" = Chroot }

struct Chroot;

impl Backend for Chroot {
    fn info(&self) -> Info {
        bad::info("acme.isolation", Kind::Isolation, &[])
    }

    fn check(&self, options: &Options) -> Result<()> {
        may_panic(options, "check");
        check_options("acme.isolation", &self.info().options, options)
    }
}

impl Isolation for Chroot {
    fn enclose(&self, container: &Container, _host: &dyn Observe) -> Result<Plan> {
        may_panic(&container.isolation, "enclose");
        Ok(vec![])
    }

    fn up(&self, _base: &Base, container: &Container, _host: &dyn Observe) -> Result<Plan> {
        may_panic(&container.isolation, "up");
        let root = container.root();
        let at = |path: &str| Place::within(&root, path);
        let mut plan = vec![Step::MakeDir { at: at("dev"), mode: 0o755 }];
        plan.extend(device_steps(at));
        plan.extend(proc_steps(at));
        match wish(&container.isolation, "do") {
            "disk device" => plan.push(Step::Device { at: at("dev/disk"), major: 8, minor: 0 }),
            "init of another" => {
                let (container, root) = ("other".parse()?, "/".into());
                plan.push(Step::StartInit { container, root, proc: None });
            }
            _ => {}
        }
        plan.push(Step::StartInit {
            container: container.name.clone(),
            root: root.clone(),
            proc: Some(at("proc")),
        });
        Ok(plan)
    }

    fn services(&self, container: &Container) -> Result<Vec<Service>> {
        may_panic(&container.isolation, "services");
        let run = || ServiceRun::Command { argv: vec!["true".into()] };
        Ok(match wish(&container.isolation, "do") {
            "bad service" => vec![Service::new("../../etc/cron", run())],
            _ => vec![],
        })
    }

    fn facts(&self, container: &Container, _host: &dyn Observe) -> Result<BTreeMap<String, String>> {
        may_panic(&container.isolation, "facts");
        Ok(BTreeMap::new())
    }

    fn way(&self, container: &Container, _host: &dyn Observe) -> Result<Way> {
        may_panic(&container.isolation, "way");
        Ok(match wish(&container.isolation, "do") {
            "way into the host" => Way::chroot("/"),
            _ => Way::chroot(container.root()),
        })
    }
}
