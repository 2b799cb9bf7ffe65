//! A back end in a process of its own: the program's end of the stream, with what becomes of a process that ends, falls
//! silent or talks nonsense. It does not know how a process is started, nor who is asked whether to wait on.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use qchroot_api::{Error, ErrorKind, Result};
use serde::Deserialize;

use super::conversation::{Broken, Conversation};
use crate::{Carrier, HostSide};

/// How long a process whose stream has ended may take to end itself.
const BURIAL: Duration = Duration::from_secs(5);

const FAULT: &str = "that is a fault of the plug-in: tell its author";

const SILENT: &str = "if its work takes that long, give it more time by `patience` in [plugins] of qchroot.toml; else \
                      tell its author";

/// A process that answers calls; see [`crate::serve`].
pub trait Peer: Send {
    /// Sends all of `bytes`, until `until` at most.
    ///
    /// # Errors
    /// `TimedOut` when that came first; otherwise what the system said.
    fn send(&mut self, bytes: &[u8], until: Instant) -> io::Result<()>;

    /// Waits until `until` for what the process says, and adds it to `to`.
    ///
    /// # Errors
    /// What the system said.
    fn receive(&mut self, to: &mut Vec<u8>, until: Instant) -> io::Result<Heard>;

    /// The lines that it has printed since the last call.
    fn printed(&mut self) -> Vec<String>;

    /// Whether it is this process that has started it, and not one that this was forked from.
    fn is_ours(&self) -> bool;

    /// Lets it and what it has started end; it has until `until` to do so by itself. How it ended, such as "ended with
    /// status 3", if it did.
    fn end(&mut self, until: Instant) -> Option<String>;
}

/// What came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// Bytes.
    Bytes,
    /// Nothing that belongs to the conversation.
    Nothing,
    /// The end.
    End,
}

/// Who made a call, in the end: a user.
pub trait Caller: Send + Sync {
    /// The plug-in of this name has printed a line.
    fn printed(&self, plugin: &str, line: &str);

    /// The plug-in has given no sign of life for so long in the call of this name: whether to wait as long again.
    fn waits_on(&self, plugin: &str, call: &str, silence: Duration) -> bool;
}

/// Starts the process.
pub type Launch = dyn Fn() -> Result<Box<dyn Peer>> + Send + Sync;

/// Carries calls to a process that is started for the first of them, and again after one that it did not survive.
pub struct InChild {
    name: String,
    launch: Box<Launch>,
    caller: Arc<dyn Caller>,
    patience: Duration,
    /// Calls from several threads come one after the other.
    peer: Mutex<Option<Box<dyn Peer>>>,
}

impl fmt::Debug for InChild {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InChild").field("name", &self.name).finish_non_exhaustive()
    }
}

impl InChild {
    /// Calls go to what `launch` starts for the plug-in `name`, which must give a sign of life within `patience`.
    #[must_use]
    pub fn new(name: String, launch: Box<Launch>, caller: Arc<dyn Caller>, patience: Duration) -> Self {
        Self { name, launch, caller, patience, peer: Mutex::default() }
    }

    fn error(&self, broken: Broken, conversation: Conversation<'_, '_>) -> Error {
        let grace = if matches!(broken, Broken::Ended) { BURIAL } else { Duration::ZERO };
        let how = conversation.peer.end(Instant::now() + grace);
        let error = match broken {
            Broken::Ended => self.fault(&how.unwrap_or_else(|| "closed its connection".into())).hint(FAULT),
            Broken::Nonsense(error) => self.fault("broke the border's rules").cause(error).hint(FAULT),
            Broken::Silent => {
                let seconds = self.patience.as_secs_f64();
                self.fault(&format!("gave no sign of life for {seconds} s")).hint(SILENT)
            }
            Broken::GivenUp => self.fault("did not end when it was told to").of_kind(ErrorKind::System),
        };
        match conversation.last_words() {
            words if words.is_empty() => error,
            words => error.cause(words),
        }
    }

    fn fault(&self, what: &str) -> Error {
        Error::new(ErrorKind::Plugin, format!("the process of {} {what}", self.name))
    }
}

impl Carrier for InChild {
    fn carry(&self, call: &str, host: &HostSide<'_>) -> Result<String> {
        let mut slot = self.peer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut peer = match slot.take().filter(|peer| peer.is_ours()) {
            Some(peer) => peer,
            None => (self.launch)()?,
        };
        let tag = serde_json::from_str::<Tag>(call).map_or_else(|_| String::new(), |tag| tag.call);
        let about = (&*self.name, &*tag);
        let mut conversation = Conversation::new(&mut *peer, host, &*self.caller, about, self.patience);
        match conversation.hold(call) {
            Ok(answer) => {
                conversation.tell_printed();
                *slot = Some(peer);
                answer
            }
            // The next call gets a new process.
            Err(broken) => Err(self.error(broken, conversation)),
        }
    }
}

/// Which call it is.
#[derive(Deserialize)]
struct Tag {
    call: String,
}
