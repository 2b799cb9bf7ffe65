//! Runs a program inside a container to its end. It does not look up users and does not print: what went wrong
//! before the program ran is an error, whose fact `exit` is the status that chroot(8) would give it.

use std::convert::Infallible;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;

use camino::Utf8Path;
use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::{Pid, setsid};
use qchroot_api::{Credentials, Entry, Error, ErrorKind, Result, Way};

use super::channel::{Received, Sender, channel, readable};
use super::jail::JailDoor;
use super::login::Login;
use super::program::Program;
use super::rules::{self, Hold};
use super::sandbox::Door;
use super::signals::Signals;
use super::terminal::Terminal;
use super::trace::{Tracer, wait_for_tracer};
use super::{fork, identity, init, kernel};
use crate::errors::OrError;
use crate::{beneath, os};

/// Signals that are passed on to the program; of its end, SIGCHLD tells.
const CAUGHT: [Signal; 8] = [
    Signal::SIGCHLD,
    Signal::SIGINT,
    Signal::SIGTERM,
    Signal::SIGHUP,
    Signal::SIGQUIT,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGWINCH,
];

/// How the end of a child is looked for: its exit status, or `None` while it lives.
pub(super) type Ended<'a> = &'a mut dyn FnMut(Pid) -> nix::Result<Option<i32>>;

/// Runs the program of `entry`; its exit status, or 128+N when signal N ended it.
pub(crate) fn enter(entry: &Entry) -> Result<i32> {
    run(entry, None)
}

/// The same under a tracer: also the paths, as they are inside, that it asked for and that were not there.
pub(crate) fn trace(entry: &Entry) -> Result<(i32, Vec<PathBuf>)> {
    let mut tracer = Tracer::new()?;
    let status = run(entry, Some(&mut tracer));
    let missing = tracer.end();
    status.map(|status| (status, missing))
}

fn run(entry: &Entry, mut tracer: Option<&mut Tracer>) -> Result<i32> {
    identity::refuse_directories()?;
    let passage = Passage::open(&entry.way, &entry.credentials)?;
    let hold = Hold::new(entry.way.rules())?;
    let login = Login::of(entry)?;
    let mut terminal = Terminal::open(passage.root(), entry.credentials.uid)?;
    let signals = Signals::catch(&CAUGHT)?;
    let (sender, mut receiver) = channel::<Error>()?;
    let is_traced = tracer.is_some();
    let child = passage.fork(|| {
        let Err(error) = become_it(entry, &passage, &hold, &login, terminal.as_ref(), &sender, is_traced);
        sender.send(&error);
        1
    })?;
    terminal.as_mut().map(Terminal::hand_over);
    drop(sender);
    if let Some(tracer) = &mut tracer {
        tracer.begin(child)?;
    }
    let mut ended = |child| match &mut tracer {
        Some(tracer) => tracer.turn(child),
        None => fork::try_wait(child),
    };
    let received = receiver.receive(None);
    if let Received::Message(error) = received? {
        fork::wait(child).or_error(|| "cannot wait for a child".into())?;
        return Err(error);
    }
    match &mut terminal {
        Some(terminal) => terminal.relay(child, &signals, &mut ended),
        None => attend(child, &signals, &mut ended),
    }
}

/// In the child: everything between fork(2) and execve(2), in the order that [`rules`] tells.
fn become_it(
    entry: &Entry,
    passage: &Passage,
    hold: &Hold,
    login: &Login,
    terminal: Option<&Terminal>,
    sender: &Sender<Error>,
    is_traced: bool,
) -> Result<Infallible> {
    passage.join_group()?;
    setsid().or_error(|| "cannot begin a session".into())?;
    if let Some(terminal) = terminal {
        terminal.take()?;
    }
    rules::forget_caller()?;
    let mut env = entry.env.clone();
    login.outside(&mut env)?;
    passage.go(&entry.directory, &[sender.as_raw_fd()])?;
    identity::close_others(&[sender.as_raw_fd()])?;
    let report: Sender<Error> = kept(3).into();
    let ready = login
        .inside(&mut env)
        .and_then(|()| Program::new(&passage.words(&entry.argv), passage.argv0(entry), &env));
    let who = passage.takes_users().then_some(&entry.credentials);
    let Err(error) = ready.and_then(|program| cross(who, hold, &program, &report, is_traced));
    report.send(&error);
    // SAFETY: _exit(2) ends this process at once; the error has been told.
    unsafe { nix::libc::_exit(1) }
}

