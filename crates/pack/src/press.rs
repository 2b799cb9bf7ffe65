//! Compresses frames on as many threads as there are processors, and writes them in their order on one more. It knows
//! frames, not what they hold.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, Scope, ScopedJoinHandle};

use qchroot_api::{Error, ErrorKind, Part, Result};
use sha2::{Digest, Sha256};
use zstd::bulk::Compressor;
use zstd::zstd_safe::CParameter;

use crate::archive::Written;
use crate::seal;

/// The level of zstd(1) that tar(1) uses, too.
const LEVEL: i32 = 3;
/// More threads than this would wait for the disk.
const MOST_THREADS: usize = 8;

/// A frame before and after.
type Pressed = Result<Vec<u8>>;

/// The threads.
pub(crate) struct Press<'scope> {
    workers: Vec<SyncSender<Vec<u8>>>,
    /// The worker that comes next.
    turn: usize,
    writer: Option<ScopedJoinHandle<'scope, Result<Output<'scope>>>>,
}

impl<'scope> Press<'scope> {
    pub(crate) fn start(scope: &'scope Scope<'scope, '_>, output: Output<'scope>) -> Self {
        let count = thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
        let (mut workers, mut results) = (vec![], vec![]);
        for _ in 0..count {
            let (worker, frames) = sync_channel::<Vec<u8>>(1);
            let (done, result) = sync_channel::<Pressed>(1);
            scope.spawn(move || work(&frames, &done));
            workers.push(worker);
            results.push(result);
        }
        Self { workers, turn: 0, writer: Some(scope.spawn(move || write_all(&results, output))) }
    }

    /// Hands over a frame.
    ///
    /// # Errors
    /// Why the other threads have ended, when they have.
    pub(crate) fn send(&mut self, frame: Vec<u8>) -> Result<()> {
        let worker = self.turn % self.workers.len().max(1);
        self.turn += 1;
        let sent = self.workers.get(worker).is_some_and(|worker| worker.send(frame).is_ok());
        if sent { Ok(()) } else { self.finish().map(drop) }
    }

    /// Waits until everything is written. Closing the queues ends the threads one after the other.
    pub(crate) fn finish(&mut self) -> Result<Output<'scope>> {
        self.workers.clear();
        let died = || Error::new(ErrorKind::Internal, "the writing thread died");
        let writer = self.writer.take().ok_or_else(died)?;
        writer.join().map_err(|_| died())?
    }
}

/// Compresses until no more frames come, or nobody wants them.
fn work(frames: &Receiver<Vec<u8>>, done: &SyncSender<Pressed>) {
    let mut compressor = compressor();
    while let Ok(frame) = frames.recv() {
        let pressed = match &mut compressor {
            Ok(compressor) => compressor.compress(&frame).map_err(|error| cannot_compress(&error)),
            Err(error) => Err(error.clone()),
        };
        if done.send(pressed).is_err() {
            return;
        }
    }
}

fn compressor() -> Result<Compressor<'static>> {
    let make = || {
        let mut compressor = Compressor::new(LEVEL)?;
        compressor.set_parameter(CParameter::ChecksumFlag(true))?;
        Ok(compressor)
    };
    make().map_err(|error: std::io::Error| cannot_compress(&error))
}

fn cannot_compress(error: &std::io::Error) -> Error {
    Error::new(ErrorKind::Internal, "cannot compress").cause(error)
}

/// Each worker in its turn, until the one whose turn it is has no more.
fn write_all<'a>(results: &[Receiver<Pressed>], mut output: Output<'a>) -> Result<Output<'a>> {
    for result in results.iter().cycle() {
        match result.recv() {
            Ok(frame) => output.write(&frame?)?,
            Err(_) => break,
        }
    }
    Ok(output)
}

/// The file that is written, and the digest of what stands in it.
pub(crate) struct Output<'a> {
    part: &'a mut dyn Part,
    hash: Sha256,
    bytes: u64,
    kept: u64,
}

impl<'a> Output<'a> {
    pub(crate) fn of(part: &'a mut dyn Part) -> Self {
        Self { part, hash: Sha256::new(), bytes: 0, kept: 0 }
    }

    pub(crate) fn part(&mut self) -> &mut dyn Part {
        self.part
    }

    /// Counts what stands there already.
    pub(crate) fn keep(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        self.kept = self.bytes;
    }

    /// Cuts off what was not kept.
    pub(crate) fn cut(&mut self) -> Result<()> {
        self.part.cut(self.bytes).map_err(|error| cannot_write(&error))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.part.write_all(bytes).map_err(|error| cannot_write(&error))?;
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Writes the seal; afterwards all is on disk.
    pub(crate) fn seal(mut self) -> Result<Written> {
        self.write(&seal::bytes(&self.hash.clone().finalize()))?;
        self.part.settle().map_err(|error| cannot_write(&error))?;
        Ok(Written { bytes: self.bytes, sha256: seal::hex(&self.hash.finalize()), kept: self.kept })
    }
}

fn cannot_write(error: &std::io::Error) -> Error {
    Error::from_io(error, "cannot write the export")
}
