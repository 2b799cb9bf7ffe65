//! Starts the init of a sandbox in namespaces of its own. It mounts nothing; nothing of the host is hidden yet.

use std::convert::Infallible;
use std::fs::OpenOptions;
use std::os::fd::{AsFd, AsRawFd, IntoRawFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};

use camino::Utf8Path;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use nix::sched::{CloneFlags, setns, unshare};
use nix::unistd::{sethostname, setsid};
use qchroot_api::{Error, ErrorKind, Network, Result, SandboxStep, sandbox_lock};
use qchroot_engine::Probe;
use rustix::fs::{Mode, OFlags, fstatfs, open, openat};
use rustix::mount::{MountPropagationFlags, mount_change};

use super::find::{self, check_name};
use crate::errors::OrError;
use crate::linux::control_group;
use crate::process::channel::Sender;
use crate::process::enter::kept;
use crate::process::service::whole_file;
use crate::process::{fork, identity, init, kernel};

/// Namespaces, and what the kernel calls their number.
const APART: [(CloneFlags, &str, &str); 5] = [
    (CloneFlags::CLONE_NEWNS, "mount", "mnt"),
    (CloneFlags::CLONE_NEWUTS, "host name", "uts"),
    (CloneFlags::CLONE_NEWIPC, "IPC", "ipc"),
    (CloneFlags::CLONE_NEWCGROUP, "control group", "cgroup"),
    (CloneFlags::CLONE_NEWPID, "process", "pid"),
];

/// Magic number of the files that stand for namespaces; statfs(2).
const NSFS_MAGIC: i64 = 0x6e73_6673;

/// Whether the sandbox with this root is there.
pub(crate) fn probe(root: &Utf8Path) -> Result<Probe> {
    Ok(if find::at(root)?.is_some() { Probe::Present } else { Probe::Absent })
}

/// Starts the init of a sandbox. It waits, in namespaces of its own, with the host's files still in view.
///
/// # Errors
/// Busy when it is there already; `Unavailable`, or `Permission`, naming the kind of namespace that cannot be made.
pub(crate) fn start(step: &SandboxStep) -> Result<()> {
    let failed = || format!("cannot start the sandbox of {}", step.container);
    check_name(&step.root)?;
    if step.users.is_some() {
        let why = "users of its own need mounts with mapped owners, which are not made here";
        return Err(Error::new(ErrorKind::Unavailable, failed())
            .cause(why)
            .hint("leave the option users out"));
    }
    let network = match &step.network {
        Network::Named { name } => Some(named_network(name).map_err(|error| error.while_doing(failed()))?),
        _ => None,
    };
    init::begin(failed, |sender| split(step, network.as_ref(), sender))
}

/// Runs in a process between: its child is the init, and nobody's child once this one ends.
fn split(step: &SandboxStep, network: Option<&OwnedFd>, sender: &Sender<Result<()>>) -> Result<()> {
    if let Some(group) = &step.group {
        control_group::join(group)?;
    }
    if let Some(network) = network {
        setns(network, CloneFlags::CLONE_NEWNET).or_error(|| "cannot enter its network".into())?;
    }
    for (flag, what, name) in APART {
        unshare(flag).map_err(|errno| refused(errno, what, name))?;
    }
    if step.network == Network::None {
        unshare(CloneFlags::CLONE_NEWNET).map_err(|errno| refused(errno, "network", "net"))?;
        raise_loopback().or_error(|| "cannot raise the loopback interface".into())?;
    }
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    mount_change("/", private).or_error(|| "cannot keep its mounts to itself".into())?;
    let name = &step.host_name;
    sethostname(name).or_error(|| format!("cannot set the host name {name}"))?;
    let first = fork::fork(|| {
        let Err(error) = live(step, sender);
        sender.send(&Err(error));
        1
    });
    first.map_err(|errno| fork::refused(errno, "cannot fork".into())).map(drop)
}

