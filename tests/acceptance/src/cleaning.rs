//! What a scenario has left below its directory, and how it is taken away. It knows the kernel's view only.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::system::{self, Disk};

/// How long what ends by itself may take for it.
const GRACE: Duration = Duration::from_secs(10);

/// What the kernel shows below a directory.
pub(crate) struct Left {
    mounts: Vec<PathBuf>,
    processes: Vec<i32>,
    jails: Vec<String>,
    disks: Vec<Disk>,
}

impl Left {
    /// As it is now.
    pub(crate) fn below(dir: &Path) -> Self {
        Self {
            mounts: system::mounts_below(dir),
            processes: system::processes_below(dir),
            jails: system::jails_below(dir),
            disks: system::disks_below(dir),
        }
    }

    /// As it is when nothing is left, or when the grace is over: supervisors and guards end a little later.
    pub(crate) fn after_grace(dir: &Path) -> Self {
        let end = Instant::now() + GRACE;
        loop {
            let left = Self::below(dir);
            if left.is_nothing() || Instant::now() > end {
                return left;
            }
            sleep(Duration::from_millis(50));
        }
    }

    /// Whether there is nothing.
    pub(crate) fn is_nothing(&self) -> bool {
        let Self { mounts, processes, jails, disks } = self;
        mounts.is_empty() && processes.is_empty() && jails.is_empty() && disks.is_empty()
    }

    /// Takes all of it away, in the order in which it can be.
    fn take_away(&self) {
        for &pid in &self.processes {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
        self.jails.iter().for_each(|jail| system::remove_jail(jail));
        self.mounts.iter().rev().for_each(|at| system::unmount(at));
        self.disks.iter().for_each(system::detach);
    }
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.mounts.iter().try_for_each(|at| writeln!(f, "mounted: {}", at.display()))?;
        self.processes.iter().try_for_each(|pid| writeln!(f, "process: {pid}"))?;
        self.jails.iter().try_for_each(|jail| writeln!(f, "jail: {jail}"))?;
        self.disks.iter().try_for_each(|disk| writeln!(f, "disk: {} on {}", disk.device, disk.file.display()))
    }
}

/// Takes away what runs, is mounted or attached below a directory, and then the directory; what could not be.
pub(crate) fn clean(dir: &Path) -> Result<(), String> {
    let end = Instant::now() + GRACE;
    loop {
        let left = Left::below(dir);
        if left.is_nothing() {
            break;
        }
        if Instant::now() > end {
            return Err(format!("cannot be taken away, and {} is kept for it:\n{left}", dir.display()));
        }
        left.take_away();
        sleep(Duration::from_millis(50));
    }
    let first = fs::remove_dir_all(dir);
    if first.is_ok() {
        return Ok(());
    }
    system::clear_flags(dir);
    fs::remove_dir_all(dir).map_err(|error| format!("cannot remove {}: {error}", dir.display()))
}
