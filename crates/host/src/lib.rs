//! The only crate of qchroot that changes the machine: files, mounts, devices, programs and processes.
//!
//! It carries out steps and answers questions; which steps and why is the engine's business.

mod apply;
mod attributes;
mod beneath;
mod clock;
mod command;
mod compare;
mod copy;
mod device;
mod dir;
mod disk;
mod errors;
mod extents;
mod files;
#[cfg(any(test, target_os = "freebsd"))]
mod flag_names;
mod flagged;
#[cfg(any(test, target_os = "freebsd"))]
mod fstat;
mod holes;
#[cfg(any(test, target_os = "freebsd"))]
mod master_passwd;
#[cfg(any(test, target_os = "freebsd"))]
mod mdconfig;
mod mount;
mod observe;
mod own;
mod ownership;
mod part;
mod probe;
mod process;
mod purge;
#[cfg(any(test, target_os = "freebsd"))]
mod rctl;
mod read_tree;
mod relocate;
mod remove;
mod running;
#[cfg(any(test, target_os = "freebsd"))]
mod sockstat;
mod superblock;
mod survey;
mod take;
mod usage;
mod work;
mod writer;

#[cfg(target_os = "freebsd")]
mod freebsd;
#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "freebsd")]
use freebsd as os;
#[cfg(target_os = "linux")]
use linux as os;

pub use process::give_up::on_signals;
pub use process::plugin::OpenInChild;
pub use process::plugin_main::plugin_main;
pub use process::supervisor::supervise_main;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use camino::Utf8Path;
use qchroot_api::{Answer, Entry, Observe, Part, Progress, Query, Result, Step, TakeNode, Work};
use qchroot_engine::{Care, Changes, Deadline, Guard, Held, Host, Probe, Seen, Workplace};

/// Gives this process the umask that files of qchroot's own are made under, whatever the caller's is.
pub fn settle_process() {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
}

/// Executes this program again, from a file that nobody inside a container can change through the program: for those who
/// let a container's programs run as children of this process. Returns where that is done, or cannot be done by this
/// user or on this kernel.
pub fn protect_program() {
    // Whoever may not make a mount may not enter a container either, and is told so there.
    let _ = process::own_program::protect();
}

/// Gives the calling thread, and those that it starts, a mount namespace of its own where the kernel has such, so that
/// nothing stays mounted when it has ended. For who is about to try things out.
///
/// # Errors
/// Permission, for anybody but the superuser.
pub fn own_mounts() -> Result<()> {
    os::system::own_mounts()
}

/// The machine qchroot runs on.
#[derive(Debug, Default)]
pub struct Machine {
    cancelled: Arc<AtomicBool>,
}

impl Machine {
    /// The machine, for a user who does not give up.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The machine; long work ends soon after `cancelled` becomes true.
    #[must_use]
    pub fn with_cancel(cancelled: Arc<AtomicBool>) -> Self {
        Self { cancelled }
    }
}

impl Observe for Machine {
    fn observe(&self, query: &Query) -> Result<Answer> {
        observe::answer(self, query)
    }
}

impl Host for Machine {
    fn read_own(&self, at: &Utf8Path) -> Result<Option<Vec<u8>>> {
        own::read(at)
    }

    fn append_own(&self, at: &Utf8Path, bytes: &[u8], durable: bool) -> Result<()> {
        own::append(at, bytes, durable)
    }

    fn remove_own(&self, at: &Utf8Path, durable: bool) -> Result<()> {
        own::remove(at)?;
        if durable { own::sync_directory_of(at) } else { Ok(()) }
    }

    fn list_own(&self, at: &Utf8Path) -> Result<Vec<String>> {
        own::list(at)
    }

    fn make_own_dir(&self, at: &Utf8Path) -> Result<()> {
        own::make_dir(at)
    }

    fn lock(&self, at: &Utf8Path, wait: bool) -> Result<Option<Held>> {
        own::lock(at, wait)
    }

    fn share(&self, at: &Utf8Path) -> Result<Held> {
        own::share(at)
    }

    fn survey(&self, top: &Utf8Path, care: &dyn Fn(&Path) -> Care) -> Result<Vec<Seen>> {
        survey::survey(top, care)
    }

    fn read_tree(&self, top: &Utf8Path, take: &mut TakeNode<'_>) -> Result<()> {
        read_tree::read(top, &|| !self.cancelled.load(Ordering::Relaxed), take)
    }

    fn part(&self, at: &Utf8Path) -> Result<Box<dyn Part>> {
        part::open(at)
    }

    fn changes(&self, at: &Utf8Path) -> Result<Box<dyn Changes>> {
        os::changes::watch(at)
    }

    fn probe(&self, step: &Step) -> Result<Probe> {
        probe::probe(step)
    }

    fn apply(&self, step: &Step, deadline: Deadline) -> Result<()> {
        apply::apply(step, deadline)
    }

    fn work<'a>(
        &'a self,
        place: &Workplace,
        show: &'a mut dyn FnMut(&Progress),
    ) -> Result<Box<dyn Work + 'a>> {
        Ok(Box::new(work::Staging::open(self, place, show, &self.cancelled)?))
    }

    fn enter(&self, entry: &Entry) -> Result<i32> {
        process::enter::enter(entry)
    }

    fn trace(&self, entry: &Entry) -> Result<(i32, Vec<PathBuf>)> {
        process::enter::trace(entry)
    }

    fn on_death(&self, undo: &dyn Fn()) -> Result<Box<dyn Guard>> {
        process::guard::on_death(undo)
    }

    fn in_background(&self, lock: Held, work: &dyn Fn(Held)) {
        process::background::run(lock, work);
    }

    fn flush(&self, at: &Utf8Path) -> Result<()> {
        files::flush_tree(at)
    }

    fn disk_usage(&self, at: &Utf8Path) -> Result<u64> {
        usage::disk_usage(at)
    }

    fn boot_id(&self) -> Result<String> {
        os::system::boot_id()
    }

    fn wall_clock(&self) -> u64 {
        clock::wall().as_secs()
    }

    fn steady_clock(&self) -> Duration {
        clock::steady()
    }

    fn is_superuser(&self) -> bool {
        rustix::process::geteuid().is_root()
    }
}
