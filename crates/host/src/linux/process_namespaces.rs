//! Process namespaces by their numbers: which one a process is in, and which ones lie below another. It does not know
//! what they are for.

use std::collections::HashMap;
use std::fs::{self, File};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use camino::Utf8PathBuf;
use nix::libc;
use rustix::fs::fstat;

use super::sandbox::Sandbox;

/// `_IO(0xb7, 2)`; linux/nsfs.h.
const NS_GET_PARENT: libc::Ioctl = 0xb702;

/// The kernel allows no deeper nesting; pid_namespaces(7).
const DEEPEST: usize = 32;

/// The number of the process namespace that a process is in; `None` when it has ended.
pub(super) fn of(process: impl std::fmt::Display) -> Option<u64> {
    let link = fs::read_link(format!("/proc/{process}/ns/pid")).ok()?;
    link.to_str()?.strip_prefix("pid:[")?.strip_suffix(']')?.parse().ok()
}

/// The namespace that another one was made in; NS_GET_PARENT of ioctl_ns(2).
pub(super) fn parent(namespace: &OwnedFd) -> Option<OwnedFd> {
    // SAFETY: the request takes no argument and answers with a new descriptor.
    let parent = unsafe { libc::ioctl(namespace.as_raw_fd(), NS_GET_PARENT) };
    // SAFETY: just made, and owned by nobody else.
    (parent >= 0).then(|| unsafe { OwnedFd::from_raw_fd(parent) })
}

/// The numbers of the namespace of a process and of those above it, from below.
fn line(pid: i32) -> Vec<u64> {
    let own = File::open(format!("/proc/{pid}/ns/pid")).ok().map(OwnedFd::from);
    let above = std::iter::successors(own, parent).take(DEEPEST + 1);
    above.filter_map(|namespace| Some(fstat(namespace).ok()?.st_ino)).collect()
}

/// Whether a process is in a namespace or one below it.
pub(super) fn is_below(pid: i32, namespace: u64) -> bool {
    match of(pid) {
        Some(found) if found == namespace => true,
        None => false,
        found => found != of("self") && line(pid).contains(&namespace),
    }
}

/// The roots of sandboxes by their process namespaces.
pub(super) struct Homes {
    own: Option<u64>,
    known: HashMap<u64, Option<Utf8PathBuf>>,
}

impl Homes {
    /// Those of these sandboxes.
    pub(super) fn of(sandboxes: &[Sandbox]) -> Self {
        let home = |sandbox: &Sandbox| Some((sandbox.namespace()?, Some(sandbox.root().to_owned())));
        let known: HashMap<_, _> = sandboxes.iter().filter_map(home).collect();
        Self { own: if known.is_empty() { None } else { of("self") }, known }
    }

    /// The root of the sandbox that a process is in.
    pub(super) fn root_of(&mut self, pid: i32) -> Option<Utf8PathBuf> {
        let namespace = of(pid).filter(|_| self.own.is_some()).filter(|found| Some(*found) != self.own)?;
        if let Some(root) = self.known.get(&namespace) {
            return root.clone();
        }
        let root = line(pid).iter().find_map(|above| self.known.get(above)?.clone());
        self.known.insert(namespace, root.clone());
        root
    }
}
