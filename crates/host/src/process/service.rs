//! Services from the outside: starting and stopping their supervisors, and who holds a service's lock. It does
//! not know what a service does.

use std::fs::{self, File, OpenOptions};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use camino::Utf8Path;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use nix::sys::signal::Signal;
use qchroot_api::{Error, ErrorKind, Result, ServiceStep};
use qchroot_engine::{Deadline, Probe};

use super::channel::{Received, Receiver, feed};
use super::fork;
use super::kernel::Handle;
use super::own_program::OwnProgram;
use super::reaper::{ASK_ALL, KILL_ALL};
use super::supervisor::{Order, WORD, start_time};
use crate::clock;
use crate::errors::OrError;

/// How long the kernel may take to bury what was killed.
const BURIAL: Duration = Duration::from_secs(5);

/// A lock held until the process ends; the kernel tells whose it is.
pub(super) struct Locked(#[expect(dead_code, reason = "the lock ends when it is closed")] File);

/// Starts a service under a supervisor of its own; returns when it runs. The time that the service itself asks for counts
/// before the deadline.
///
/// # Errors
/// Busy when it has a supervisor already; otherwise why it does not run, with its last words.
pub(crate) fn start(step: &ServiceStep, deadline: Deadline) -> Result<()> {
    let time = start_time(step, deadline.0.saturating_sub(clock::steady()));
    let mut answer = launch(&Order { step: step.clone(), time })?;
    let failed = |cause: &str| {
        let message = format!("cannot start service {} of {}", step.service.name, step.container);
        Error::new(ErrorKind::System, message).cause(cause).hint(format!("see {}", step.log))
    };
    match answer.receive(Some(Instant::now() + time + BURIAL))? {
        Received::Message(result) => result,
        Received::Closed => Err(failed("its supervisor has ended")),
        Received::Nothing => Err(failed("its supervisor does not answer")),
    }
}

/// Runs this program again as a supervisor; what it answers comes through the receiver.
fn launch(order: &Order) -> Result<Receiver<Result<()>>> {
    let failed = || "cannot start a supervisor".to_owned();
    let spec =
        serde_json::to_vec(order).map_err(|error| Error::new(ErrorKind::Internal, failed()).cause(error))?;
    let own = OwnProgram::find();
    #[expect(clippy::disallowed_methods, reason = "this program itself, by its own file")]
    let mut command = Command::new(own.path());
    command.arg0("qchroot").args([WORD, order.step.container.as_str(), &order.step.service.name]);
    command.env_clear().current_dir("/").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| fork::refused(error, failed()))?;
    if let Some(input) = child.stdin.take() {
        feed(OwnedFd::from(input), &spec)?;
    }
    let output = child.stdout.take().ok_or_else(|| Error::new(ErrorKind::Internal, failed()))?;
    child.wait().or_error(failed)?;
    Ok(OwnedFd::from(output).into())
}

/// Stops a service: by its script, then TERM, then KILL at the deadline. Nothing to stop is fine.
///
/// # Errors
/// Busy when a process of it outlives SIGKILL.
pub(crate) fn stop(step: &ServiceStep, deadline: Deadline) -> Result<()> {
    let Some(supervisor) = supervisor(&step.lock)? else { return Ok(()) };
    let now = Instant::now();
    let time = deadline.0.saturating_sub(clock::steady());
    tell(&supervisor, ASK_ALL)?;
    if step.service.run.stop_argv().is_some() && !supervisor.wait(now + time / 2)? {
        tell(&supervisor, ASK_ALL)?;
    }
    if supervisor.wait(now + time)? {
        return Ok(());
    }
    tell(&supervisor, KILL_ALL)?;
    if supervisor.wait(Instant::now() + BURIAL)? {
        return Ok(());
    }
    // Its end tells the reaper inside to kill what is left.
    supervisor.signal(Signal::SIGKILL)?;
    supervisor.wait(Instant::now() + BURIAL)?;
    let message = format!("service {} of {} does not end", step.service.name, step.container);
    Err(Error::new(ErrorKind::Busy, message).hint("try again; see the states of its processes with ps"))
}

fn tell(supervisor: &Handle, signal: Signal) -> Result<()> {
    supervisor.signal(signal)?;
    supervisor.signal(Signal::SIGCONT)
}

/// Whether a service has a supervisor.
pub(crate) fn probe(step: &ServiceStep) -> Result<Probe> {
    Ok(if holder(&step.lock)?.is_some() { Probe::Present } else { Probe::Absent })
}

/// The supervisor behind a lock file. It is asked for twice, so that the handle is known to be the holder's.
fn supervisor(lock: &Utf8Path) -> Result<Option<Handle>> {
    let Some(pid) = holder(lock)? else { return Ok(None) };
    let handle = Handle::open(pid)?;
    Ok(if holder(lock)? == Some(pid) { handle } else { None })
}

/// The process that holds the lock file `at`, by fcntl(2)'s F_GETLK; `None` for a free or missing one.
pub(crate) fn holder(at: &Utf8Path) -> Result<Option<i32>> {
    let failed = || format!("cannot look at the lock {at}");
    let file = match OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW).open(at) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        file => file.or_error(failed)?,
    };
    let mut lock = whole_file();
    fcntl(&file, FcntlArg::F_GETLK(&mut lock)).or_error(failed)?;
    Ok((lock.l_type != libc::F_UNLCK as libc::c_short).then_some(lock.l_pid))
}

/// Takes the lock of a service for this process.
///
/// # Errors
/// Busy when another process has it.
pub(super) fn take_lock(step: &ServiceStep) -> Result<Locked> {
    let at = &step.lock;
    let failed = || format!("cannot take the lock {at}");
    if let Some(parent) = at.parent() {
        fs::create_dir_all(parent).or_error(failed)?;
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600).custom_flags(libc::O_NOFOLLOW);
    let file = options.open(at).or_error(failed)?;
    match fcntl(&file, FcntlArg::F_SETLK(&whole_file())) {
        Ok(_) => Ok(Locked(file)),
        Err(Errno::EAGAIN | Errno::EACCES) => {
            let message =
                format!("service {} of {} is supervised already", step.service.name, step.container);
            Err(Error::new(ErrorKind::Busy, message))
        }
        Err(errno) => Err(errno).or_error(failed),
    }
}

/// A lock on all of a file.
pub(super) fn whole_file() -> libc::flock {
    // SAFETY: a plain structure of numbers, for which zero means: from the start, to the end, nobody.
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    lock.l_type = libc::F_WRLCK as libc::c_short;
    lock.l_whence = libc::SEEK_SET as libc::c_short;
    lock
}
