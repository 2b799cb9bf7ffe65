//! A process inside a container that runs one program and stays until the last of its descendants has ended,
//! those too that made themselves orphans. It does not know what the program is for.

use std::convert::Infallible;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd};

use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, kill, sigaction};
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

/// The number of the descriptor that leads from a program to whoever waits for its news.
pub(super) const NEWS: i32 = 3;

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

/// What a reaper runs, and how.
pub(super) struct Errand<'a> {
    /// The way inside.
    pub(super) passage: &'a Passage,
    /// What the program is held to.
    pub(super) hold: &'a Hold,
    /// The program.
    pub(super) program: &'a Program,
    /// Who it runs as.
    pub(super) who: &'a Credentials,
    /// Where it goes what the program and its descendants print.
    pub(super) output: BorrowedFd<'a>,
    /// What becomes of its descendants.
    pub(super) orphans: Orphans,
    /// What [`ASK_ALL`] sends to the program alone; if nothing, everybody gets TERM.
    pub(super) stop: Option<Signal>,
    /// What the program finds as its descriptor [`NEWS`].
    pub(super) news: Option<BorrowedFd<'a>>,
}

/// A reaper, seen from its parent.
pub(super) struct Reaper {
    pid: Pid,
    /// What it tells; closed when it has ended.
    pub(super) reports: Receiver<Report>,
}

impl Reaper {
    /// Starts one.
    pub(super) fn start(errand: &Errand<'_>) -> Result<Self> {
        let (sender, reports) = channel()?;
        let pid = errand.passage.fork(|| match Life::begin(errand, &sender) {
            Err(error) => {
                sender.send(&Report::Failed(error));
                1
            }
            Ok(life) => life.run(errand),
        })?;
        Ok(Self { pid, reports })
    }

    /// Its number on the host.
    pub(super) fn pid(&self) -> i32 {
        self.pid.as_raw()
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
    /// Goes to the program.
    news: Option<OwnedFd>,
}

impl Life {
    fn begin(errand: &Errand<'_>, sender: &Sender<Report>) -> Result<Self> {
        let passage = errand.passage;
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
        identity::set_stdio([Some(null.as_fd()), Some(errand.output), Some(errand.output)])?;
        drop(null);
        rules::forget_caller()?;
        let mut keep = vec![sender.as_raw_fd(), descendants.into_raw_fd()];
        keep.extend(errand.news.map(|fd| fd.as_raw_fd()));
        passage.approach(&keep)?;
        kernel::clear_inheritable().or_error(|| "cannot clear capabilities".into())?;
        identity::default_actions();
        hear_of_children().or_error(|| "cannot catch a signal".into())?;
        identity::close_others(&keep)?;
        let news = errand.news.map(|_| kept(5));
        Ok(Self { sender: kept(3).into(), descendants: Descendants::from_fd(kept(4)), news })
    }

    fn run(mut self, errand: &Errand<'_>) -> i32 {
        // Held by the program alone from now on, so that its end is noticed.
        let news = self.news.take();
        let launched = launch(errand, news.as_ref());
        drop(news);
        match launched {
            Ok(main) => {
                self.sender.send(&Report::Started);
                self.reap(main, errand)
            }
            Err(error) => {
                self.sender.send(&Report::Failed(error));
                1
            }
        }
    }

    fn reap(&self, main: Pid, errand: &Errand<'_>) -> i32 {
        let wanted: SigSet = [Signal::SIGCHLD, ASK_ALL, KILL_ALL].into_iter().collect();
        let (mut lives, mut kill) = (true, false);
        loop {
            match wanted.wait() {
                Ok(ASK_ALL) => self.ask(errand.stop.filter(|_| lives).map(|signal| (main, signal))),
                Ok(KILL_ALL) => kill = true,
                _ => {}
            }
            loop {
                match fork::bury_any() {
                    Err(Errno::ECHILD) => return 0,
                    Ok(None) | Err(_) => break,
                    Ok(Some((child, end))) => lives &= !self.note(end.filter(|_| child == main)),
                }
            }
            if kill || (!lives && errand.orphans == Orphans::Kill) {
                // Each death makes orphans of its children, and their new parent is told: until there is none.
                self.spread(&[Signal::SIGKILL]);
            }
        }
    }

    /// Tells of the program's end; whether that was it.
    fn note(&self, end: Option<i32>) -> bool {
        end.inspect(|&code| self.sender.send(&Report::Ended(code))).is_some()
    }

    /// Asks the program alone, or everybody.
    fn ask(&self, alone: Option<(Pid, Signal)>) {
        let Some((main, signal)) = alone else { return self.spread(&[Signal::SIGTERM, Signal::SIGCONT]) };
        for signal in [signal, Signal::SIGCONT] {
            // It was not waited for, so its number is still its own; an ended one is fine.
            let _ = nix::sys::signal::kill(main, signal);
        }
    }

    fn spread(&self, signals: &[Signal]) {
        for &signal in signals {
            if let Err(error) = self.descendants.signal(signal) {
                self.sender.send(&Report::Failed(error));
            }
        }
    }
}

/// The end of a child waits to be asked for. A signal that is ignored by default is forgotten at once on FreeBSD, blocked
/// or not, unless it has a handler; sigwait(2).
fn hear_of_children() -> nix::Result<()> {
    extern "C" fn nothing(_: libc::c_int) {}
    let action = SigAction::new(SigHandler::Handler(nothing), SaFlags::empty(), SigSet::empty());
    // SAFETY: the handler does nothing.
    unsafe { sigaction(Signal::SIGCHLD, &action) }.map(drop)
}

/// Runs the program as a child of the reaper; returns when it is being executed.
fn launch(errand: &Errand<'_>, news: Option<&OwnedFd>) -> Result<Pid> {
    let (sender, mut receiver) = channel::<Error>()?;
    let child = fork::fork(|| {
        let Err(error) = become_it(errand, news, &sender);
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

fn become_it(errand: &Errand<'_>, news: Option<&OwnedFd>, sender: &Sender<Error>) -> Result<Infallible> {
    setsid().or_error(|| "cannot begin a session".into())?;
    let mut keep = vec![sender.as_raw_fd()];
    keep.splice(0..0, news.map(AsRawFd::as_raw_fd));
    errand.passage.arrive(&keep)?;
    let outside = Credentials::root();
    errand.hold.assume(Some(if errand.passage.takes_users() { errand.who } else { &outside }))?;
    // After the change of user, which takes it back. Without its reaper nobody would know it: the supervisor would
    // start a second one beside it.
    kernel::die_with_parent(Signal::SIGKILL).or_error(|| "cannot tie a service to its reaper".into())?;
    identity::close_others(&keep)?;
    let report: Sender<Error> = kept(NEWS + i32::from(news.is_some())).into();
    let ready = prepare(news.is_some()).and_then(|()| errand.hold.shut());
    let error = ready.map_or_else(|error| error, |()| errand.program.exec());
    report.send(&error);
    // SAFETY: _exit(2) ends this process at once; the error has been told.
    unsafe { libc::_exit(1) }
}

fn prepare(has_news: bool) -> Result<()> {
    identity::unblock_signals()?;
    if !has_news {
        return Ok(());
    }
    // Not closed by exec(2): nobody in this process owns it.
    let news = kept(NEWS);
    rustix::io::fcntl_setfd(&news, rustix::io::FdFlags::empty())
        .or_error(|| "cannot keep a descriptor".into())?;
    let _ = news.into_raw_fd();
    Ok(())
}
