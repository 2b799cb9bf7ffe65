//! The plan on Linux: safe devices, a devpts of its own, an init in a process namespace, its procfs.

use qchroot_api::{Container, Mount, MountFs, Place, Plan, Step};

use crate::flag;

/// Device nodes that a container gets: path, major, minor. Source: `Documentation/admin-guide/devices.txt`.
const DEVICES: &[(&str, u32, u32)] = &[
    ("dev/null", 1, 3),
    ("dev/zero", 1, 5),
    ("dev/full", 1, 7),
    ("dev/random", 1, 8),
    ("dev/urandom", 1, 9),
    ("dev/tty", 5, 0),
];

/// Links that programs expect beside them.
const LINKS: &[(&str, &str)] = &[
    ("dev/fd", "/proc/self/fd"),
    ("dev/stdin", "/proc/self/fd/0"),
    ("dev/stdout", "/proc/self/fd/1"),
    ("dev/stderr", "/proc/self/fd/2"),
];

pub(crate) fn up(container: &Container) -> Plan {
    let root = container.root();
    let at = |path: &str| Place::within(&root, path);
    let dir = |path: &str| Step::MakeDir { at: at(path), mode: 0o755 };
    let link = |&(path, to): &(&str, &str)| Step::Link { at: at(path), to: to.into(), was: None };

    let mut plan = vec![dir("dev")];
    plan.extend(DEVICES.iter().map(|&(path, major, minor)| Step::Device { at: at(path), major, minor }));
    if flag(&container.isolation, "pts") {
        let mut pts = Mount::new(at("dev/pts"), MountFs::Pts);
        (pts.nosuid, pts.noexec) = (true, true);
        plan.extend([dir("dev/pts"), Step::Mount(pts), link(&("dev/ptmx", "pts/ptmx"))]);
    }
    let proc = flag(&container.isolation, "proc").then(|| at("proc"));
    if proc.is_some() {
        plan.push(dir("proc"));
        plan.extend(LINKS.iter().map(link));
    }
    plan.push(Step::StartInit { container: container.name.clone(), root: root.clone(), proc });
    plan
}
