//! Everything the fake machine is: files, mounts, processes, locks, clocks. One value behind one lock.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Entry, Limits, Output, Platform, Process, Result, Transport};

use super::faults::Faults;
use super::freebsd::Kernel;
use super::node::Inode;
use super::resolve::Tree;
use super::zfs::Zfs;

/// A program that a test registered for containers.
pub(crate) type Inside = Arc<dyn Fn(&Entry) -> i32 + Send + Sync>;

/// A program of the host's that a test registered.
pub(crate) type Program = Arc<dyn Fn(&[String]) -> Output + Send + Sync>;

/// Seconds since the epoch when a new fake machine boots.
const FIRST_BOOT: u64 = 1_700_000_000;

/// One process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Running {
    pub(crate) info: Process,
    /// The lock file it holds, if it is a supervisor.
    pub(crate) holds: Option<Utf8PathBuf>,
    /// Whether it is a container's init.
    pub(crate) is_init: bool,
    /// Of the init of a sandbox: what it is.
    pub(crate) sandbox: Option<Sandbox>,
    /// Ignores SIGTERM.
    pub(crate) stubborn: bool,
}

/// A sandbox, which ends with its init.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sandbox {
    /// Its mount namespace.
    pub(crate) space: u32,
    /// Whether programs can run in it.
    pub(crate) sealed: bool,
}

/// How often a guard was taken, and how many were released.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Guards {
    /// Taken by [`qchroot_engine::Host::on_death`].
    pub taken: u32,
    /// Released in order.
    pub released: u32,
}

#[derive(Clone)]
pub(crate) struct State {
    pub(crate) platform: Platform,
    /// What the host's userland says that it is.
    pub(crate) release: String,
    pub(crate) superuser: bool,
    pub(crate) filesystems: BTreeSet<String>,
    pub(crate) rulesets: BTreeSet<u32>,
    pub(crate) tree: Tree,
    pub(crate) zfs: Option<Zfs>,
    pub(crate) processes: Vec<Running>,
    /// What listens: a process or the kernel, how and where.
    pub(crate) listening: Vec<(Option<i32>, Transport, SocketAddr)>,
    /// What FreeBSD has and others have not.
    pub(crate) freebsd: Kernel,
    /// Control groups and their limits.
    pub(crate) groups: BTreeMap<String, Limits>,
    /// Limits that no controller keeps.
    pub(crate) missing_controllers: BTreeSet<String>,
    /// Bytes that may be counted under each project.
    pub(crate) project_limits: BTreeMap<u32, u64>,
    /// Locks of this process by path, each with the life it was taken in.
    pub(crate) locks: BTreeMap<Utf8PathBuf, u32>,
    /// Length of each own file that has reached the disk; a file without an entry has all of it there.
    pub(crate) on_disk: BTreeMap<Utf8PathBuf, Option<usize>>,
    pub(crate) inside: BTreeMap<String, Inside>,
    pub(crate) programs: BTreeMap<String, Program>,
    pub(crate) entered: Vec<Entry>,
    pub(crate) guards: Guards,
    pub(crate) faults: Faults,
    /// Counts the lives of the process under test.
    pub(crate) life: u32,
    boots: u32,
    since_boot: Duration,
    booted_at: Duration,
    next_pid: i32,
}

impl State {
    pub(crate) fn new(platform: Platform) -> Self {
        let (disk, filesystems): (_, &[&str]) = match platform {
            Platform::Linux => {
                ("ext4", &["ext4", "xfs", "btrfs", "nullfs", "overlay", "tmpfs", "proc", "devpts", "sysfs"])
            }
            Platform::Freebsd => {
                ("ufs", &["ufs", "nullfs", "devfs", "procfs", "fdescfs", "tmpfs", "linprocfs", "linsysfs"])
            }
        };
        let mut state = Self {
            platform,
            release: match platform {
                Platform::Linux => "debian-12".into(),
                Platform::Freebsd => "14.3-RELEASE-p2".into(),
            },
            superuser: true,
            filesystems: filesystems.iter().map(|&name| name.to_owned()).collect(),
            rulesets: [1, 2, 3, 4, 5].into(),
            tree: Tree::new(disk),
            zfs: None,
            processes: vec![],
            listening: vec![],
            freebsd: Kernel::new(),
            groups: BTreeMap::new(),
            missing_controllers: BTreeSet::new(),
            project_limits: BTreeMap::new(),
            locks: BTreeMap::new(),
            on_disk: BTreeMap::new(),
            inside: BTreeMap::new(),
            programs: BTreeMap::new(),
            entered: vec![],
            guards: Guards::default(),
            faults: Faults::default(),
            life: 1,
            boots: 1,
            since_boot: Duration::ZERO,
            booted_at: Duration::from_secs(FIRST_BOOT),
            next_pid: 1,
        };
        state.first_files();
        state.spawn("/".into(), "init".into());
        state
    }

