//! A process inside a container that runs one program and stays until the last of its descendants has ended,
//! those too that made themselves orphans. It does not know what the program is for.

use std::convert::Infallible;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use camino::Utf8Path;
use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, setsid};
use qchroot_api::{Credentials, Error, ErrorKind, Result};
use rustix::fs::{Mode, OFlags, open};
use serde::{Deserialize, Serialize};

use super::channel::{Received, Receiver, Sender, channel};
use super::enter::{Passage, kept};
use super::kernel::{self, Descendants};
use super::program::Program;
use super::rules::{self, Hold};
use super::{fork, identity};
use crate::errors::OrError;

/// Tells a reaper to kill all of its descendants; its parent's end tells the same.
pub(super) const KILL_ALL: Signal = Signal::SIGUSR1;

/// Tells a reaper to ask all of its descendants to end.
pub(super) const ASK_ALL: Signal = Signal::SIGTERM;

/// What a reaper tells of its program.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Report {
    /// The program is being executed.
    Started,
    /// It could not be.
    Failed(Error),
    /// It has ended with this status; 128+N for signal N.
    Ended(i32),
}

/// What becomes of the program's descendants when it has ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Orphans {
    /// They are what it was run for.
    Keep,
    /// They are killed.
    Kill,
}

/// A reaper, seen from its parent.
pub(super) struct Reaper {
    pid: Pid,
    /// What it tells; closed when it has ended.
    pub(super) reports: Receiver<Report>,
}

impl Reaper {
    /// Starts one, with `output` for what the program and its descendants print.
    pub(super) fn start(
        passage: &Passage,
        hold: &Hold,
        program: &Program,
        output: BorrowedFd<'_>,
        orphans: Orphans,
    ) -> Result<Self> {
        let (sender, reports) = channel()?;
        let pid = passage.fork(|| match Life::begin(passage, output, &sender) {
            Err(error) => {
                sender.send(&Report::Failed(error));
                1
            }
            Ok(life) => life.run(hold, program, orphans),
        })?;
        Ok(Self { pid, reports })
    }

    /// Sends [`ASK_ALL`] or [`KILL_ALL`], and makes sure that it is heard.
    pub(super) fn signal(&self, signal: Signal) {
        for signal in [signal, Signal::SIGCONT] {
            // A child that was not waited for keeps its number, so nobody else can be meant; an ended one is fine.
            let _ = kill(self.pid, signal);
        }
    }

    /// Waits for the end of the reaper after its reports have closed.
    pub(super) fn bury(self) -> Result<()> {
        fork::wait(self.pid).or_error(|| "cannot wait for a child".into()).map(drop)
    }
}

/// A reaper, seen from itself.
struct Life {
    sender: Sender<Report>,
    descendants: Descendants,
}

impl Life {
    fn begin(passage: &Passage, output: BorrowedFd<'_>, sender: &Sender<Report>) -> Result<Self> {
        passage.join_group()?;
        setsid().or_error(|| "cannot begin a session".into())?;
        kernel::set_name(c"qchroot-reaper");
        kernel::die_with_parent(KILL_ALL).or_error(|| "cannot tie a service to qchroot".into())?;
        if !sender.is_heard() {
            return Err(Error::new(ErrorKind::Internal, "the supervisor has ended"));
        }
        let descendants = Descendants::adopt()?;
        let null = open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
        let null: OwnedFd = null.or_error(|| "cannot open /dev/null".into())?;
        identity::set_stdio([Some(null.as_fd()), Some(output), Some(output)])?;
        drop(null);
        rules::forget_caller()?;
        passage.go(Utf8Path::new("/"))?;
        kernel::clear_inheritable().or_error(|| "cannot clear capabilities".into())?;
        identity::default_actions();
        identity::close_others(&[sender.as_raw_fd(), descendants.into_raw_fd()])?;
        Ok(Self { sender: kept(3).into(), descendants: Descendants::from_fd(kept(4)) })
    }

    fn run(&self, hold: &Hold, program: &Program, orphans: Orphans) -> i32 {
        match launch(hold, program) {
            Ok(main) => {
                self.sender.send(&Report::Started);
                self.reap(main, orphans)
            }
            Err(error) => {
                self.sender.send(&Report::Failed(error));
                1
            }
        }
    }

    fn reap(&self, main: Pid, orphans: Orphans) -> i32 {
        let wanted: SigSet = [Signal::SIGCHLD, ASK_ALL, KILL_ALL].into_iter().collect();
        let mut kill = false;
        loop {
            match wanted.wait() {
                Ok(ASK_ALL) => self.spread(&[Signal::SIGTERM, Signal::SIGCONT]),
                Ok(KILL_ALL) => kill = true,
                _ => {}
            }
            loop {
                match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                    Err(Errno::ECHILD) => return 0,
                    Ok(WaitStatus::StillAlive) | Err(_) => break,
                    Ok(status) => kill |= self.note(status, main) && orphans == Orphans::Kill,
                }
            }
            if kill {
                // Each death makes orphans of its children, and their new parent is told: until there is none.
                self.spread(&[Signal::SIGKILL]);
            }
        }
    }

    /// Tells of the program's end; whether that was it.
    fn note(&self, status: WaitStatus, main: Pid) -> bool {
        let code = fork::exit_code(status).filter(|_| status.pid() == Some(main));
        code.inspect(|&code| self.sender.send(&Report::Ended(code))).is_some()
    }

    fn spread(&self, signals: &[Signal]) {
        for &signal in signals {
            if let Err(error) = self.descendants.signal(signal) {
                self.sender.send(&Report::Failed(error));
            }
        }
    }
}

/// Runs the program as a child of the reaper; returns when it is being executed.
fn launch(hold: &Hold, program: &Program) -> Result<Pid> {
    let (sender, mut receiver) = channel::<Error>()?;
    let child = fork::fork(|| {
        let Err(error) = become_it(hold, program, &sender);
        sender.send(&error);
        1
    })
    .or_error(|| "cannot fork".into())?;
    drop(sender);
    match receiver.receive(None)? {
        Received::Message(error) => Err(error),
        Received::Closed | Received::Nothing => Ok(child),
    }
}

fn become_it(hold: &Hold, program: &Program, sender: &Sender<Error>) -> Result<Infallible> {
    setsid().or_error(|| "cannot begin a session".into())?;
    hold.assume(Some(&Credentials::root()))?;
    // Without its reaper nobody would know it: the supervisor would start a second one beside it.
    kernel::die_with_parent(Signal::SIGKILL).or_error(|| "cannot tie a service to its reaper".into())?;
    identity::close_others(&[sender.as_raw_fd()])?;
    let report: Sender<Error> = kept(3).into();
    let ready = identity::unblock_signals().and_then(|()| hold.shut());
    let error = ready.map_or_else(|error| error, |()| program.exec());
    report.send(&error);
    // SAFETY: _exit(2) ends this process at once; the error has been told.
    unsafe { libc::_exit(1) }
}
