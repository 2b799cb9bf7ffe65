//! A connection that is read by a thread of its own, so that whoever waits for it can stop waiting. It knows
//! nothing of what is sent.

use std::io::Read;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use super::{Ask, Body, Failure, Head, Network, Stop};
use crate::Address;

/// Bytes handed over at a time.
const CHUNK: usize = 128 << 10;
/// Chunks that may wait.
const AHEAD: usize = 4;
/// How often a waiting thread looks whether it should stop.
const GLANCE: Duration = Duration::from_millis(50);

enum Event {
    Head(Head),
    Bytes(Vec<u8>),
    End,
    Broken(Failure),
}

/// A server that is sending a file.
pub(crate) struct Connection {
    events: Receiver<Event>,
}

impl Connection {
    /// Connects and asks. The thread ends by itself when the connection is dropped, at the latest when the
    /// server has been silent for too long.
    pub(crate) fn open(
        address: &Address,
        ask: &Ask,
        network: &Arc<Network>,
        stop: &Stop,
    ) -> Result<(Head, Self), Failure> {
        let (sender, events) = sync_channel(AHEAD);
        let (address, ask, network) = (address.clone(), ask.clone(), Arc::clone(network));
        let thread = thread::Builder::new().name("download".into());
        let spawned = thread.spawn(move || talk(&address, &ask, &network, &sender));
        spawned.map_err(|e| Failure::Final(qchroot_api::Error::from_io(&e, "cannot start a thread")))?;
        let connection = Self { events };
        match connection.event(stop)? {
            Event::Head(head) => Ok((head, connection)),
            Event::Broken(failure) => Err(failure),
            Event::Bytes(_) | Event::End => Err(silent()),
        }
    }

    /// The next bytes; none at the end.
    pub(crate) fn next(&self, stop: &Stop) -> Result<Option<Vec<u8>>, Failure> {
        match self.event(stop)? {
            Event::Bytes(bytes) => Ok(Some(bytes)),
            Event::End => Ok(None),
            Event::Broken(failure) => Err(failure),
            Event::Head(_) => Err(silent()),
        }
    }

    fn event(&self, stop: &Stop) -> Result<Event, Failure> {
        loop {
            stop.check().map_err(Failure::Final)?;
            match self.events.recv_timeout(GLANCE) {
                Ok(event) => return Ok(event),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(silent()),
            }
        }
    }
}

fn silent() -> Failure {
    Failure::Again(Failure::unavailable("the connection ended"))
}

fn talk(address: &Address, ask: &Ask, network: &Network, events: &SyncSender<Event>) {
    let last = match super::open(address, ask, network) {
        Ok((head, body)) => match events.send(Event::Head(head)) {
            Ok(()) => pump(body, events),
            Err(_) => return,
        },
        Err(failure) => Event::Broken(failure),
    };
    // Nobody may listen any more: then nobody wants to know.
    let _ = events.send(last);
}

fn pump(mut body: Body, events: &SyncSender<Event>) -> Event {
    loop {
        let mut bytes = vec![0; CHUNK];
        match fill(&mut body, &mut bytes) {
            (0, Ok(())) => return Event::End,
            (n, outcome) => {
                bytes.truncate(n);
                if n > 0 && events.send(Event::Bytes(bytes)).is_err() {
                    return Event::End;
                }
                if let Err(error) = outcome {
                    return Event::Broken(Failure::Again(super::broken(&error)));
                }
            }
        }
    }
}

/// Reads at least a quarter of the buffer where there is as much: a chunk for each packet would be slow.
fn fill(body: &mut Body, buffer: &mut [u8]) -> (usize, std::io::Result<()>) {
    let mut filled = 0;
    while filled < buffer.len() / 4 {
        match body.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return (filled, Err(error)),
        }
    }
    (filled, Ok(()))
}
