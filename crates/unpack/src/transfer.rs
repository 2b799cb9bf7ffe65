//! One file on its way from the network into the cache, read by somebody else meanwhile. It knows nothing of
//! what the file holds.
//!
//! One thread downloads, hashes and writes; another reads the same bytes behind it through a [`Tail`]. When the
//! cache cannot take any more, the bytes go from the one to the other directly.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use qchroot_api::camino::Utf8PathBuf;
use qchroot_api::{Error, ErrorKind, Result};
use sha2::{Digest, Sha256};

use crate::Wanted;
use crate::cache::{Cache, Partial, digest_of, hex};
use crate::download::Download;
use crate::net::{Network, Stop};

/// How often a waiting thread looks whether it should stop.
const GLANCE: Duration = Duration::from_millis(50);
/// Chunks that wait for the reader when there is no file.
const DIRECT: usize = 4;

#[derive(Default)]
struct State {
    /// Where the first `written` bytes can be read.
    file: Option<Arc<File>>,
    written: u64,
    /// What comes behind those.
    direct: VecDeque<Vec<u8>>,
    /// Set at the end: where the file lies now, if it was kept.
    outcome: Option<Result<Option<Utf8PathBuf>>>,
    /// The content turned out to be bad.
    spoiled: bool,
}

/// One file on its way.
pub(crate) struct Transfer<'a> {
    pub(crate) wanted: &'a Wanted,
    cache: Cache,
    network: Arc<Network>,
    stop: Stop,
    /// There is a second thread; without one, the file has to be kept.
    has_reader: bool,
    state: Mutex<State>,
    changed: Condvar,
}

impl<'a> Transfer<'a> {
    /// A file that nobody reads before it is there, whole and kept.
    pub(crate) fn new(wanted: &'a Wanted, cache: Cache, network: Arc<Network>, stop: Stop) -> Self {
        let (state, changed) = (Mutex::default(), Condvar::new());
        Self { wanted, cache, network, stop, has_reader: false, state, changed }
    }

    /// The same, for somebody who reads it through [`Transfer::tail`].
    pub(crate) fn with_reader(mut self) -> Self {
        self.has_reader = true;
        self
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changed.notify_all();
    }

    /// Waits until something may have changed.
    fn wait<'s>(&self, state: MutexGuard<'s, State>) -> MutexGuard<'s, State> {
        self.changed.wait_timeout(state, GLANCE).unwrap_or_else(PoisonError::into_inner).0
    }

    /// Does the work of the first thread, to the end.
    pub(crate) fn run(&self) {
        let outcome = self.cached().and_then(|found| match found {
            Some(path) => Ok(Some(path)),
            None => self.fetch(),
        });
        self.change(|state| state.outcome = Some(outcome));
    }

    /// Says that the content is bad, so that it is not kept.
    pub(crate) fn spoil(&self) {
        self.change(|state| state.spoiled = true);
    }

    /// What reads behind the first thread.
    pub(crate) fn tail(&self) -> Tail<'_> {
        Tail { transfer: self, at: 0, chunk: Vec::new(), used: 0 }
    }

    /// Waits for the end; `look` is told the bytes so far, now and then.
    pub(crate) fn finish(&self, look: &mut dyn FnMut(u64)) -> Result<Utf8PathBuf> {
        let mut state = self.state();
        loop {
            look(state.written);
            if let Some(outcome) = state.outcome.clone() {
                let unkept = || Error::new(ErrorKind::Internal, "the file was not kept");
                return outcome.and_then(|path| path.ok_or_else(unkept));
            }
            state = self.wait(state);
        }
    }

    fn cached(&self) -> Result<Option<Utf8PathBuf>> {
        let Some(sha256) = &self.wanted.sha256 else { return Ok(None) };
        let Some((file, length)) = self.cache.find(sha256, &self.stop)? else { return Ok(None) };
        self.change(|state| (state.file, state.written) = (Some(Arc::new(file)), length));
        Ok(Some(self.cache.entry(sha256)))
    }

    fn fetch(&self) -> Result<Option<Utf8PathBuf>> {
        let name = self.wanted.sha256.clone().unwrap_or_else(|| self.name_of_address());
        let partial = match self.cache.partial(&name, &self.stop) {
            Ok(partial) => partial,
            Err(error) => {
                self.stop.check()?;
                return if self.has_reader { self.receive(None, Sha256::new(), 0) } else { Err(error) };
            }
        };
        // Somebody else may have fetched it while we waited for the lock.
        if let Some(found) = self.cached()? {
            partial.discard();
            return Ok(Some(found));
        }
        let (hash, at) = self.take_up(&partial)?;
        let file = Some(Arc::clone(&partial.file));
        self.change(|state| (state.file, state.written) = (file, at));
        let outcome = self.receive(Some(&partial), hash, at);
        if let Err(error) = &outcome {
            let bad = error.kind() == ErrorKind::BadData || self.state().spoiled;
            if bad || self.wanted.sha256.is_none() { partial.discard() } else { partial.release() }
        }
        outcome
    }

    /// What an earlier run left, hashed; without a digest to compare with at the end, nothing.
    fn take_up(&self, partial: &Partial) -> Result<(Sha256, u64)> {
        let told =
            |e: &io::Error| Error::from_io(e, format!("cannot read what is there of {}", self.wanted.name));
        let length = partial.file.metadata().map_err(|e| told(&e))?.len();
        let too_long = self.wanted.size.is_some_and(|size| length > size);
        if self.wanted.sha256.is_none() || too_long {
            partial.file.set_len(0).map_err(|e| told(&e))?;
        }
        let hashed = digest_of(&partial.file, &self.stop);
        hashed.map_err(|e| self.stop.check().err().unwrap_or_else(|| told(&e)))
    }

    fn receive(&self, partial: Option<&Partial>, mut hash: Sha256, at: u64) -> Result<Option<Utf8PathBuf>> {
        let mut partial = partial;
        let mut download = Download::new(self.wanted, at, Arc::clone(&self.network), self.stop.clone());
        let mut written = at;
        while let Some(bytes) = download.next()? {
            hash.update(&bytes);
            if let Some(kept) = partial {
                match kept.file.write_all_at(&bytes, written) {
                    Ok(()) => {
                        written += bytes.len() as u64;
                        self.change(|state| state.written = written);
                        continue;
                    }
                    Err(error) if !self.has_reader => {
                        return Err(Error::from_io(&error, format!("cannot keep {}", self.wanted.name)));
                    }
                    // The disk is full, or worse. Who reads may still get to the end.
                    Err(_) => kept.discard(),
                }
                partial = None;
            }
            self.hand_over(bytes)?;
        }
        self.settle(partial, hex(hash))
    }

    /// Gives bytes to the reader, when there is room.
    fn hand_over(&self, bytes: Vec<u8>) -> Result<()> {
        let mut state = self.state();
        while state.direct.len() >= DIRECT {
            self.stop.check()?;
            state = self.wait(state);
        }
        state.direct.push_back(bytes);
        drop(state);
        self.changed.notify_all();
        Ok(())
    }

    fn settle(&self, partial: Option<&Partial>, sha256: String) -> Result<Option<Utf8PathBuf>> {
        if let Some(expected) = self.wanted.sha256.as_ref().filter(|expected| **expected != sha256) {
            return Err(wrong_digest(&self.wanted.name, expected, &sha256));
        }
        match partial {
            Some(partial) if !self.state().spoiled => self.cache.keep(partial, &sha256).map(Some),
            _ => Ok(None),
        }
    }

    /// Where no digest is known, a file is on its way under the digest of its address, without secrets.
    fn name_of_address(&self) -> String {
        let mut hash = Sha256::new();
        self.wanted.mirrors.iter().for_each(|mirror| hash.update(format!("{}\n", mirror.shown())));
        format!("address-{}", hex(hash))
    }
}