/// The last steps, with no descriptor left but the standard streams and the report.
fn cross(
    who: Option<&Credentials>,
    hold: &Hold,
    program: &Program,
    report: &Sender<Error>,
    is_traced: bool,
) -> Result<Infallible> {
    // Before the change of user: what runs as somebody else is still ours to trace.
    if is_traced {
        wait_for_tracer()?;
    }
    hold.assume(who)?;
    // After the change of user, which takes it back; see PR_SET_PDEATHSIG(2const).
    kernel::die_with_parent(Signal::SIGKILL).or_error(|| "cannot tie the program to qchroot".into())?;
    if !report.is_heard() {
        return Err(Error::new(ErrorKind::Internal, "qchroot has ended"));
    }
    identity::default_actions();
    identity::unblock_signals()?;
    hold.shut()?;
    Err(program.exec())
}

/// The descriptor that [`identity::close_others`] has moved to `number`.
pub(super) fn kept(number: i32) -> OwnedFd {
    use std::os::fd::FromRawFd;
    // SAFETY: it was moved there a moment ago, and this is the only owner of the new number.
    unsafe { OwnedFd::from_raw_fd(number) }
}

/// Passes signals on until the child has ended.
fn attend(child: Pid, signals: &Signals, ended: Ended<'_>) -> Result<i32> {
    loop {
        readable(signals.as_fd(), None)?;
        for signal in signals.pending() {
            pass_on(signal, child)?;
        }
        if let Some(status) = ended(child).or_error(|| "cannot wait for a child".into())? {
            return Ok(status);
        }
    }
}

/// Sends a signal of ours to the session of the child, which has not been waited for.
pub(super) fn pass_on(signal: Signal, child: Pid) -> Result<()> {
    if signal == Signal::SIGCHLD {
        return Ok(());
    }
    match killpg(child, signal) {
        Ok(()) | Err(Errno::ESRCH | Errno::EPERM) => Ok(()),
        Err(errno) => Err(errno).or_error(|| format!("cannot pass {signal} on")),
    }
}

/// A way inside, opened.
pub(super) enum Passage {
    /// By chroot(2), into the container's process namespace where it has one.
    Root {
        /// The container's root.
        root: OwnedFd,
        /// Its process namespace.
        namespace: Option<OwnedFd>,
        /// The control group that its processes are in.
        group: Option<String>,
    },
    /// Into all namespaces of a sandbox.
    Sandbox {
        /// The way into them.
        door: Door,
        /// The control group that its processes are in.
        group: Option<String>,
    },
    /// Into a jail of FreeBSD's.
    Jail(JailDoor),
    /// By a command of the host's.
    Command(Vec<String>),
}

impl Passage {
    /// Opens a way for a program of `who`.
    pub(super) fn open(way: &Way, who: &Credentials) -> Result<Self> {
        match way {
            Way::Chroot { root, rules } => {
                let inside = beneath::open_root(root)?;
                let namespace = init::namespace(root, &inside)?;
                Ok(Self::Root { root: inside, namespace, group: rules.group.clone() })
            }
            Way::Sandbox { root, rules } => {
                Ok(Self::Sandbox { door: Door::open(root)?, group: rules.group.clone() })
            }
            Way::Jail { name, root, .. } => Ok(Self::Jail(JailDoor::open(name, root)?)),
            Way::Command { prefix, .. } if who.uid == 0 => Ok(Self::Command(prefix.clone())),
            Way::Command { prefix, .. } => Err(Error::new(
                ErrorKind::Unavailable,
                format!("cannot run a program as user {} through {}", who.uid, prefix.join(" ")),
            )),
            _ => Err(Error::new(ErrorKind::Unavailable, "this way into a container is not known here")),
        }
    }

