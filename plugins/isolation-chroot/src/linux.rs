//! The plan on Linux: safe devices, a devpts of its own, an init in a process namespace, its procfs, of which nothing
//! can be written to that is the host's.

use qchroot_api::camino::Utf8Path;
use qchroot_api::{
    Container, FileKind, KEPT_CAPABILITIES, Mount, MountFs, Observe, Place, Plan, Result, Rules, Step, Way,
    device_steps, in_group, proc_steps, pts_steps,
};

use crate::{SECCOMP, flag};

pub(crate) fn up(container: &Container, host: &dyn Observe) -> Result<Plan> {
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
    let shows_proc = proc.is_some();
    plan.push(Step::StartInit { container: container.name.clone(), root: root.clone(), proc });
    if shows_proc && !may_mount(container)? {
        plan.extend(covers(&root, host)?);
    }
    Ok(plan)
}

/// What of `/proc` changes the host when it is written to, by anybody whose user id is 0: `kernel/core_pattern` below
/// `sys` names a program that the kernel runs outside. See proc_sys(5).
const HOSTS_OWN: [&str; 4] = ["bus", "irq", "sys", "sysrq-trigger"];

fn covers(root: &Utf8Path, host: &dyn Observe) -> Result<Plan> {
    let mut plan = vec![];
    for name in HOSTS_OWN {
        let source = Utf8Path::new("/proc").join(name);
        let fs = match host.stat(&Place::host(&source))?.map(|stat| stat.kind) {
            Some(FileKind::Directory) => MountFs::Null { source },
            Some(FileKind::File) => MountFs::File { source },
            _ => continue,
        };
        plan.push(Step::Mount(
            Mount::new(Place::within(root, format!("proc/{name}")), fs).read_only().restricted(),
        ));
    }
    Ok(plan)
}

/// Who may mount may uncover what is covered.
fn may_mount(container: &Container) -> Result<bool> {
    let kept = rules(container)?.capabilities;
    Ok(kept.is_none_or(|kept| kept.iter().any(|name| name == "sys_admin")))
}

fn rules(container: &Container) -> Result<Rules> {
    Rules::of(&container.isolation, &container.limits, &KEPT_CAPABILITIES, SECCOMP)
}

pub(crate) fn way(container: &Container) -> Result<Way> {
    Ok(Way::Chroot { root: container.root(), rules: in_group(rules(container)?, container) })
}
