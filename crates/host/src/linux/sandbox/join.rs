//! Ways into the namespaces of a sandbox, by the handle of its init: for a thread that mounts, and for a program.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::thread;

use camino::Utf8Path;
use nix::sched::{CloneFlags, setns, unshare};
use nix::unistd::Pid;
use qchroot_api::{Error, ErrorKind, Result};

use super::{Sandbox, find};
use crate::errors::OrError;
use crate::process::kernel::Handle;
use crate::process::{identity, init, kernel};

/// All namespaces but that of processes, which a process is born into.
const OTHERS: CloneFlags = CloneFlags::CLONE_NEWNS
    .union(CloneFlags::CLONE_NEWUTS)
    .union(CloneFlags::CLONE_NEWIPC)
    .union(CloneFlags::CLONE_NEWCGROUP)
    .union(CloneFlags::CLONE_NEWNET);

impl Sandbox {
    /// Does `work` in a thread that sees the sandbox's mounts in place of the host's; what is mounted by it is mounted
    /// there.
    pub(crate) fn in_its_mounts<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        let failed = || format!("cannot enter the mounts of {}", self.root);
        let enter = || {
            // What shares its root directory with others cannot change its mounts; setns(2).
            unshare(CloneFlags::CLONE_FS)
                .and_then(|()| setns(self, CloneFlags::CLONE_NEWNS))
                .or_error(failed)?;
            work()
        };
        thread::scope(|scope| {
            let thread = thread::Builder::new().spawn_scoped(scope, enter).or_error(failed)?;
            thread.join().map_err(|_| Error::new(ErrorKind::Internal, failed()))?
        })
    }
}

/// A way in for programs: all namespaces of a sandbox that is still the same one.
pub(in crate::process) struct Door {
    init: Handle,
    processes: OwnedFd,
    root: OwnedFd,
}

impl Door {
    /// Opens the way into the sandbox with this root, which was sealed.
    ///
    /// # Errors
    /// Busy, where there is none.
    pub(in crate::process) fn open(root: &Utf8Path) -> Result<Self> {
        let sandbox = find::at(root)?.filter(|sandbox| sandbox.is_sealed().unwrap_or(false));
        let Some(sandbox) = sandbox else {
            let message = format!("cannot enter {root}: its sandbox does not run");
            return Err(Error::new(ErrorKind::Busy, message).hint("start the container"));
        };
        Self::of(sandbox, root)
    }

    /// The way into a sandbox, sealed or not.
    pub(super) fn of(sandbox: Sandbox, root: &Utf8Path) -> Result<Self> {
        let (root, processes) = (sandbox.open(root)?, sandbox.processes()?);
        Ok(Self { init: sandbox.init, processes, root })
    }

    /// Its root directory.
    pub(in crate::process) fn root(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }

    /// Its process namespace.
    pub(in crate::process) fn processes(&self) -> &OwnedFd {
        &self.processes
    }

    /// Forks a child that is one of its processes; `body` has still to go through.
    pub(in crate::process) fn fork(&self, body: impl FnOnce() -> i32) -> Result<Pid> {
        init::fork_into(Some(&self.processes), || {
            // It is seen inside before it has left the host behind.
            kernel::keep_others_out();
            body()
        })
    }

    /// In such a child: goes through to its other namespaces.
    pub(super) fn join(&self) -> Result<()> {
        setns(&self.init, OTHERS).or_error(|| "cannot enter the sandbox".into())
    }

    /// In such a child: goes through, with `directory` for its working directory, or `/`.
    pub(in crate::process) fn enter(&self, directory: &Utf8Path) -> Result<()> {
        self.join()?;
        identity::enter_root(self.root(), directory, &[])
    }
}