/// The digest is not the one that it must be.
pub(crate) fn wrong_digest(name: &str, expected: &str, found: &str) -> Error {
    Error::new(ErrorKind::BadData, format!("{name} has the SHA-256 {found}, expected is {expected}")).hint(
        "what was fetched is thrown away; if it happens again, the mirror has another file or a bad one",
    )
}

/// Reads behind the thread that downloads. An error of that thread's arrives whole inside the `io::Error`.
pub(crate) struct Tail<'t> {
    transfer: &'t Transfer<'t>,
    at: u64,
    chunk: Vec<u8>,
    used: usize,
}

enum Next {
    InFile(Arc<File>, usize),
    Chunk(Vec<u8>),
    End,
}

impl Tail<'_> {
    fn next(&self, most: usize) -> Result<Next> {
        let mut state = self.transfer.state();
        loop {
            self.transfer.stop.check()?;
            let ready =
                usize::try_from(state.written.saturating_sub(self.at)).unwrap_or(usize::MAX).min(most);
            if let Some(file) = state.file.as_ref().filter(|_| ready > 0) {
                return Ok(Next::InFile(Arc::clone(file), ready));
            }
            if let Some(chunk) = state.direct.pop_front() {
                // Nobody needs the file any more: with this, its space is free.
                state.file = None;
                self.transfer.changed.notify_all();
                return Ok(Next::Chunk(chunk));
            }
            match &state.outcome {
                Some(Ok(_)) => return Ok(Next::End),
                Some(Err(error)) => return Err(error.clone()),
                None => state = self.transfer.wait(state),
            }
        }
    }
}

impl Read for Tail<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.used == self.chunk.len() {
            match self.next(buffer.len()).map_err(io::Error::other)? {
                Next::InFile(file, ready) => {
                    let n = file.read_at(&mut buffer[..ready], self.at)?;
                    if n == 0 {
                        return Err(io::Error::other(Error::new(ErrorKind::Io, "the cache was cut short")));
                    }
                    self.at += n as u64;
                    return Ok(n);
                }
                Next::Chunk(chunk) => (self.chunk, self.used) = (chunk, 0),
                Next::End => return Ok(0),
            }
        }
        let n = buffer.len().min(self.chunk.len() - self.used);
        buffer[..n].copy_from_slice(&self.chunk[self.used..self.used + n]);
        self.used += n;
        self.at += n as u64;
        Ok(n)
    }
}
