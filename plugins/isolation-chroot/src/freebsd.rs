//! The plan on FreeBSD: devfs with a rule set, procfs, and a jail that inherits everything, so that its
//! processes have a jail id of their own and nothing else changes for them.

use camino::Utf8Path;
use qchroot_api::{Container, Mount, MountFs, Place, Plan, Step, Way};

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

pub(crate) fn up(container: &Container) -> Plan {
    let root = container.root();
    let dir = |path: &str| Step::MakeDir { at: Place::within(&root, path), mode: 0o755 };
    let mount = |path: &str, fs: MountFs| Step::Mount(Mount::new(Place::within(&root, path), fs));
    let ruleset = container.isolation.get("devfs_ruleset").and_then(|v| v.as_integer()).unwrap_or(4);
    let ruleset = u32::try_from(ruleset).unwrap_or(4);

    let mut plan = vec![dir("dev"), mount("dev", MountFs::Dev { ruleset })];
    if flag(&container.isolation, "proc") {
        plan.extend([dir("proc"), mount("proc", MountFs::Proc)]);
    }
    plan.push(jail(container, &root));
    plan
}

pub(crate) fn way(container: &Container) -> Way {
    Way::Command { prefix: vec!["jexec".into(), jail_name(container)] }
}

fn jail(container: &Container, root: &Utf8Path) -> Step {
    let name = jail_name(container);
    let mut argv = vec!["jail".to_owned(), "-c".to_owned(), format!("name={name}"), format!("path={root}")];
    argv.extend(INHERIT.iter().map(|&parameter| parameter.to_owned()));
    Step::Run {
        argv,
        check: Some(vec!["jls".into(), "-j".into(), name.clone(), "jid".into()]),
        undo: Some(vec!["jail".into(), "-r".into(), name]),
    }
}

/// A name that two systems with different state directories do not share: the container's, and a hash of the
/// directory it lies in (FNV-1a: small, and the same in every build).
fn jail_name(container: &Container) -> String {
    let hash = container.dir.as_str().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("qchroot-{}-{:08x}", container.name, hash >> 32)
}
