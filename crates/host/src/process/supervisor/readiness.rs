//! How a supervisor learns that its service is ready. It does not know what happens then, nor how long it may take.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;
use qchroot_api::{Error, ErrorKind, Ready, Result, ServiceStep};

use super::check::Check;
use super::look::{Look, Target};
use crate::errors::OrError;

/// The line by which a service says so itself; as in sd_notify(3).
const WORDS: &str = "READY=1";

/// Longer news are no news.
const LONGEST: usize = 4096;

/// Between an answer of a command and the next question.
const PAUSE: Duration = Duration::from_millis(250);

/// How long an answer of a command may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// See the module.
pub(super) enum Readiness {
    /// The service says it.
    Told {
        /// What it says.
        news: File,
        /// Its end, until the service has it.
        end: Option<OwnedFd>,
        /// A line that has no end yet.
        heard: Vec<u8>,
    },
    /// A command tells.
    Asked(Check),
    /// It is looked for.
    Looked(Look),
}

impl Readiness {
    /// Begins before the service does, so that what an earlier run has left is known. Also what is odd about it.
    pub(super) fn arm(step: &ServiceStep, ready: &Ready) -> Result<(Self, Option<String>)> {
        let watch =
            |target| Look::begin(step, &target).map(|(look, is_there)| (Self::Looked(look), is_there));
        Ok(match ready {
            Ready::Port { port } => {
                let (look, is_taken) = watch(Target::Port(*port))?;
                let odd = || format!("port {port} takes connections before the service has started");
                (look, is_taken.then(odd))
            }
            Ready::File { path } => (watch(Target::File(path.clone()))?.0, None),
            Ready::Command { argv } => (Self::Asked(Check::new(argv, Duration::ZERO, PAUSE, PATIENCE)), None),
            Ready::Notify => (Self::told()?, None),
            other => {
                let message = format!("{other:?} is a way to be ready that is not known here");
                return Err(Error::new(ErrorKind::Unavailable, message));
            }
        })
    }

    fn told() -> Result<Self> {
        let (news, end) = nix::unistd::pipe2(OFlag::O_CLOEXEC).or_error(|| "cannot make a pipe".into())?;
        rustix::io::ioctl_fionbio(&news, true).or_error(|| "cannot set up a pipe".into())?;
        Ok(Self::Told { news: news.into(), end: Some(end), heard: vec![] })
    }

    /// The end of a pipe that the service gets; asked for once.
    pub(super) fn end_for_service(&mut self) -> Option<OwnedFd> {
        match self {
            Self::Told { end, .. } => end.take(),
            Self::Asked(_) | Self::Looked(_) => None,
        }
    }

    /// Has something to read when there is news.
    pub(super) fn side(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Self::Told { news, .. } => Some(news.as_fd()),
            Self::Asked(check) => check.side(),
            Self::Looked(look) => Some(look.side()),
        }
    }

    /// When it wants its turn in any case.
    pub(super) fn due(&self) -> Option<Instant> {
        match self {
            Self::Asked(check) => check.due(),
            Self::Told { .. } | Self::Looked(_) => None,
        }
    }

    /// Whether the service is ready now. What commands print goes to `output`.
    ///
    /// # Errors
    /// When it never will be.
    pub(super) fn turn(&mut self, step: &ServiceStep, output: BorrowedFd<'_>) -> Result<bool> {
        match self {
            Self::Told { news, heard, .. } => hear(news, heard),
            Self::Asked(check) => Ok(check.turn(step, output)? == Some(Ok(()))),
            Self::Looked(look) => look.turn(),
        }
    }

    /// Waits no more.
    pub(super) fn end(self) -> Result<()> {
        match self {
            Self::Told { .. } => Ok(()),
            Self::Asked(check) => check.end(),
            Self::Looked(look) => look.end(),
        }
    }
}

fn hear(news: &mut File, heard: &mut Vec<u8>) -> Result<bool> {
    let mut chunk = [0; 256];
    loop {
        match news.read(&mut chunk) {
            Ok(0) => {
                let message = format!("it has closed the descriptor READY_FD without the line {WORDS}");
                return Err(Error::new(ErrorKind::System, message));
            }
            Ok(count) => heard.extend_from_slice(&chunk[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error).or_error(|| "cannot read a pipe".into()),
        }
        let mut lines: Vec<&[u8]> = heard.split(|&byte| byte == b'\n').collect();
        let rest = lines.pop().unwrap_or_default().to_vec();
        if lines.contains(&WORDS.as_bytes()) {
            return Ok(true);
        }
        *heard = if rest.len() > LONGEST { vec![] } else { rest };
    }
}
