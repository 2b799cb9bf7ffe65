//! What belongs into the root of a container on FreeBSD before programs run in it: devfs with a rule set, and the
//! kernel's views that the userland expects.

use camino::Utf8Path;

use crate::{Brand, Check, Mount, MountFs, Place, Plan, Step};

/// Limit of the shared memory of a Linux userland, in bytes: what the FreeBSD Handbook gives a Linux jail.
const SHARED_MEMORY: u64 = 1 << 30;

/// Which of the kernel's views a container gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KernelViews {
    /// Devices, with this devfs(8) rule set; `None` for none at all.
    pub devices: Option<u32>,
    /// Open files, fdescfs(5); userlands other than FreeBSD's have them with the devices in any case.
    pub descriptors: bool,
    /// Processes, procfs(5), or what the userland reads instead.
    pub processes: bool,
}

/// Steps that mount what a userland needs.
///
/// Source of what a Linux userland needs: linux(4) and `/etc/rc.d/linux`.
#[must_use]
pub fn freebsd_mounts(brand: Brand, root: &Utf8Path, views: KernelViews) -> Plan {
    let mut plan = vec![];
    if let Some(ruleset) = views.devices {
        plan.extend([dir(root, "dev"), mount(root, "dev", MountFs::Dev { ruleset })]);
    }
    if views.processes {
        plan.extend(processes(brand, root));
    }
    let foreign = brand != Brand::Freebsd;
    if views.descriptors || (foreign && views.devices.is_some()) {
        plan.push(mount(root, "dev/fd", MountFs::Fdesc { links: foreign }));
    }
    if brand == Brand::Linux && views.devices.is_some() {
        plan.extend(shared_memory(root));
    }
    plan
}

fn dir(root: &Utf8Path, path: &str) -> Step {
    Step::MakeDir { at: Place::within(root, path), mode: 0o755 }
}

fn mount(root: &Utf8Path, path: &str, fs: MountFs) -> Step {
    Step::Mount(Mount::new(Place::within(root, path), fs))
}

/// FreeBSD's own procfs(5), or what Linux programs, and those of GNU/kFreeBSD, read instead.
fn processes(brand: Brand, root: &Utf8Path) -> Plan {
    if brand == Brand::Freebsd {
        return vec![dir(root, "proc"), mount(root, "proc", MountFs::Proc)];
    }
    vec![
        dir(root, "proc"),
        mount(root, "proc", MountFs::LinuxProc),
        dir(root, "sys"),
        mount(root, "sys", MountFs::LinuxSys),
    ]
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