    fn first_files(&mut self) {
        let program = match self.platform {
            Platform::Linux => "usr/bin",
            Platform::Freebsd => "usr/sbin",
        };
        for dir in
            ["etc", "dev", "proc", "run", "tmp", "usr", "usr/bin", "usr/sbin", "var", "var/lib", "var/log"]
        {
            self.plant(dir.into(), Inode::directory(0o755));
        }
        if self.platform == Platform::Freebsd {
            self.plant("var/run".into(), Inode::directory(0o755));
            for name in ["jail", "jls", "jexec", "ifconfig", "rctl", "sysctl", "devfs"] {
                self.plant(&Utf8Path::new(program).join(name), Inode::file("", 0o755));
            }
        }
        self.plant("etc/hostname".into(), Inode::file("host\n", 0o644));
        self.plant("etc/resolv.conf".into(), Inode::file("nameserver 192.0.2.1\n", 0o644));
    }

    /// Puts a file at a path of the host's, parents made as needed; a test's set-up, not a step.
    pub(crate) fn plant(&mut self, path: &Utf8Path, inode: Inode) {
        let place = |state: &Self, path: &Utf8Path| state.tree.host(path, false);
        if let Some(parent) = path.parent().filter(|p| !p.as_str().is_empty())
            && self.tree.host(parent, true).map_or(true, |found| self.tree.get(&found).is_none())
        {
            self.plant(parent, Inode::directory(0o755));
        }
        let planted = place(self, path).and_then(|found| self.tree.put(&found, inode));
        planted.unwrap_or_else(|error| panic!("a test cannot plant {path}: {error}"));
    }

    /// Starts a process with this root directory, a child of the host's init.
    pub(crate) fn spawn(&mut self, root: Utf8PathBuf, command: String) -> &mut Running {
        let pid = self.next_pid;
        self.next_pid += 1;
        let ppid = i32::from(pid > 1);
        let info = Process {
            pid,
            ppid,
            uid: 0,
            root,
            command,
            started: self.wall_clock(),
            zombie: false,
            cpu_millis: 0,
            memory_bytes: 0,
        };
        self.processes.push(Running { info, holds: None, is_init: false, sandbox: None, stubborn: false });
        self.processes.last_mut().expect("it was pushed just now")
    }

    /// Processes whose root is `root` or below.
    pub(crate) fn inside_of<'a>(&'a self, root: &'a Utf8Path) -> impl Iterator<Item = &'a Running> {
        self.processes.iter().filter(move |p| p.info.root != "/" && p.info.root.starts_with(root))
    }

    /// Ends the processes that `which` names: at once, or at `deadline` when one of them ignores SIGTERM.
    pub(crate) fn end(&mut self, deadline: Duration, which: impl Fn(&Running) -> bool) {
        let stubborn = self.processes.iter().any(|p| p.stubborn && which(p));
        self.processes.retain(|p| !which(p));
        self.end_sandboxes();
        if stubborn {
            self.since_boot = self.since_boot.max(deadline);
        }
    }

    pub(crate) fn holder(&self, lock: &Utf8Path) -> Option<i32> {
        self.processes.iter().find(|p| p.holds.as_deref() == Some(lock)).map(|p| p.info.pid)
    }

    /// Whether anybody holds the lock file.
    pub(crate) fn is_locked(&self, at: &Utf8Path) -> bool {
        self.locks.get(at) == Some(&self.life) || self.holder(at).is_some()
    }

    pub(crate) fn advance(&mut self, by: Duration) {
        self.since_boot += by;
    }

    pub(crate) fn steady_clock(&self) -> Duration {
        self.since_boot
    }

    pub(crate) fn wall_clock(&self) -> u64 {
        (self.booted_at + self.since_boot).as_secs()
    }

    pub(crate) fn boot_id(&self) -> String {
        format!("boot-{}", self.boots)
    }

    /// The process under test starts anew; all else goes on.
    pub(crate) fn revive(&mut self) {
        self.life += 1;
        self.locks.clear();
        self.faults = Faults::default();
    }

    /// The machine starts anew: what is on disk stays, but not what is below `run`.
    pub(crate) fn reboot(&mut self, run: &Utf8Path) -> Result<()> {
        self.revive();
        self.processes.clear();
        self.freebsd.reboot();
        self.groups.clear();
        self.tree.mounts.truncate(1);
        self.tree.spaces.clear();
        self.detach_disks(false);
        self.tree.volumes.disks_mut().for_each(|disk| disk.elsewhere = false);
        self.boots += 1;
        self.booted_at += self.since_boot + Duration::from_secs(60);
        self.since_boot = Duration::ZERO;
        let found = self.tree.host(run, true)?;
        for name in self.tree.list(&found) {
            let at = self.tree.host(&found.seen.join(name), false)?;
            self.tree.remove(&at)?;
        }
        self.spawn("/".into(), "init".into());
        Ok(())
    }

    /// Appends that were not flushed are lost.
    pub(crate) fn lose_unflushed(&mut self) {
        for (path, durable) in std::mem::take(&mut self.on_disk) {
            let Ok(found) = self.tree.host(&path, true) else { continue };
            let Some(mut inode) = self.tree.get(&found).cloned() else { continue };
            let super::node::Body::File(content) = &mut inode.body else { continue };
            let lost = match durable {
                Some(length) => {
                    content.truncate(length);
                    self.tree.put(&found, inode)
                }
                None => self.tree.remove(&found),
            };
            lost.unwrap_or_else(|error| panic!("an own file cannot lose its tail: {error}"));
        }
    }
}
