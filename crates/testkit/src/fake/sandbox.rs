//! Sandboxes: inits with a mount namespace of their own, found by the lock that each holds. What is mounted at or below
//! the root of one is seen by what works there, and by nobody else.

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{
    Error, ErrorKind, Mount, MountFs, Place, Result, SAFE_DEVICES, SandboxStep, SealStep, Step, sandbox_lock,
};
use qchroot_engine::Probe;

use super::node::{Body, Inode};
use super::refuse;
use super::state::{Running, Sandbox, State};

/// Size of the fake `/dev` in bytes.
const DEVICES: u64 = 64 << 10;

impl State {
    pub(super) fn start_sandbox(&mut self, step: &SandboxStep) -> Result<()> {
        if !self.on_linux() {
            return Err(Error::new(ErrorKind::Unavailable, "this kernel has no namespaces"));
        }
        let name = &step.container;
        if self.sandbox_of(&step.root).is_some() {
            return Err(Error::new(ErrorKind::Exists, format!("{name} has a sandbox already")));
        }
        let seen = self.root_dir(&step.root)?;
        let lock = sandbox_lock(&step.root);
        let at = self.tree.host(&lock, false)?;
        self.tree.put(&at, Inode::file("", 0o644))?;
        let init = self.spawn(seen.clone(), format!("init of {name}"));
        let space = u32::try_from(init.info.pid).unwrap_or_default();
        (init.is_init, init.holds) = (true, Some(lock));
        init.sandbox = Some(Sandbox { space, sealed: false });
        self.tree.spaces.push((seen, space));
        Ok(())
    }

    pub(super) fn stop_sandbox(&mut self, step: &SandboxStep, deadline: Duration) -> Result<()> {
        if self.sandbox_of(&step.root).is_some() {
            let seen = self.root_dir(&step.root)?;
            self.end(deadline, |p| p.info.root.starts_with(&seen));
        }
        match self.tree.find(&Place::host(sandbox_lock(&step.root)))? {
            Some((found, _)) => self.tree.remove(&found),
            None => Ok(()),
        }
    }

    /// What ended without its mounts and processes takes them along.
    pub(super) fn end_sandboxes(&mut self) {
        let lives = |space: u32, all: &[Running]| {
            all.iter().any(|p| p.sandbox.is_some_and(|sandbox| sandbox.space == space))
        };
        let (dead, alive): (Vec<_>, Vec<_>) =
            self.tree.spaces.drain(..).partition(|(_, space)| !lives(*space, &self.processes));
        self.tree.spaces = alive;
        for (root, space) in dead {
            self.processes.retain(|p| !p.info.root.starts_with(&root));
            self.tree.mounts.retain(|m| m.space != space);
            self.detach_disks(true);
        }
    }

    pub(super) fn seal(&mut self, step: &SealStep) -> Result<()> {
        if self.sandbox_of(&step.root).is_none() {
            return Err(no_sandbox(&step.root));
        }
        let at = |path: &str| Place::within(&step.root, path);
        self.mount(&Mount::new(at("dev"), MountFs::Tmp { size: DEVICES, mode: 0o755 }))?;
        for &(path, major, minor) in SAFE_DEVICES {
            let found = self.free(&at(path))?;
            self.tree.put(&found, Inode::new(Body::Device { block: false, major, minor }, 0o666))?;
        }
        self.mount(&Mount::new(at("proc"), MountFs::Proc).restricted())?;
        let root = self.root_dir(&step.root)?;
        let own = self.processes.iter_mut().filter(|p| p.info.root == root);
        own.filter_map(|p| p.sandbox.as_mut()).for_each(|sandbox| sandbox.sealed = true);
        Ok(())
    }

    pub(super) fn stop_processes(&mut self, root: &Utf8Path, deadline: Duration) -> Result<()> {
        let Ok(seen) = self.root_dir(root) else { return Ok(()) };
        self.end(deadline, |p| !p.is_init && p.info.root.starts_with(&seen));
        Ok(())
    }

    /// The root of a sandbox that programs can run in.
    pub(super) fn sealed(&self, root: &Utf8Path) -> Result<Utf8PathBuf> {
        match self.sandbox_of(root) {
            Some(Sandbox { sealed: true, .. }) => self.root_dir(root),
            Some(_) => Err(refuse(ErrorKind::Busy, format!("cannot enter {root}"), "it is not sealed yet")),
            None => Err(no_sandbox(root)),
        }
    }

    pub(super) fn probe_sandbox(&self, step: &Step) -> Probe {
        let there = match step {
            Step::StartSandbox(step) => self.sandbox_of(&step.root).is_some(),
            Step::StopSandbox(step) => {
                self.sandbox_of(&step.root).is_none()
                    && self
                        .tree
                        .find(&Place::host(sandbox_lock(&step.root)))
                        .is_ok_and(|found| found.is_none())
            }
            Step::Seal(step) => self.sandbox_of(&step.root).is_some_and(|sandbox| sandbox.sealed),
            Step::StopProcesses { root, .. } => {
                !self.processes.iter().any(|p| !p.is_init && p.info.root.starts_with(root))
            }
            _ => return Probe::Unknown,
        };
        if there { Probe::Present } else { Probe::Absent }
    }

    fn sandbox_of(&self, root: &Utf8Path) -> Option<Sandbox> {
        let lock = sandbox_lock(root);
        self.processes.iter().find(|p| p.holds.as_ref() == Some(&lock)).and_then(|p| p.sandbox)
    }
}

fn no_sandbox(root: &Utf8Path) -> Error {
    refuse(ErrorKind::NotFound, format!("cannot enter {root}"), "its sandbox has ended")
}
