//! Plug-ins in processes of their own: starting one, its stream and what it prints, and its end with all that it has
//! started. It does not know what is said.

use std::collections::VecDeque;
use std::io::{self, PipeReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use nix::sys::signal::Signal;
use qchroot_abi::{Caller, Carrier, Header, Heard, InChild, Opener, Peer};
use qchroot_api::{Error, ErrorKind, Result};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, WaitId, WaitIdOptions, kill_process_group, waitid};

use super::channel::timeout;
use super::fork;
use super::kernel::Handle;
use super::own_program::OwnProgram;
use super::plugin_main::WORD;
use crate::command;
use crate::errors::OrError;
use crate::process::log;
use crate::running::Kept;

/// Lines of what a plug-in prints that are kept until somebody wants them, the last.
const LINES: usize = 100;

/// How long the kernel may take to bury what was killed.
const BURIAL: Duration = Duration::from_secs(5);

/// Bytes that are read at a time.
const READ: usize = 64 << 10;

/// Opens each plug-in in a process of its own, which is started when it is first called.
pub struct OpenInChild {
    caller: Arc<dyn Caller>,
    patience: Duration,
}

impl OpenInChild {
    /// For `caller`; a plug-in must give a sign of life within `patience`.
    #[must_use]
    pub fn new(caller: Arc<dyn Caller>, patience: Duration) -> Self {
        Self { caller, patience }
    }
}

impl Opener for OpenInChild {
    fn open(&self, file: &Utf8Path, header: &Header) -> Result<Box<dyn Carrier>> {
        let file = file.to_owned();
        let launch = Box::new(move || Ok(Box::new(Child::start(file.clone())?) as Box<dyn Peer>));
        let name = header.name.clone();
        Ok(Box::new(InChild::new(name, launch, Arc::clone(&self.caller), self.patience)))
    }
}

/// The process.
struct Child {
    stream: UnixStream,
    /// What it prints, as long as anybody can print.
    output: Option<PipeReader>,
    lines: Kept,
    printed: VecDeque<String>,
    handle: Option<Handle>,
    end: Receiver<ExitStatus>,
    /// Who has started it.
    parent: u32,
}

impl Child {
    fn start(file: Utf8PathBuf) -> Result<Self> {
        let failed = || format!("cannot start a process for {file}");
        let (stream, theirs) = UnixStream::pair().or_error(failed)?;
        let (output, writer) = io::pipe().or_error(failed)?;
        stream.set_nonblocking(true).or_error(failed)?;
        rustix::io::ioctl_fionbio(&output, true).or_error(failed)?;
        let command = command(&file, theirs.into(), writer).or_error(failed)?;
        let (begun, begins) = mpsc::sync_channel(1);
        let (ended, end) = mpsc::sync_channel(1);
        // It ends with the thread that has started it, prctl(2): so that one stays for as long as it lives.
        let keep = move || keep(command, &begun, &ended);
        thread::Builder::new().spawn(keep).or_error(failed)?;
        let begun = begins.recv().map_err(|_| Error::new(ErrorKind::Internal, failed()))?;
        let handle = begun.map_err(|error| fork::refused(error, failed()))?;
        let (lines, printed) = (Kept::new(READ), VecDeque::new());
        Ok(Self { stream, output: Some(output), lines, printed, handle, end, parent: std::process::id() })
    }

    /// Waits for the stream, and takes what is printed meanwhile. False when `until` came first.
    fn wait(&mut self, flags: PollFlags, until: Instant) -> io::Result<bool> {
        loop {
            let mut fds = vec![PollFd::new(&self.stream, flags)];
            fds.extend(self.output.iter().map(|output| PollFd::new(output, PollFlags::IN)));
            match poll(&mut fds, timeout(Some(until)).as_ref()) {
                Ok(0) => return Ok(false),
                Err(rustix::io::Errno::INTR) => continue,
                ready => ready?,
            };
            let is_ready = !fds[0].revents().is_empty();
            self.take_printed();
            if is_ready {
                return Ok(true);
            }
        }
    }

