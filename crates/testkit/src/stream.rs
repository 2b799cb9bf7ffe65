//! A back end at the far end of a stream, in a thread instead of a process: what a process of its own costs and risks is
//! tested with the real program.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use qchroot_abi::{Caller, Exported, Heard, InChild, InProcess, Peer, Remote, serve};
use qchroot_api::Result;

/// A caller who waits so many times, and what was told meanwhile.
#[derive(Debug, Default)]
pub struct Patient {
    /// How many times to wait on.
    pub times: Mutex<u32>,
    /// The call in which a plug-in fell silent, each time.
    pub silences: Mutex<Vec<String>>,
}

impl Caller for Patient {
    fn printed(&self, _: &str, _: &str) {}

    fn waits_on(&self, _: &str, call: &str, _: Duration) -> bool {
        self.silences.lock().unwrap_or_else(PoisonError::into_inner).push(call.into());
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = *times > 0;
        *times = times.saturating_sub(1);
        waits
    }
}

/// What `make` makes, for each stream that is begun, behind the border and a stream.
///
/// # Errors
/// What it says instead of who it is.
pub fn over_a_stream(make: fn() -> Exported, caller: Arc<dyn Caller>, patience: Duration) -> Result<Remote> {
    let launch = move || Ok(Box::new(Thread::start(make)) as Box<dyn Peer>);
    Remote::new(Box::new(InChild::new("acme.threaded".into(), Box::new(launch), caller, patience)))
}

struct Thread(UnixStream);

impl Thread {
    fn start(make: fn() -> Exported) -> Self {
        let (ours, theirs) = UnixStream::pair().expect("a pair of sockets");
        // It ends with its stream.
        thread::spawn(move || serve(theirs, Ok(InProcess::new(make().port()))));
        Self(ours)
    }
}

impl Peer for Thread {
    fn send(&mut self, bytes: &[u8], _until: Instant) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn receive(&mut self, to: &mut Vec<u8>, until: Instant) -> io::Result<Heard> {
        let time = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        self.0.set_read_timeout(Some(time))?;
        let mut bytes = [0; 4096];
        match self.0.read(&mut bytes) {
            Ok(0) => Ok(Heard::End),
            Ok(length) => {
                to.extend(&bytes[..length]);
                Ok(Heard::Bytes)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Heard::Nothing),
            Err(error) => Err(error),
        }
    }

    fn printed(&mut self) -> Vec<String> {
        vec![]
    }

    fn is_ours(&self) -> bool {
        true
    }

    fn end(&mut self, _until: Instant) -> Option<String> {
        None
    }
}
