//! What only Linux offers about processes: pidfds, procfs of a namespace, its pseudo-terminals, capabilities.
//! It does not know what a container is.

use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd};
use std::time::Instant;

use nix::libc;
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use qchroot_api::Result;
use rustix::fs::{Mode, OFlags, fstatfs, openat};
use rustix::io::Errno;
use rustix::process::{PidfdFlags, pidfd_open, pidfd_send_signal};
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, unlockpt};

use super::channel::readable;
use crate::errors::OrError;

/// The highest signal number; signal(7).
pub(super) const LAST_SIGNAL: i32 = 64;

/// Magic number of devpts; statfs(2).
const DEVPTS_MAGIC: i64 = 0x1cd1;

/// One process that stays the same one: its number may be given to another process, this cannot.
pub(crate) struct Handle(OwnedFd);

impl Handle {
    /// `None` when there is no such process.
    pub(crate) fn open(pid: i32) -> Result<Option<Self>> {
        let Some(number) = rustix::process::Pid::from_raw(pid) else { return Ok(None) };
        match pidfd_open(number, PidfdFlags::empty()) {
            Ok(fd) => Ok(Some(Self(fd))),
            // EINVAL: the number of a thread that leads no process.
            Err(Errno::SRCH | Errno::INVAL) => Ok(None),
            Err(error) => Err(error).or_error(|| format!("cannot watch process {pid}")),
        }
    }

    /// Sends a signal; a process that has ended is fine.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        let number = rustix::process::Signal::from_named_raw(signal as i32);
        match number.map(|number| pidfd_send_signal(&self.0, number)) {
            Some(Err(Errno::SRCH)) | Some(Ok(())) | None => Ok(()),
            Some(Err(error)) => Err(error).or_error(|| format!("cannot send {signal}")),
        }
    }

    /// Waits for the end of the process; false when `until` came first.
    pub(super) fn wait(&self, until: Instant) -> Result<bool> {
        readable(self.0.as_fd(), Some(until))
    }
}