    fn take_printed(&mut self) {
        let Self { output, lines, printed, .. } = self;
        let mut bytes = vec![0; READ];
        while let Some(pipe) = output {
            match pipe.read(&mut bytes) {
                Ok(length @ 1..) => lines.take(&bytes[..length], |line| keep_line(printed, line)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(_) | Err(_) => *output = None,
            }
        }
    }
}

fn keep_line(printed: &mut VecDeque<String>, line: &[u8]) {
    printed.push_back(log::shown(line));
    if printed.len() > LINES {
        printed.pop_front();
    }
}

impl Peer for Child {
    fn send(&mut self, mut bytes: &[u8], until: Instant) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.stream.write(bytes) {
                Ok(length) => bytes = &bytes[length..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if !self.wait(PollFlags::OUT, until)? {
                        return Err(io::ErrorKind::TimedOut.into());
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn receive(&mut self, to: &mut Vec<u8>, until: Instant) -> io::Result<Heard> {
        if !self.wait(PollFlags::IN, until)? {
            return Ok(Heard::Nothing);
        }
        let before = to.len();
        to.resize(before + READ, 0);
        let read = self.stream.read(&mut to[before..]);
        to.truncate(before + read.as_ref().map_or(0, |length| *length));
        match read {
            Ok(0) => Ok(Heard::End),
            Ok(_) => Ok(Heard::Bytes),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
                Ok(Heard::Nothing)
            }
            Err(error) => Err(error),
        }
    }

    fn printed(&mut self) -> Vec<String> {
        self.take_printed();
        self.printed.drain(..).collect()
    }

    fn is_ours(&self) -> bool {
        self.parent == std::process::id()
    }

    fn end(&mut self, until: Instant) -> Option<String> {
        let status = match self.end.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Err(RecvTimeoutError::Timeout) => None,
            status => status.ok(),
        };
        if status.is_none() {
            // One that has ended meanwhile cannot be told.
            let _ = self.handle.take().map(|handle| handle.signal(Signal::SIGKILL));
            let _ = self.end.recv_timeout(BURIAL);
        }
        self.take_printed();
        let Self { lines, printed, .. } = self;
        lines.tell(&mut |line| keep_line(printed, line));
        status.map(in_words)
    }
}

/// This program, to be executed as the process of the plug-in `file`.
fn command(file: &Utf8Path, stream: OwnedFd, output: io::PipeWriter) -> io::Result<Command> {
    #[expect(clippy::disallowed_methods, reason = "this program itself, by its own file")]
    let mut command = Command::new(OwnProgram::as_it_is().path());
    command.arg0("qchroot").args([WORD, file.as_str()]);
    command.env_clear().envs(command::passed_on()).current_dir("/");
    command.stdin(Stdio::from(stream)).stdout(output.try_clone()?).stderr(output);
    Ok(command)
}

/// Starts the process and buries it, with all of its group that is left then.
fn keep(
    mut command: Command,
    begun: &SyncSender<io::Result<Option<Handle>>>,
    ended: &SyncSender<ExitStatus>,
) {
    let started = command.spawn();
    // It holds the other ends of stream and pipe.
    drop(command);
    let mut child = match started {
        Ok(child) => child,
        Err(error) => return drop(begun.send(Err(error))),
    };
    let number = i32::try_from(child.id()).unwrap_or(0);
    let _ = begun.send(Ok(Handle::open(number).ok().flatten()));
    if let Some(pid) = Pid::from_raw(number) {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while matches!(waitid(WaitId::Pid(pid), options), Err(rustix::io::Errno::INTR)) {}
        // Not buried yet, so the number is still its own, and that of its session and group.
        let _ = kill_process_group(pid, rustix::process::Signal::KILL);
    }
    if let Ok(status) = child.wait() {
        let _ = ended.send(status);
    }
}

fn in_words(status: ExitStatus) -> String {
    match status.signal().and_then(|number| Signal::try_from(number).ok()) {
        Some(signal) => format!("ended by signal {signal}"),
        None => format!("ended with status {}", status.code().unwrap_or(-1)),
    }
}
