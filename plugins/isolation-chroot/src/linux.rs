//! The plan on Linux: safe devices, a devpts of its own, an init in a process namespace, its procfs.

use qchroot_api::{
    Container, KEPT_CAPABILITIES, Mount, MountFs, Place, Plan, Result, Rules, Step, Way, device_steps,
    in_group, proc_steps, pts_steps,
};

use crate::{SECCOMP, flag};

pub(crate) fn up(container: &Container) -> Plan {
    let root = container.root();
    let at = |path: &str| Place::within(&root, path);

    let mut plan = vec![Step::MakeDir { at: at("dev"), mode: 0o755 }];
    plan.extend(device_steps(at));
    if flag(&container.isolation, "pts") {
        let mut pts = Mount::new(at("dev/pts"), MountFs::Pts);
        (pts.nosuid, pts.noexec) = (true, true);
        plan.extend(pts_steps(at));
        plan.push(Step::Mount(pts));
    }
    let proc = flag(&container.isolation, "proc").then(|| at("proc"));
    if proc.is_some() {
        plan.extend(proc_steps(at));
    }
    plan.push(Step::StartInit { container: container.name.clone(), root: root.clone(), proc });
    plan
}

pub(crate) fn way(container: &Container) -> Result<Way> {
    let rules = Rules::of(&container.isolation, &container.limits, &KEPT_CAPABILITIES, SECCOMP)?;
    Ok(Way::Chroot { root: container.root(), rules: in_group(rules, container) })
}
