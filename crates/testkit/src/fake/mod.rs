//! A fake of the machine, with state: every step changes it, every question is answered from it, and faults
//! strike where a test wants them. It touches nothing real.
//!
//! A call that the port has costs one millisecond of the fake clocks; nothing else makes time pass but
//! [`FakeHost::advance`] and processes that ignore SIGTERM until a deadline.

mod apply;
mod carry;
mod disk;
mod disk_steps;
mod faults;
mod freebsd;
mod group;
mod listeners;
mod mounting;
mod node;
mod port;
mod probe;
mod process;
mod quota;
mod resolve;
mod sandbox;
mod snapshot;
mod state;
mod survey;
mod volume;
mod work;
mod zfs;

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Entry, Error, ErrorKind, Output, Place, Platform, Process, Result};

pub use disk::Flaw;
pub use faults::Moment;
use node::{Body, Inode};
pub use snapshot::Snapshot;
pub use state::Guards;
use state::State;

struct Shared {
    state: Mutex<State>,
    /// Told whenever something changed that a waiter for a lock may be interested in.
    changed: Condvar,
}

/// The fake machine. Clones are the same machine.
#[derive(Clone)]
pub struct FakeHost(Arc<Shared>);

impl FakeHost {
    /// A machine that has just booted this kernel, with the superuser at work.
    #[must_use]
    pub fn new(platform: Platform) -> Self {
        Self(Arc::new(Shared { state: Mutex::new(State::new(platform)), changed: Condvar::new() }))
    }

    /// A Linux machine.
    #[must_use]
    pub fn linux() -> Self {
        Self::new(Platform::Linux)
    }

    /// A FreeBSD machine.
    #[must_use]
    pub fn freebsd() -> Self {
        Self::new(Platform::Freebsd)
    }

    /// The same, with a kernel that lacks the file system `name`.
    #[must_use]
    pub fn without_fs(self, name: &str) -> Self {
        self.state().filesystems.remove(name);
        self
    }

    /// The same, with another release on it, such as `13.2-RELEASE`.
    #[must_use]
    pub fn with_release(self, release: &str) -> Self {
        self.state().release = release.into();
        self
    }

    /// The same, with a kernel that cannot keep a limit, by its name in a container's file.
    #[must_use]
    pub fn without_limit(self, limit: &str) -> Self {
        self.state().missing_controllers.insert(limit.into());
        self
    }

    /// The same, with so many bytes on the file system that holds `/`.
    #[must_use]
    pub fn with_space(self, bytes: u64) -> Self {
        self.state().tree.volumes.set_limit(0, bytes);
        self
    }

    /// The same, with a user at work who may change nothing.
    #[must_use]
    pub fn unprivileged(self) -> Self {
        self.state().superuser = false;
        self
    }

