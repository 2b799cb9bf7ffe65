//! One call to a process: what is asked meanwhile is answered, what it prints is passed on, and its silence is borne for
//! a time. It does not know what becomes of a process that breaks it off.

use std::io::{self, Read};
use std::time::{Duration, Instant};

use qchroot_api::{Error, ErrorKind, Progress, Result};

use super::frame::{Frame, Said};
use crate::text::{error_of, error_text, from_text};
use crate::{Answered, Ask, Caller, Heard, HostSide, Peer};

/// How often it is looked whether the user has given up.
const LOOK: Duration = Duration::from_millis(100);

/// How long a plug-in may take to end its work when the user has given up.
const GRACE: Duration = Duration::from_secs(10);

/// How many lines that were printed an error ends with.
const LAST_WORDS: usize = 5;

/// Why a call has no answer.
pub(crate) enum Broken {
    /// The stream has ended.
    Ended,
    /// It said what nobody may say here.
    Nonsense(Error),
    /// It said nothing for too long.
    Silent,
    /// The user has given up, and it went on.
    GivenUp,
}

/// See the module.
pub(crate) struct Conversation<'a, 'h> {
    pub(crate) peer: &'a mut dyn Peer,
    host: &'a HostSide<'h>,
    caller: &'a dyn Caller,
    name: &'a str,
    tag: &'a str,
    patience: Duration,
    come: Vec<u8>,
    /// Since when it is known that the user has given up.
    given_up: Option<Instant>,
    /// The lines that were passed on.
    printed: Vec<String>,
}

impl<'a, 'h> Conversation<'a, 'h> {
    /// With the plug-in and in the call that `about` names.
    pub(crate) fn new(
        peer: &'a mut dyn Peer,
        host: &'a HostSide<'h>,
        caller: &'a dyn Caller,
        about: (&'a str, &'a str),
        patience: Duration,
    ) -> Self {
        let (name, tag) = about;
        Self { peer, host, caller, name, tag, patience, come: vec![], given_up: None, printed: vec![] }
    }

    /// Says a call and answers what is asked until it has been answered.
    pub(crate) fn hold(&mut self, call: &str) -> Result<Result<String>, Broken> {
        self.send(&Frame::new(Said::Call, call))?;
        loop {
            let frame = self.next()?;
            match frame.said {
                Said::Ask => self.answer(frame)?,
                Said::Done | Said::Failed if !self.come.is_empty() => return Err(out_of_turn(&frame)),
                Said::Done => return Ok(Ok(frame.text)),
                Said::Failed => return Ok(Err(error_of("the plug-in", &frame.text))),
                _ => return Err(out_of_turn(&frame)),
            }
        }
    }

    /// Passes on what was printed: to the log of the work, where it is one, else to the user.
    pub(crate) fn tell_printed(&mut self) {
        for line in self.peer.printed() {
            if self.host.is_working() {
                let what = format!("{}: {line}", self.name);
                // What cannot be shown is no reason to stop.
                let _ = self.host.answer(Ask::Note { line: what.clone() }, &mut io::empty());
                let progress = Progress { what, ..Progress::default() };
                let _ = self.host.answer(Ask::Progress { progress }, &mut io::empty());
            } else {
                self.caller.printed(self.name, &line);
            }
            self.printed.push(line);
        }
    }

    /// What was printed last, when there is nobody to talk with any more.
    pub(crate) fn last_words(mut self) -> String {
        self.printed.extend(self.peer.printed());
        let first = self.printed.len().saturating_sub(LAST_WORDS);
        self.printed.split_off(first).join(" | ")
    }

    fn answer(&mut self, frame: Frame) -> Result<(), Broken> {
        let host = self.host;
        let mut content =
            Pulled { come: io::Cursor::new(frame.bytes), more: frame.flag, of: self, broken: None };
        let answered = from_text("the plug-in", &frame.text).and_then(|ask| host.answer(ask, &mut content));
        if let Some(broken) = content.broken {
            return Err(broken);
        }
        let told = |Answered { json, bytes }| Frame {
            flag: host.cancelled(),
            bytes,
            ..Frame::new(Said::Told, json)
        };
        let frame = answered.map_or_else(|error| refusal(&error), told);
        match frame.encode() {
            Ok(bytes) => self.write(&bytes),
            Err(error) => self.send(&refusal(&error)),
        }
    }

    fn send(&mut self, frame: &Frame) -> Result<(), Broken> {
        self.write(&frame.encode().map_err(Broken::Nonsense)?)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        self.peer.send(bytes, Instant::now() + self.patience).map_err(|error| match error.kind() {
            io::ErrorKind::TimedOut => Broken::Silent,
            _ => Broken::Ended,
        })
    }

    /// The next frame.
    fn next(&mut self) -> Result<Frame, Broken> {
        let mut until = Instant::now() + self.patience;
        loop {
            if let Some(frame) = Frame::decode(&mut self.come).map_err(Broken::Nonsense)? {
                return Ok(frame);
            }
            if self.host.is_working() {
                self.tell_printed();
            }
            let look = until.min(Instant::now() + LOOK);
            match self.peer.receive(&mut self.come, look) {
                Ok(Heard::Bytes) => {}
                Ok(Heard::Nothing) => self.wait_on(&mut until)?,
                Ok(Heard::End) | Err(_) => return Err(Broken::Ended),
            }
        }
    }

    /// Whether it may take longer.
    fn wait_on(&mut self, until: &mut Instant) -> Result<(), Broken> {
        let now = Instant::now();
        if self.host.cancelled() && now > *self.given_up.get_or_insert(now) + GRACE {
            return Err(Broken::GivenUp);
        }
        if now < *until {
            return Ok(());
        }
        if !self.caller.waits_on(self.name, self.tag, self.patience) {
            return Err(Broken::Silent);
        }
        *until = Instant::now() + self.patience;
        Ok(())
    }

    /// More of the content of a file.
    fn pull(&mut self) -> Result<Frame, Broken> {
        self.send(&Frame::new(Said::Pull, ""))?;
        loop {
            let frame = self.next()?;
            match frame.said {
                Said::Content | Said::Torn => return Ok(frame),
                Said::Ask => self.send(&refusal(&busy()))?,
                _ => return Err(out_of_turn(&frame)),
            }
        }
    }
}

/// Content that comes as it is read.
struct Pulled<'c, 'a, 'h> {
    come: io::Cursor<Vec<u8>>,
    more: bool,
    of: &'c mut Conversation<'a, 'h>,
    /// Why there is no more.
    broken: Option<Broken>,
}

impl Read for Pulled<'_, '_, '_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let length = self.come.read(into)?;
            if length > 0 || !self.more || into.is_empty() {
                return Ok(length);
            }
            match self.of.pull() {
                Ok(Frame { said: Said::Torn, text, .. }) => {
                    self.more = false;
                    return Err(io::Error::other(error_of("the plug-in", &text)));
                }
                Ok(Frame { bytes, flag, .. }) => (self.come, self.more) = (io::Cursor::new(bytes), flag),
                Err(broken) => {
                    (self.broken, self.more) = (Some(broken), false);
                    return Err(io::ErrorKind::BrokenPipe.into());
                }
            }
        }
    }
}

fn refusal(error: &Error) -> Frame {
    Frame::new(Said::Refused, error_text(error))
}

fn busy() -> Error {
    Error::new(ErrorKind::Plugin, "nothing can be asked while the content of a file is read")
}

fn out_of_turn(frame: &Frame) -> Broken {
    Broken::Nonsense(Error::new(ErrorKind::Plugin, format!("{:?} was said out of turn", frame.said)))
}
