//! A directory with a container's root in it, and short ways to act on it.

use std::fs;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Place, Result, Step};
use qchroot_engine::{Deadline, Host, Probe};
use qchroot_host::Machine;
use tempfile::TempDir;

pub(crate) struct Lab {
    _dir: TempDir,
    pub(crate) machine: Machine,
    /// Where the host's own things are.
    pub(crate) host: Utf8PathBuf,
    /// A container's root.
    pub(crate) root: Utf8PathBuf,
}

impl Lab {
    pub(crate) fn new() -> Self {
        let machine = Machine::new();
        assert!(machine.is_superuser(), "this test needs the superuser");
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(dir.path()).unwrap().canonicalize_utf8().unwrap();
        let (host, root) = (path.join("host"), path.join("web/root"));
        fs::create_dir_all(&host).unwrap();
        fs::create_dir_all(&root).unwrap();
        Self { _dir: dir, machine, host, root }
    }

    /// A lab in a mount namespace of the calling thread's own, so that nothing can be left mounted.
    #[cfg(target_os = "linux")]
    pub(crate) fn with_mounts() -> Self {
        use rustix::mount::{MountPropagationFlags, mount_change};
        let lab = Self::new();
        nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNS).expect("a mount namespace of its own");
        mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC).unwrap();
        lab
    }

    /// The same, with the host's directory in memory: for what is done so often that a busy disk would be what is
    /// measured.
    #[cfg(target_os = "linux")]
    pub(crate) fn in_memory() -> Self {
        let lab = Self::with_mounts();
        let none = rustix::mount::MountFlags::empty();
        rustix::mount::mount("tmpfs", lab.host.as_str(), "tmpfs", none, None).unwrap();
        lab
    }

    pub(crate) fn inside(&self, path: &str) -> Place {
        Place::within(self.root.clone(), path)
    }

    pub(crate) fn apply(&self, step: &Step) -> Result<()> {
        self.machine.apply(step, Deadline(self.machine.steady_clock() + Duration::from_secs(5)))
    }

    pub(crate) fn probe(&self, step: &Step) -> Probe {
        self.machine.probe(step).unwrap()
    }

    /// Directories and files below the host's directory, to see that nothing changed.
    pub(crate) fn host_names(&self) -> Vec<String> {
        self.machine.list_own(&self.host).unwrap()
    }
}

#[cfg(target_os = "linux")]
impl Drop for Lab {
    /// What a test left mounted would keep its directory from being removed.
    fn drop(&mut self) {
        use qchroot_api::Observe;
        let mounts = (&self.machine as &dyn Observe).mounts().unwrap_or_default();
        let ours = Utf8Path::from_path(self._dir.path()).unwrap().canonicalize_utf8().unwrap();
        for mounted in mounts.iter().rev().filter(|mounted| mounted.at.starts_with(&ours)) {
            let _ = rustix::mount::unmount(mounted.at.as_str(), rustix::mount::UnmountFlags::DETACH);
        }
    }
}
