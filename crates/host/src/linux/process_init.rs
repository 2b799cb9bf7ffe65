//! The init of a container: the first process of a process namespace, whose end is the end of all in it. Which
//! process that is, the kernel is asked each time. It does not know why a container starts or stops.

use std::convert::Infallible;
use std::fs::File;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};

use camino::Utf8Path;
use nix::errno::Errno;
use nix::libc;
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, setsid};
use qchroot_api::{Error, ErrorKind, Mount, MountFs, Name, Place, Result};
use qchroot_engine::{Deadline, Probe};
use rustix::fs::{AtFlags, Mode, OFlags, StatxFlags, fstat, fstatfs, openat, stat, statx};

use super::channel::{Received, Sender, channel};
use super::kernel::{self, Handle};
use super::members::{Territory, is_first_below};
pub(crate) use super::stop::stop;
use super::{fork, identity, namespaces};
use crate::errors::OrError;
use crate::{beneath, mount};

/// Magic number of procfs; statfs(2).
const PROC_MAGIC: i64 = 0x9fa0;

/// A procfs as a container sees it.
pub(super) fn procfs(at: &Place) -> Mount {
    Mount::new(at.clone(), MountFs::Proc).restricted()
}

/// Starts an init in a process namespace of its own, with a procfs of that namespace on `proc`.
///
/// # Errors
/// Unavailable when the kernel makes no namespace; the mount's own when `proc` is taken.
pub(crate) fn start(container: &Name, root: &Utf8Path, proc: Option<&Place>) -> Result<()> {
    let failed = || format!("cannot start the init of {container}");
    begin(failed, |sender| split(container, root, proc, sender))
}

/// Runs `split` in a process between, which starts an init, and waits until that is ready.
pub(super) fn begin(
    failed: impl Fn() -> String,
    split: impl FnOnce(&Sender<Result<()>>) -> Result<()>,
) -> Result<()> {
    let (sender, receiver) = channel::<Result<()>>()?;
    let mut receiver = Some(receiver);
    let between = fork::fork(|| {
        // So that a sender can tell whether anybody listens.
        receiver.take();
        match split(&sender) {
            Ok(()) => 0,
            Err(error) => {
                sender.send(&Err(error));
                1
            }
        }
    })
    .map_err(|errno| fork::refused(errno, failed()))?;
    drop(sender);
    let ready = receiver.map_or(Ok(Received::Closed), |mut receiver| receiver.receive(None));
    fork::wait(between).or_error(&failed)?;
    match ready? {
        Received::Message(result) => result.map_err(|error| error.while_doing(failed())),
        Received::Closed | Received::Nothing => {
            Err(Error::new(ErrorKind::System, failed()).cause("it ended before it was ready"))
        }
    }
}

/// Runs in a process between: its child is the first of a new namespace, and nobody's child once this one ends.
fn split(container: &Name, root: &Utf8Path, proc: Option<&Place>, sender: &Sender<Result<()>>) -> Result<()> {
    unshare(CloneFlags::CLONE_NEWPID).map_err(refused)?;
    let first = fork::fork(|| {
        let Err(error) = live(container, root, proc, sender);
        sender.send(&Err(error));
        1
    });
    first.map_err(|errno| fork::refused(errno, "cannot fork".into())).map(drop)
}

fn refused(errno: Errno) -> Error {
    let hint = match errno {
        Errno::ENOSPC | Errno::EUSERS => "the limit /proc/sys/user/max_pid_namespaces is reached",
        Errno::EINVAL => "this kernel is built without CONFIG_PID_NS",
        _ => "it takes root with CAP_SYS_ADMIN; inside another container, that one must be privileged",
    };
    Error::from_io(&errno.into(), "the kernel makes no process namespace")
        .of_kind(if errno == Errno::EPERM { ErrorKind::Permission } else { ErrorKind::Unavailable })
        .hint(hint)
}

/// The life of an init.
fn live(
    container: &Name,
    root: &Utf8Path,
    proc: Option<&Place>,
    sender: &Sender<Result<()>>,
) -> Result<Infallible> {
    setsid().or_error(|| "cannot begin a session".into())?;
    kernel::set_name(c"qchroot-init");
    kernel::set_title(&format!("qchroot-init {container}"));
    let inside = beneath::open_root(root)?;
    if let Some(at) = proc {
        mount::mount(&procfs(at))?;
    }
    if let Err(error) = settle(&inside, sender) {
        if let Some(at) = proc {
            mount::unmount(&procfs(at), Deadline(crate::clock::steady()))?;
        }
        return Err(error);
    }
    // SAFETY: `settle` has just moved the channel to this number; nothing else in this process owns it.
    let ready: Sender<Result<()>> = unsafe { OwnedFd::from_raw_fd(3) }.into();
    ready.send(&Ok(()));
    drop(ready);
    reap()
}