impl AsFd for Handle {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Nothing needs to be done: whatever is open is closed before the program is executed.
pub(super) fn before_chroot(_keep: &[i32]) -> Result<()> {
    Ok(())
}

/// Nothing a program is executed with may raise its capabilities beyond what its user has; capabilities(7).
pub(super) fn clear_inheritable() -> io::Result<()> {
    let mut sets = rustix::thread::capabilities(None)?;
    sets.inheritable = rustix::thread::CapabilitySet::empty();
    rustix::thread::set_capabilities(None, sets)?;
    Ok(rustix::thread::clear_ambient_capability_set()?)
}

/// Nobody without capabilities of the host's can look into this process, by its directory in proc(5) or by ptrace(2),
/// until it executes a program.
pub(super) fn keep_others_out() {
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// No capability is left, no program can give one back, and nobody without capabilities of the host's can look into
/// this process or change it; prctl(2).
pub(super) fn give_up_everything() -> io::Result<()> {
    use rustix::thread::{CapabilitySet, CapabilitySets};
    keep_others_out();
    rustix::thread::set_no_new_privs(true)?;
    let (effective, permitted, inheritable) =
        (CapabilitySet::empty(), CapabilitySet::empty(), CapabilitySet::empty());
    Ok(rustix::thread::set_capabilities(None, CapabilitySets { effective, permitted, inheritable })?)
}

/// Sends `signal` to this process when its parent ends, or now if it has ended: `alive` tells.
pub(super) fn die_with_parent(signal: Signal) -> io::Result<()> {
    Ok(rustix::process::set_parent_process_death_signal(rustix::process::Signal::from_named_raw(
        signal as i32,
    ))?)
}

/// A pseudo-terminal: the side of ours and the side of the program's. It belongs to the container's own devpts
/// where there is one, so that its name means the same inside.
pub(super) fn open_terminal(root: Option<BorrowedFd<'_>>) -> Result<(OwnedFd, OwnedFd)> {
    let failed = || "cannot make a pseudo-terminal".to_owned();
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let ours = match root.and_then(own_ptmx) {
        Some(ours) => ours,
        None => rustix::pty::openpt(flags).or_error(failed)?,
    };
    unlockpt(&ours).or_error(failed)?;
    let theirs = ioctl_tiocgptpeer(&ours, flags).or_error(failed)?;
    Ok((ours, theirs))
}

/// `dev/pts/ptmx` beneath `root`, if `dev/pts` is a devpts and no link leads there.
fn own_ptmx(root: BorrowedFd<'_>) -> Option<OwnedFd> {
    let directory = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let dev = openat(root, "dev", directory, Mode::empty()).ok()?;
    let pts = openat(dev, "pts", directory, Mode::empty()).ok()?;
    if fstatfs(&pts).ok()?.f_type != DEVPTS_MAGIC {
        return None;
    }
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(pts, "ptmx", flags, Mode::empty()).ok()
}

/// The processes below this one, wherever they were reparented: none leaves while this process lives.
pub(super) struct Descendants {
    /// A procfs of this process' namespace that is mounted nowhere, so that nobody can cover it.
    proc: OwnedFd,
}

impl Descendants {
    /// From now on every orphan among the descendants becomes this process' child; PR_SET_CHILD_SUBREAPER.
    pub(super) fn adopt() -> Result<Self> {
        use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsmount, fsopen};
        let failed = || "cannot watch over descendants".to_owned();
        rustix::process::set_child_subreaper(rustix::process::Pid::from_raw(1)).or_error(failed)?;
        let context = fsopen("proc", FsOpenFlags::FSOPEN_CLOEXEC).or_error(failed)?;
        fsconfig_create(context.as_fd()).or_error(failed)?;
        let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV;
        let proc = fsmount(context.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, attributes).or_error(failed)?;
        Ok(Self { proc })
    }

    /// The descriptor to keep when others are closed.
    pub(super) fn into_raw_fd(self) -> i32 {
        self.proc.into_raw_fd()
    }

    /// The same descendants by the descriptor's new number.
    pub(super) fn from_fd(proc: OwnedFd) -> Self {
        Self { proc }
    }

    /// Sends `signal` to every descendant.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        for pid in self.list()? {
            let Some(handle) = Handle::open(pid)? else { continue };
            // The number may have changed hands since: only what is still below this process is meant.
            if self.is_below(pid) {
                handle.signal(signal)?;
            }
        }
        Ok(())
    }

    fn list(&self) -> Result<Vec<i32>> {
        let failed = || "cannot list processes".to_owned();
        // The descriptor of a mount only names it; to be read it is opened again.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened = openat(&self.proc, ".", flags, Mode::empty()).or_error(failed)?;
        let dir = rustix::fs::Dir::new(opened).or_error(failed)?;
        let numbers = dir.flatten().filter_map(|entry| entry.file_name().to_str().ok()?.parse().ok());
        Ok(numbers.filter(|&pid| self.is_below(pid)).collect())
    }

    fn is_below(&self, mut pid: i32) -> bool {
        let own = Pid::this().as_raw();
        while let Some(parent) = self.parent(pid) {
            if parent == own {
                return true;
            }
            pid = parent;
        }
        false
    }

    /// `None` for what is gone, and above the first process of the namespace.
    fn parent(&self, pid: i32) -> Option<i32> {
        let name = format!("{pid}/stat");
        let fd = openat(&self.proc, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
        let text = io::read_to_string(fs::File::from(fd)).ok()?;
        super::members::Stat::parse(&text).map(|stat| stat.ppid).filter(|&ppid| ppid > 0)
    }
}

/// Shows `title` as this process' command line, as setproctitle(3) does: the words it was started with are
/// another process' business. Best effort.
pub(super) fn set_title(title: &str) {
    let Ok(stat) = fs::read_to_string("/proc/self/stat") else { return };
    let Some((_, rest)) = stat.rsplit_once(") ") else { return };
    let fields: Vec<usize> = rest.split(' ').map(|field| field.parse().unwrap_or(0)).collect();
    // Fields 48 and 49 of proc_pid_stat(5); the third is the first here.
    let (Some(&start), Some(&end)) = (fields.get(45), fields.get(46)) else { return };
    if start == 0 || end <= start {
        return;
    }
    // SAFETY: the kernel says these bytes hold the arguments; they are writable, on the stack of the first thread,
    // and Rust's own view of them is made from copies.
    let words = unsafe { std::slice::from_raw_parts_mut(start as *mut u8, end - start) };
    words.fill(0);
    let length = title.len().min(words.len() - 1);
    words[..length].copy_from_slice(&title.as_bytes()[..length]);
}

/// The name by which ps(1) and top(1) show this process.
pub(super) fn set_name(name: &std::ffi::CStr) {
    let _ = rustix::thread::set_name(name);
}

/// Makes `terminal` this session's own.
pub(super) fn take_terminal(terminal: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: TIOCSCTTY takes an integer.
    let taken = unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCSCTTY, 0) };
    if taken == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