    /// The root to change to.
    pub(super) fn root(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Self::Root { root, .. } => Some(root.as_fd()),
            Self::Sandbox { door, .. } => Some(door.root()),
            Self::Jail(_) | Self::Command(_) => None,
        }
    }

    /// Whether a process that goes this way becomes a user by itself; a command of the host's sees to that.
    pub(super) fn takes_users(&self) -> bool {
        !matches!(self, Self::Command(_))
    }

    /// Which process namespace or jail it leads to, as long as the container has one.
    pub(super) fn namespace_id(&self) -> Option<(u64, u64)> {
        let namespace = match self {
            Self::Root { namespace, .. } => namespace.as_ref()?,
            Self::Sandbox { door, .. } => door.processes(),
            Self::Jail(door) => return Some((0, door.id())),
            Self::Command(_) => return None,
        };
        rustix::fs::fstat(namespace).ok().map(|stat| (stat.st_dev, stat.st_ino))
    }

    /// In the child, while it still sees the host's files: puts it into the container's control group.
    pub(super) fn join_group(&self) -> Result<()> {
        match self {
            Self::Root { group: Some(group), .. } | Self::Sandbox { group: Some(group), .. } => {
                os::control_group::join(group)
            }
            Self::Root { .. } | Self::Sandbox { .. } | Self::Jail(_) | Self::Command(_) => Ok(()),
        }
    }

    /// All words of the command, for a program with these.
    pub(super) fn words(&self, argv: &[String]) -> Vec<String> {
        match self {
            Self::Root { .. } | Self::Sandbox { .. } | Self::Jail(_) => argv.to_vec(),
            Self::Command(prefix) => [prefix, argv].concat(),
        }
    }

    fn argv0<'a>(&self, entry: &'a Entry) -> Option<&'a str> {
        entry.argv0.as_deref().filter(|_| self.takes_users())
    }

    /// Forks a child inside the container's process namespace.
    pub(super) fn fork(&self, body: impl FnOnce() -> i32) -> Result<Pid> {
        match self {
            Self::Root { namespace, .. } => init::fork_into(namespace.as_ref(), body),
            Self::Sandbox { door, .. } => door.fork(body),
            Self::Jail(_) | Self::Command(_) => init::fork_into(None, body),
        }
    }

    /// In such a child: goes the rest of the way, to `directory` inside, or to `/`. Of the descriptors above 2 only those in
    /// `keep` are sure to stay open.
    pub(super) fn go(&self, directory: &Utf8Path, keep: &[i32]) -> Result<()> {
        match self {
            Self::Root { root, .. } => identity::enter_root(root.as_fd(), directory, keep),
            Self::Sandbox { door, .. } => door.enter(directory),
            Self::Jail(door) => door.enter(directory, keep),
            Self::Command(_) => to_root(),
        }
    }

    /// The same for a process that watches over a program inside. Into a jail it does not follow: from outside it sees
    /// all that goes on there, and nobody inside can touch it.
    pub(super) fn approach(&self, keep: &[i32]) -> Result<()> {
        match self {
            Self::Jail(_) => to_root(),
            other => other.go(Utf8Path::new("/"), keep),
        }
    }

    /// What is left of the way for the program that it watches over.
    pub(super) fn arrive(&self, keep: &[i32]) -> Result<()> {
        match self {
            Self::Jail(door) => door.enter(Utf8Path::new("/"), keep),
            Self::Root { .. } | Self::Sandbox { .. } | Self::Command(_) => Ok(()),
        }
    }
}

fn to_root() -> Result<()> {
    rustix::process::chdir("/").or_error(|| "cannot change to /".into())
}