    /// Another machine in the same state; from now on each goes its own way.
    #[must_use]
    pub fn twin(&self) -> Self {
        let state = self.state().clone();
        Self(Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a directory at a path of the host's; parents are made as needed, links in them followed.
    pub fn plant_dir(&self, at: impl AsRef<Utf8Path>, mode: u32) {
        self.state().plant(at.as_ref(), Inode::directory(mode));
    }

    /// Puts a file at a path of the host's.
    pub fn plant_file(&self, at: impl AsRef<Utf8Path>, text: &str, mode: u32) {
        self.state().plant(at.as_ref(), Inode::file(text, mode));
    }

    /// Puts a file that need not be text at a path of the host's.
    pub fn plant_bytes(&self, at: impl AsRef<Utf8Path>, content: &[u8], mode: u32) {
        self.state().plant(at.as_ref(), Inode::file(content, mode));
    }

    /// Puts a symbolic link at a path of the host's.
    pub fn plant_link(&self, at: impl AsRef<Utf8Path>, to: &str) {
        self.state().plant(at.as_ref(), Inode::link(to));
    }

    /// Makes something go wrong with the disk in a file.
    pub fn spoil(&self, at: impl AsRef<Utf8Path>, flaw: Flaw) {
        self.state().spoil(at.as_ref(), flaw).expect("the disk to spoil is there");
    }

    /// Changes the owner of what is at a path of the host's.
    pub fn chown(&self, at: impl AsRef<Utf8Path>, uid: u32, gid: u32) {
        let mut state = self.state();
        let found = state.tree.host(at.as_ref(), false).expect("the file to own exists");
        let mut inode = state.tree.get(&found).expect("the file to own exists").clone();
        (inode.uid, inode.gid) = (uid, gid);
        state.tree.put(&found, inode).expect("the file to own can be changed");
    }

    /// Takes away what is at and below a path of the host's.
    pub fn uproot(&self, at: impl AsRef<Utf8Path>) {
        let mut state = self.state();
        let found = state.tree.host(at.as_ref(), false).expect("the path to remove can be resolved");
        state.tree.remove(&found).expect("the path to remove can be changed");
    }

    /// The text of a file of the host's, every link followed; `None` when there is no such file.
    #[must_use]
    pub fn text(&self, at: impl AsRef<Utf8Path>) -> Option<String> {
        let state = self.state();
        let found = state.tree.host(at.as_ref(), true).ok()?;
        match &state.tree.get(&found)?.body {
            Body::File(content) => Some(String::from_utf8_lossy(content).into_owned()),
            _ => None,
        }
    }

    /// Writes a file as a process would whose root directory is `root`: links are followed beneath it.
    ///
    /// # Errors
    /// What the kernel would say, such as an I/O error for a read-only file system.
    pub fn write_inside(
        &self,
        root: impl AsRef<Utf8Path>,
        path: impl AsRef<Utf8Path>,
        text: &str,
    ) -> Result<()> {
        let mut state = self.state();
        let found = state.tree.place_followed(&Place::within(root.as_ref(), path))?;
        state.tree.put(&found, Inode::file(text, 0o644))
    }

    /// Starts a process of nobody's in particular, such as the host's own daemon; its pid.
    pub fn plant_process(&self, root: &str, command: &str) -> i32 {
        self.state().spawn(root.into(), command.into()).info.pid
    }

    /// Makes a process ignore SIGTERM: stopping it takes until the deadline.
    pub fn ignore_term(&self, pid: i32) {
        let mut state = self.state();
        let process = state.processes.iter_mut().find(|p| p.info.pid == pid);
        process.expect("the process is there").stubborn = true;
    }

    /// Ends a process, as if it had died by itself.
    pub fn kill(&self, pid: i32) {
        let mut state = self.state();
        state.processes.retain(|p| p.info.pid != pid);
        state.end_sandboxes();
        drop(state);
        self.0.changed.notify_all();
    }

    /// All processes.
    #[must_use]
    pub fn processes(&self) -> Vec<Process> {
        self.state().processes.iter().map(|p| p.info.clone()).collect()
    }

    /// Registers what `program` does when it is run inside a container; the status it ends with is returned.
    /// `/bin/true` and `/bin/false` are known. The program must not call the machine again.
    pub fn on_enter(&self, program: &str, run: impl Fn(&Entry) -> i32 + Send + Sync + 'static) {
        self.state().inside.insert(program.into(), Arc::new(run));
    }

    /// Registers a program of the host's. It is given all of its arguments. One that a step runs must not call
    /// the machine again; one that a release source runs may.
    pub fn on_run(&self, program: &str, run: impl Fn(&[String]) -> Output + Send + Sync + 'static) {
        let mut state = self.state();
        state.programs.insert(program.into(), Arc::new(run));
        state.plant(&Utf8Path::new("/usr/bin").join(program.trim_start_matches('/')), Inode::file("", 0o755));
    }

    /// What was run inside containers so far.
    #[must_use]
    pub fn entered(&self) -> Vec<Entry> {
        self.state().entered.clone()
    }

    /// Makes both clocks go on.
    pub fn advance(&self, by: Duration) {
        self.state().advance(by);
    }

    /// Makes the `n`-th step applied from now on fail with an I/O error; the first is 1.
    pub fn fail_at(&self, n: u64) {
        self.state().faults.fail(n, Moment::Before);
    }

    /// Like [`FakeHost::fail_at`], but the step has had its effect.
    pub fn fail_after(&self, n: u64) {
        self.state().faults.fail(n, Moment::After);
    }

    /// Makes the process under test die at the `n`-th change from now on; the first is 1. Changes are the
    /// calls that write: steps, own files, locks, each entry of a tree. Every later call fails with
    /// [`ErrorKind::Internal`] until [`FakeHost::revive`] or one of the reboots.
    pub fn crash_at(&self, n: u64, moment: Moment) {
        self.state().faults.crash(n, moment);
    }

    /// Whether the process under test is dead.
    #[must_use]
    pub fn is_crashed(&self) -> bool {
        self.state().faults.is_crashed()
    }

    /// Steps applied since a step was last armed to fail, the failed one included.
    #[must_use]
    pub fn applies(&self) -> u64 {
        self.state().faults.applies()
    }

    /// Changes since a crash was last armed.
    #[must_use]
    pub fn ticks(&self) -> u64 {
        self.state().faults.ticks()
    }

    /// How many guards were taken and released.
    #[must_use]
    pub fn guards(&self) -> Guards {
        self.state().guards
    }

    /// Starts the process under test anew: its locks are free, no fault is armed, all else is as it was.
    pub fn revive(&self) {
        self.state().revive();
        self.0.changed.notify_all();
    }

    /// Restarts the machine: mounts and processes are gone, `run` is empty, the boot id is another.
    pub fn reboot(&self, run: impl AsRef<Utf8Path>) {
        self.state().reboot(run.as_ref()).expect("the run directory exists");
        self.0.changed.notify_all();
    }

    /// Restarts the machine without warning: appends to own files that were not flushed are lost, too.
    pub fn power_cut(&self, run: impl AsRef<Utf8Path>) {
        self.state().lose_unflushed();
        self.reboot(run);
    }

    /// What is below `dirs` on the disk, whatever is mounted over it, with the mount table, the jails and all
    /// processes.
    #[must_use]
    pub fn snapshot<P: AsRef<Utf8Path>>(&self, dirs: impl IntoIterator<Item = P>) -> Snapshot {
        let dirs: Vec<Utf8PathBuf> = dirs.into_iter().map(|dir| dir.as_ref().to_owned()).collect();
        Snapshot::of(&self.state(), &dirs)
    }

    /// Like [`FakeHost::snapshot`], the files alone.
    #[must_use]
    pub fn files<P: AsRef<Utf8Path>>(&self, dirs: impl IntoIterator<Item = P>) -> Snapshot {
        self.snapshot(dirs).files_alone()
    }
}

/// An error of the system's, in two parts.
fn refuse(kind: ErrorKind, what: impl Into<String>, why: &str) -> Error {
    let error = Error::new(kind, what);
    if why.is_empty() { error } else { error.cause(why) }
}

/// One change to the machine under the rules of faults and time.
fn change<T>(host: &FakeHost, act: impl FnOnce(&mut State) -> Result<T>) -> Result<T> {
    let mut state = call(host)?;
    state.faults.tick();
    state.faults.may_crash(Moment::Before)?;
    let done = act(&mut state);
    state.faults.may_crash(Moment::After)?;
    drop(state);
    host.0.changed.notify_all();
    done
}

/// One call, which takes a millisecond.
fn call(host: &FakeHost) -> Result<MutexGuard<'_, State>> {
    let mut state = host.state();
    state.faults.alive()?;
    state.advance(Duration::from_millis(1));
    Ok(state)
}
