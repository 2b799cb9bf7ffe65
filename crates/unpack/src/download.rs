//! The bytes of one file from its mirrors in order, taken up where they broke off. It knows how to tell that two
//! mirrors, or one mirror twice, mean the same file; it does not know what is done with the bytes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use qchroot_api::{Error, ErrorKind, Result};

use crate::blame::Blame;
use crate::net::{Ask, Connection, Failure, Head, Network, Stop};
use crate::{Address, Wanted};

/// An attempt that brings as much does not count.
const GAIN: u64 = 1 << 20;
/// Attempts at a mirror that has not answered even once.
const FIRST_TRIES: u32 = 2;

/// What a mirror said of the file when it was asked last.
struct Seen {
    mirror: usize,
    total: Option<u64>,
    version: Option<String>,
}

/// A file on its way.
pub(crate) struct Download<'a> {
    wanted: &'a Wanted,
    mirrors: Vec<&'a Address>,
    network: Arc<Network>,
    stop: Stop,
    /// Bytes that were handed out, or that somebody has from before.
    at: u64,
    connection: Option<Connection>,
    /// Bytes of this connection that were handed out before.
    skip: u64,
    mirror: usize,
    tries: u32,
    gained: u64,
    seen: Option<Seen>,
    blame: Blame,
}

impl<'a> Download<'a> {
    /// Begins after the first `at` bytes, which only a known digest allows.
    pub(crate) fn new(wanted: &'a Wanted, at: u64, network: Arc<Network>, stop: Stop) -> Self {
        let mirrors = wanted.mirrors.iter().filter(|mirror| mirror.path().is_none()).collect();
        Self {
            wanted,
            mirrors,
            network,
            stop,
            at,
            connection: None,
            skip: 0,
            mirror: 0,
            tries: 0,
            gained: 0,
            seen: None,
            blame: Blame::default(),
        }
    }

    /// The next bytes; none at the end of the file.
    ///
    /// # Errors
    /// With a cause for each mirror, when none of them can go on.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<u8>>> {
        loop {
            match self.step() {
                Ok(Some(bytes)) if bytes.is_empty() => {}
                Ok(bytes) => return Ok(bytes),
                Err(failure) => {
                    self.connection = None;
                    self.after(failure)?;
                }
            }
        }
    }

    fn step(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        if self.wanted.size.is_some_and(|size| size == self.at) && self.connection.is_none() {
            return Ok(None);
        }
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect()?,
        };
        let bytes = connection.next(&self.stop)?;
        self.connection = Some(connection);
        match bytes {
            Some(bytes) => self.take(bytes).map(Some),
            None => self.end().map(|()| None),
        }
    }

    fn connect(&mut self) -> Result<Connection, Failure> {
        let Some(&mirror) = self.mirrors.get(self.mirror) else {
            return Err(Failure::Final(self.blame.error(&self.wanted.name)));
        };
        let seen = self.seen.as_ref().filter(|seen| seen.mirror == self.mirror);
        let unless_changed = seen.and_then(|seen| seen.version.clone());
        let ask = Ask { from: self.at, unless_changed, headers: self.wanted.headers.clone() };
        let (head, connection) = Connection::open(mirror, &ask, &self.network, &self.stop)?;
        self.admit(&head)?;
        self.skip = self.at - head.at;
        self.seen = Some(Seen { mirror: self.mirror, total: head.total, version: head.version });
        Ok(connection)
    }

    /// Refuses what is not the rest of the same file.
    fn admit(&self, head: &Head) -> Result<(), Failure> {
        if let (Some(total), Some(size)) = (head.total, self.wanted.size)
            && total != size
        {
            return Err(Failure::Mirror(bad(format!("it has {total} bytes there, expected are {size}"))));
        }
        if head.at > self.at {
            return Err(Failure::Mirror(bad("sends another part of the file than it was asked for")));
        }
        let before = self.seen.as_ref().filter(|seen| seen.mirror == self.mirror);
        match before {
            _ if self.at == 0 => Ok(()),
            Some(seen) if differs(&seen.version, &head.version) || differs(&seen.total, &head.total) => {
                Err(self.cannot_go_on(bad("it changed while it was being fetched")))
            }
            _ if self.wanted.sha256.is_some() => Ok(()),
            Some(seen) if seen.version.is_some() && seen.version == head.version => Ok(()),
            _ => {
                let why = "it cannot be taken up where it broke off: the server does not say whether it has \
                           changed since";
                Err(self.cannot_go_on(Failure::unavailable(why)))
            }
        }
    }

    /// With a digest, another mirror may have the rest of the right file; without one, nobody could tell.
    fn cannot_go_on(&self, error: Error) -> Failure {
        if self.wanted.sha256.is_some() {
            return Failure::Mirror(error);
        }
        let mut blame = Blame::default();
        blame.add(self.mirrors[self.mirror], error);
        Failure::Final(blame.error(&self.wanted.name))
    }

    /// Drops what was handed out before, and refuses what is too much.
    fn take(&mut self, mut bytes: Vec<u8>) -> Result<Vec<u8>, Failure> {
        let known = usize::try_from(self.skip).unwrap_or(usize::MAX).min(bytes.len());
        self.skip -= known as u64;
        bytes.drain(..known);
        let end = self.at + bytes.len() as u64;
        if let Some(size) = self.wanted.size.filter(|&size| end > size) {
            return Err(Failure::Mirror(bad(format!("sends more than the expected {size} bytes"))));
        }
        self.at = end;
        self.gained += bytes.len() as u64;
        Ok(bytes)
    }

    fn end(&self) -> Result<(), Failure> {
        let told = self.seen.as_ref().and_then(|seen| seen.total);
        match self.wanted.size.or(told).filter(|&size| self.at < size) {
            _ if self.skip > 0 => Err(Failure::Mirror(bad("is shorter than what was sent before"))),
            Some(size) => {
                let why = format!("it ended after {} of {size} bytes", self.at);
                Err(Failure::Again(bad(why)))
            }
            None => Ok(()),
        }
    }

    /// Waits for the next attempt, or goes on to the next mirror.
    fn after(&mut self, failure: Failure) -> Result<()> {
        let (error, again) = match failure {
            Failure::Final(error) => return Err(error),
            Failure::Mirror(error) => (error, false),
            Failure::Again(error) => (error, true),
        };
        let answered = self.seen.as_ref().is_some_and(|seen| seen.mirror == self.mirror);
        self.blame.add(self.mirrors[self.mirror], error);
        self.tries = if self.gained >= GAIN { 1 } else { self.tries + 1 };
        self.gained = 0;
        let patience = self.network.patience;
        let allowed = if answered { patience.tries } else { patience.tries.min(FIRST_TRIES) };
        if again && self.tries < allowed {
            return pause(patience.pause * self.tries, &self.stop);
        }
        (self.mirror, self.tries) = (self.mirror + 1, 0);
        Ok(())
    }
}

/// Whether both are known and not the same.
fn differs<T: PartialEq>(before: &Option<T>, now: &Option<T>) -> bool {
    matches!((before, now), (Some(before), Some(now)) if before != now)
}

fn pause(length: Duration, stop: &Stop) -> Result<()> {
    let until = Instant::now() + length;
    loop {
        stop.check()?;
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        std::thread::sleep(left.min(Duration::from_millis(50)));
    }
}

fn bad(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::BadData, message)
}