/// Why the kernel makes no namespace of a kind.
fn refused(errno: Errno, what: &str, name: &str) -> Error {
    let hint = match errno {
        Errno::ENOSPC | Errno::EUSERS => {
            format!(
                "the limit /proc/sys/user/max_{name}_namespaces is reached; raise it, or stop what you do not need"
            )
        }
        Errno::EINVAL => format!("this kernel is built without {what} namespaces"),
        _ => "it takes root with CAP_SYS_ADMIN; inside another container, that one must be privileged".into(),
    };
    Error::from_io(&errno.into(), format!("the kernel makes no {what} namespace"))
        .of_kind(if errno == Errno::EPERM { ErrorKind::Permission } else { ErrorKind::Unavailable })
        .hint(hint)
}

/// Opens a network namespace by its name; ip-netns(8).
fn named_network(name: &str) -> Result<OwnedFd> {
    let failed = || format!("cannot use network namespace {name}");
    if name.is_empty() || name.starts_with('.') || name.contains('/') {
        return Err(Error::new(ErrorKind::Config, failed()).cause("it is no name in /run/netns"));
    }
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let all = open("/run/netns", flags, Mode::empty()).or_error(failed)?;
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let network = openat(all, name, flags, Mode::empty()).or_error(failed)?;
    if fstatfs(&network).or_error(failed)?.f_type != NSFS_MAGIC {
        return Err(Error::new(ErrorKind::Config, failed()).cause("no namespace is mounted there"));
    }
    Ok(network)
}

/// A network namespace of one's own has a loopback interface that is down; netdevice(7).
fn raise_loopback() -> std::io::Result<()> {
    use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
    let socket = socket(AddressFamily::Inet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?;
    // SAFETY: a structure of bytes and numbers, for which zero is a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(b"lo") {
        *to = from.cast_signed();
    }
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    // SAFETY: SIOCSIFFLAGS reads one `struct ifreq`, which lives until it returns.
    Errno::result(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) })?;
    Ok(())
}

/// The life of an init.
fn live(step: &SandboxStep, sender: &Sender<Result<()>>) -> Result<Infallible> {
    // Before all else: from now on it is found, and ended, whatever becomes of the one who made it.
    let lock = take_lock(step)?;
    setsid().or_error(|| "cannot begin a session".into())?;
    kernel::set_name(c"qchroot-init");
    kernel::set_title(&format!("qchroot-init {}", step.container));
    rustix::process::chdir("/").or_error(|| "cannot change to /".into())?;
    kernel::give_up_everything().or_error(|| "cannot give up capabilities".into())?;
    identity::close_all_but(&[lock, sender.as_raw_fd()], 0)?;
    if !sender.is_heard() {
        return Err(Error::new(ErrorKind::Internal, "qchroot has ended"));
    }
    let ready: Sender<Result<()>> = kept(sender.as_raw_fd()).into();
    ready.send(&Ok(()));
    drop(ready);
    init::reap()
}

/// Takes the lock for this process; the file stays open until its end. To close any descriptor of the file would give
/// the lock up; fcntl_locking(2).
fn take_lock(step: &SandboxStep) -> Result<i32> {
    let at = sandbox_lock(&step.root);
    let failed = || format!("cannot take the lock {at}");
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600).custom_flags(libc::O_NOFOLLOW);
    let file = options.open(&at).or_error(failed)?;
    match fcntl(file.as_fd(), FcntlArg::F_SETLK(&whole_file())) {
        Ok(_) => {}
        Err(Errno::EAGAIN | Errno::EACCES) => {
            return Err(Error::new(ErrorKind::Busy, format!("{} has a sandbox already", step.container)));
        }
        Err(errno) => return Err(errno).or_error(failed),
    }
    let named = std::fs::symlink_metadata(&at).or_error(failed)?;
    let opened = file.metadata().or_error(failed)?;
    if (named.dev(), named.ino()) != (opened.dev(), opened.ino()) || !opened.is_file() || opened.uid() != 0 {
        return Err(Error::new(ErrorKind::Busy, failed()).cause("it was replaced a moment ago"));
    }
    Ok(file.into_raw_fd())
}
