//! What belongs into `/dev` of a Linux container without devfs: the short list of safe device nodes, and links
//! that programs expect beside them.

use crate::{Place, Plan, Step};

/// Safe device nodes: path, major, minor. Source: `Documentation/admin-guide/devices.txt` of Linux.
pub const SAFE_DEVICES: &[(&str, u32, u32)] = &[
    ("dev/null", 1, 3),
    ("dev/zero", 1, 5),
    ("dev/full", 1, 7),
    ("dev/random", 1, 8),
    ("dev/urandom", 1, 9),
    ("dev/tty", 5, 0),
];

/// Links into procfs.
const PROC_LINKS: &[(&str, &str)] = &[
    ("dev/fd", "/proc/self/fd"),
    ("dev/stdin", "/proc/self/fd/0"),
    ("dev/stdout", "/proc/self/fd/1"),
    ("dev/stderr", "/proc/self/fd/2"),
];

/// Steps for the device nodes; `at` says where a path inside stands.
pub fn device_steps(at: impl Fn(&str) -> Place) -> Plan {
    SAFE_DEVICES.iter().map(|&(path, major, minor)| Step::Device { at: at(path), major, minor }).collect()
}

/// Steps for the directory and the links that go with a devpts on `dev/pts`.
pub fn pts_steps(at: impl Fn(&str) -> Place) -> Plan {
    vec![
        Step::MakeDir { at: at("dev/pts"), mode: 0o755 },
        Step::Link { at: at("dev/ptmx"), to: "pts/ptmx".into(), was: None },
    ]
}

/// Steps for the directory and the links that go with a procfs on `proc`.
pub fn proc_steps(at: impl Fn(&str) -> Place) -> Plan {
    let link = |&(path, to): &(&str, &str)| Step::Link { at: at(path), to: to.into(), was: None };
    let directory = Step::MakeDir { at: at("proc"), mode: 0o755 };
    [directory].into_iter().chain(PROC_LINKS.iter().map(link)).collect()
}
