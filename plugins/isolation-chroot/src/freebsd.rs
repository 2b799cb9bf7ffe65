//! The plan on FreeBSD: devfs with a rule set, the kernel's views that the userland expects, and a jail that
//! inherits everything, so that its processes have a jail id of their own and nothing else changes for them.

use camino::Utf8Path;
use qchroot_api::{Brand, Check, Container, Mount, MountFs, Place, Plan, Rules, Step, Way};

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
    "persist",
];

/// Limit of the shared memory of a Linux userland, in bytes: what the FreeBSD Handbook gives a Linux jail.
const SHARED_MEMORY: u64 = 1 << 30;

pub(crate) fn up(brand: Brand, container: &Container) -> Plan {
    let root = container.root();
    let ruleset = container.isolation.get("devfs_ruleset").and_then(|v| v.as_integer()).unwrap_or(4);
    let ruleset = u32::try_from(ruleset).unwrap_or(4);

    let mut plan = vec![dir(&root, "dev"), mount(&root, "dev", MountFs::Dev { ruleset })];
    if flag(&container.isolation, "proc") {
        plan.extend(views(brand, &root));
    }
    match brand {
        Brand::Freebsd => {}
        Brand::Kfreebsd => plan.push(descriptors(&root)),
        Brand::Linux => {
            plan.push(descriptors(&root));
            plan.extend(shared_memory(&root));
        }
    }
    plan.push(jail(container, &root));
    plan
}

fn dir(root: &Utf8Path, path: &str) -> Step {
    Step::MakeDir { at: Place::within(root, path), mode: 0o755 }
}

fn mount(root: &Utf8Path, path: &str, fs: MountFs) -> Step {
    Step::Mount(Mount::new(Place::within(root, path), fs))
}

/// What shows the kernel's state: FreeBSD's own procfs(5), or what Linux programs, and those of GNU/kFreeBSD,
/// read instead.
///
/// Source of what a Linux userland needs: linux(4) and `/etc/rc.d/linux`.
fn views(brand: Brand, root: &Utf8Path) -> Plan {
    let proc = if brand == Brand::Freebsd { MountFs::Proc } else { MountFs::LinuxProc };
    let mut plan = vec![dir(root, "proc"), mount(root, "proc", proc)];
    if brand != Brand::Freebsd {
        plan.extend([dir(root, "sys"), mount(root, "sys", MountFs::LinuxSys)]);
    }
    plan
}

fn descriptors(root: &Utf8Path) -> Step {
    mount(root, "dev/fd", MountFs::Fdesc { links: true })
}

/// linux(4) puts a directory `shm` into every devfs(5); rule sets that hide all but a few names hide it too.
fn shared_memory(root: &Utf8Path) -> Plan {
    let argv = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
    let (dev, shm) = (root.join("dev"), root.join("dev/shm"));
    let show = Step::Run {
        argv: argv(&["devfs", "-m", dev.as_str(), "rule", "apply", "path", "shm", "unhide"]),
        check: Some(Check::Succeeds(argv(&["test", "-d", shm.as_str()]))),
        undo: None,
    };
    let memory = MountFs::Tmp { size: SHARED_MEMORY, mode: 0o1777 };
    let mut memory = Mount::new(Place::within(root, "dev/shm"), memory);
    (memory.nosuid, memory.nodev) = (true, true);
    vec![show, Step::Mount(memory)]
}

pub(crate) fn way(container: &Container) -> Way {
    Way::Command { prefix: vec!["jexec".into(), container.system_name()], rules: Rules::default() }
}

fn jail(container: &Container, root: &Utf8Path) -> Step {
    let name = container.system_name();
    let mut argv = vec!["jail".to_owned(), "-c".to_owned(), format!("name={name}"), format!("path={root}")];
    argv.extend(INHERIT.iter().map(|&parameter| parameter.to_owned()));
    Step::Run {
        argv,
        check: Some(Check::Succeeds(vec!["jls".into(), "-j".into(), name.clone(), "jid".into()])),
        undo: Some(vec!["jail".into(), "-r".into(), name]),
    }
}
