//! The engine's port to the machine. `crates/host` implements it for real, `crates/testkit` in memory.
//!
//! It says what must hold, not how: no operating system is named here.

use std::any::Any;
use std::path::{Path, PathBuf};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Entry, Observe, Part, Progress, Result, Step, TakeNode, Work};

use crate::{Care, Seen};

/// How the machine stands to a step before it is applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// Not there: apply it.
    Absent,
    /// There already, exactly so: skip it, and never undo it.
    Present,
    /// Something else is in the way; the text is a lower-case fragment that says what.
    Conflict(String),
    /// Cannot be told: never resume over it.
    Unknown,
}

/// Something held until it is dropped, such as a lock.
pub struct Held(Box<dyn Any + Send>);

impl Held {
    /// Keeps `thing` alive.
    pub fn new(thing: impl Any + Send) -> Self {
        Self(Box::new(thing))
    }

    /// What is held, for the host that made it.
    #[must_use]
    pub fn thing<T: Any>(&self) -> Option<&T> {
        self.0.downcast_ref()
    }
}

/// A second process that undoes what was begun if this one dies; see [`Host::on_death`].
pub trait Guard {
    /// Everything is in order: the second process ends without doing anything.
    fn release(self: Box<Self>) -> Result<()>;
}

/// Tells of changes in a directory; see [`Host::changes`].
pub trait Changes {
    /// Comes back when something may have changed since it was made, or since it came back last.
    fn wait(&mut self) -> Result<()>;
}

/// Where a release source works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workplace {
    /// The empty directory that it fills.
    pub staging: Utf8PathBuf,
    /// Where downloads are kept; made when missing.
    pub cache: Utf8PathBuf,
    /// Where the output of programs goes; made when missing.
    pub log: Utf8PathBuf,
}

impl Workplace {
    /// A workplace whose cache and log lie beside the staging directory.
    #[must_use]
    pub fn beside(staging: &Utf8Path) -> Self {
        let (cache, log) = (staging.with_extension("cache"), staging.with_extension("log"));
        Self { staging: staging.into(), cache, log }
    }
}

/// A point in time by the machine's steady clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(pub Duration);

/// Everything the engine can do to the machine.
pub trait Host: Observe + Sync {
    /// The file `at` of qchroot's own, or `None` when it does not exist.
    fn read_own(&self, at: &Utf8Path) -> Result<Option<Vec<u8>>>;

    /// Appends to a file of qchroot's own in one write, making it with mode 0644; flushes to disk when `durable`
    /// (the directory too, when the file was made).
    fn append_own(&self, at: &Utf8Path, bytes: &[u8], durable: bool) -> Result<()>;

    /// Removes a file of qchroot's own; one that is gone is fine. When `durable`, it is gone from the disk too.
    fn remove_own(&self, at: &Utf8Path, durable: bool) -> Result<()>;

    /// Names in a directory of qchroot's own, sorted; none when there is no such directory.
    fn list_own(&self, at: &Utf8Path) -> Result<Vec<String>>;

    /// Makes a directory of qchroot's own with its parents, mode 0755; there already is fine.
    fn make_own_dir(&self, at: &Utf8Path) -> Result<()>;

    /// Takes the exclusive lock on the file `at`, made when missing. `None` when somebody else holds it and
    /// `wait` is false. It ends with the last process that has it.
    fn lock(&self, at: &Utf8Path, wait: bool) -> Result<Option<Held>>;

    /// Takes the same kind of lock together with others: it excludes [`Host::lock`] on the file, and waits for it.
    fn share(&self, at: &Utf8Path) -> Result<Held>;

    /// Everything below the directory `top` that `care` lets it look at, sorted by path; no link is followed.
    /// Nothing when there is no such directory.
    fn survey(&self, top: &Utf8Path, care: &dyn Fn(&Path) -> Care) -> Result<Vec<Seen>>;

    /// Hands every file at and below `top`, a directory or a single file, to `take`: parents first, names in their
    /// order, so that two walks over the same tree are the same; the top's path is empty. No link is followed. Of
    /// several names of one file the later ones are hard links to the first. Sockets are left out; what is mounted
    /// below is an empty directory. Ends with an error soon after the user has given up.
    fn read_tree(&self, top: &Utf8Path, take: &mut TakeNode<'_>) -> Result<()>;

    /// Opens the file `at` of the superuser's, made with mode 0600 when missing, to be written part by part.
    ///
    /// # Errors
    /// Busy, when somebody else writes to it; `Exists`, when it is not a regular file.
    fn part(&self, at: &Utf8Path) -> Result<Box<dyn Part>>;

    /// Watches the directory `at` of qchroot's own, and the files in it.
    fn changes(&self, at: &Utf8Path) -> Result<Box<dyn Changes>>;

    /// How the machine stands to `step`.
    fn probe(&self, step: &Step) -> Result<Probe>;

    /// Applies `step`. Steps that take something away succeed when it is gone already. Steps that wait (for
    /// processes to end, for a script) wait no longer than until `deadline`, and then use force.
    ///
    /// `Step::Fill`, `Step::Split`, `Step::Record` and `Step::Unpack` are the engine's own and are refused here.
    fn apply(&self, step: &Step, deadline: Deadline) -> Result<()>;

    /// What a release source works with, confined to its workplace; `show` is told of progress.
    fn work<'a>(
        &'a self,
        place: &Workplace,
        show: &'a mut dyn FnMut(&Progress),
    ) -> Result<Box<dyn Work + 'a>>;

    /// Runs a program inside a container to its end, with this process' three standard streams; when standard
    /// input is a terminal, through a pseudo-terminal of its own. Signals are passed on. The exit status, or 128+N;
    /// 126 when the program cannot be run, 127 when it is not found (chroot(8)).
    fn enter(&self, entry: &Entry) -> Result<i32>;

    /// The same under a tracer: also the paths, as they are inside, that the program and its children asked for
    /// and that were not there. Such a program cannot be stopped and continued as usual by a debugger inside.
    ///
    /// # Errors
    /// Unavailable where the machine cannot trace.
    fn trace(&self, entry: &Entry) -> Result<(i32, Vec<PathBuf>)>;

    /// Starts a second process, which runs `undo` if this one dies before the guard is released, whatever way it
    /// dies. Locks held now stay held until both have ended.
    fn on_death(&self, undo: &dyn Fn()) -> Result<Box<dyn Guard>>;

    /// Hands `lock` to a second process, which runs `work` with it and goes on when this one has ended: a session of its
    /// own without a terminal, nothing else of what this process has open, last in line for processor and disk. Where
    /// no process can be made, `work` has been done when this returns.
    fn in_background(&self, lock: Held, work: &dyn Fn(Held));

    /// Returns when everything below the directory `at` is on disk: file systems put off writing what files hold,
    /// so a power cut soon after a rename may leave names with nothing behind them.
    fn flush(&self, at: &Utf8Path) -> Result<()>;

    /// Bytes that the tree or file `at` takes on disk, not crossing mounts; 0 when it is not there.
    fn disk_usage(&self, at: &Utf8Path) -> Result<u64>;

    /// Changes with every boot and never in between.
    fn boot_id(&self) -> Result<String>;

    /// Seconds since the epoch.
    fn wall_clock(&self) -> u64;

    /// The steady clock, for deadlines.
    fn steady_clock(&self) -> Duration;

    /// Whether this process may change the machine.
    fn is_superuser(&self) -> bool;
}