fn settle(inside: &OwnedFd, sender: &Sender<Result<()>>) -> Result<()> {
    identity::silence()?;
    identity::enter_root(inside.as_fd(), Utf8Path::new("/"), &[])?;
    // Signals stay blocked: the kernel drops what the first process of a namespace does not wait for.
    identity::close_others(&[sender.as_raw_fd()])
}

/// Buries the dead until it is told to end.
pub(super) fn reap() -> Result<Infallible> {
    let wanted: SigSet = [Signal::SIGCHLD, Signal::SIGTERM].into_iter().collect();
    loop {
        if wanted.wait() == Ok(Signal::SIGTERM) {
            // SAFETY: _exit(2) ends this process, and the kernel all others of the namespace.
            unsafe { libc::_exit(0) }
        }
        while matches!(waitpid(None, Some(WaitPidFlag::WNOHANG)), Ok(status) if status != WaitStatus::StillAlive)
        {
        }
    }
}

/// The init of the container with this root: its process number, and a handle that stays with it.
pub(super) fn find(root: &Utf8Path) -> Result<Option<(i32, Handle)>> {
    let territory = Territory::new(root);
    for pid in territory.near_members()? {
        if !is_first_below(pid) {
            continue;
        }
        if let Some(handle) = Handle::open(pid)? {
            // Asked again, so that the handle is known to be of the process that was found.
            if territory.owns(pid) && is_first_below(pid) {
                return Ok(Some((pid, handle)));
            }
        }
    }
    Ok(None)
}

/// Whether the container with this root has an init.
pub(crate) fn probe(root: &Utf8Path) -> Result<Probe> {
    if beneath::open_root(root).is_ok_and(|inside| by_procfs(&inside).is_some()) {
        return Ok(Probe::Present);
    }
    Ok(if find(root)?.is_some() { Probe::Present } else { Probe::Absent })
}

/// What setns(2) takes to enter the container's process namespace; `None` where there is no init.
///
/// The procfs on the container's `proc` leads there without a look at every process; it is believed only when
/// the kernel says through it that its first process has this root, in a namespace right below this one.
pub(super) fn namespace(root: &Utf8Path, inside: &OwnedFd) -> Result<Option<OwnedFd>> {
    if let Some(namespace) = by_procfs(inside) {
        return Ok(Some(namespace));
    }
    let Some((pid, handle)) = find(root)? else { return Ok(None) };
    let failed = || format!("cannot enter the process namespace of {root}");
    let namespace = File::open(format!("/proc/{pid}/ns/pid")).or_error(failed)?;
    // A handle that polls as ended would mean that the number has been given to another.
    if handle.wait(std::time::Instant::now())? { Ok(None) } else { Ok(Some(namespace.into())) }
}

fn by_procfs(inside: &OwnedFd) -> Option<OwnedFd> {
    let directory = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let proc = openat(inside, "proc", directory, Mode::empty()).ok()?;
    if fstatfs(&proc).ok()?.f_type != PROC_MAGIC {
        return None;
    }
    let first = openat(&proc, "1", directory, Mode::empty()).ok()?;
    let flags = StatxFlags::INO | StatxFlags::MNT_ID;
    let theirs = statx(&first, "root", AtFlags::empty(), flags).ok()?;
    let ours = statx(inside, "", AtFlags::EMPTY_PATH, flags).ok()?;
    let same = |s: &rustix::fs::Statx| (s.stx_dev_major, s.stx_dev_minor, s.stx_ino);
    if same(&theirs) != same(&ours) || theirs.stx_mnt_id != ours.stx_mnt_id {
        return None;
    }
    let namespace = openat(&first, "ns/pid", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
    is_right_below(&namespace).then_some(namespace)
}

/// Whether a process namespace's parent is this process' own.
fn is_right_below(namespace: &OwnedFd) -> bool {
    let Some(parent) = namespaces::parent(namespace) else { return false };
    match (fstat(&parent), stat("/proc/self/ns/pid")) {
        (Ok(parent), Ok(own)) => (parent.st_dev, parent.st_ino) == (own.st_dev, own.st_ino),
        _ => false,
    }
}

/// Forks a child into a process namespace, if there is one: `body` runs in it. This thread's later children
/// are where they would have been.
pub(super) fn fork_into(namespace: Option<&OwnedFd>, body: impl FnOnce() -> i32) -> Result<Pid> {
    let failed = || "cannot fork".to_owned();
    let Some(namespace) = namespace else { return fork::fork(body).or_error(failed) };
    let own =
        File::open("/proc/thread-self/ns/pid").or_error(|| "cannot open the process namespace".into())?;
    setns(namespace, CloneFlags::CLONE_NEWPID).or_error(|| "cannot enter the process namespace".into())?;
    let child = fork::fork(body);
    setns(own, CloneFlags::CLONE_NEWPID).or_error(|| "cannot leave the process namespace".into())?;
    child.or_error(failed)
}
