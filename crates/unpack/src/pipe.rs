//! The second thread: reads, hashes and decompresses ahead of whoever extracts. It knows bytes, not archives.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Scope, ScopedJoinHandle};

use qchroot_api::{Error, ErrorKind, Result};
use sha2::{Digest, Sha256};

use crate::Limits;
use crate::compression::Decompressed;

/// Bytes handed over at a time.
const CHUNK: usize = 256 << 10;
/// Chunks that may wait to be extracted.
const AHEAD: usize = 8;

/// SHA-256 of everything `input` has, in lower-case hex, and how many bytes that was.
///
/// # Errors
/// What reading said.
pub fn sha256(input: impl Read) -> io::Result<(String, u64)> {
    let mut hashing = Hashing::new(input);
    io::copy(&mut hashing, &mut io::sink())?;
    Ok(hashing.result())
}

/// What was read of the input in all.
pub(crate) struct WasRead {
    pub(crate) sha256: String,
    pub(crate) bytes: u64,
}

/// Starts the thread.
pub(crate) fn start<'scope, R: Read + Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    input: R,
    limits: &Limits,
) -> (Stream, ScopedJoinHandle<'scope, WasRead>) {
    let (sender, chunks) = sync_channel(AHEAD);
    let (spent, again) = sync_channel(AHEAD);
    let count = Arc::new(AtomicU64::new(0));
    let limits = *limits;
    let mut hashing = Hashing::counting(input, Arc::clone(&count));
    let thread = scope.spawn(move || {
        if let Err(error) = pump(&mut hashing, &sender, &again, &limits) {
            // Nobody listens any more: then nobody wants to know either.
            let _ = sender.send(Err(error));
        }
        let (sha256, bytes) = hashing.result();
        WasRead { sha256, bytes }
    });
    (Stream { chunks, spent, chunk: Vec::new(), at: 0, count, fault: None }, thread)
}

fn pump<R: Read>(
    input: &mut Hashing<R>,
    sender: &SyncSender<Result<Vec<u8>>>,
    again: &Receiver<Vec<u8>>,
    limits: &Limits,
) -> Result<()> {
    let count = Arc::clone(&input.count);
    let mut bytes = Decompressed::new(input, CHUNK).map_err(|e| read_error(&e))?;
    let mut after = 0;
    loop {
        // Memory that was used before costs no page faults.
        let mut chunk = again.try_recv().unwrap_or_else(|_| Vec::with_capacity(CHUNK));
        chunk.clear();
        let outcome = bytes.by_ref().take(CHUNK as u64).read_to_end(&mut chunk);
        after += chunk.len() as u64;
        limits.check_stream(count.load(Ordering::Relaxed), after)?;
        let at_end = chunk.is_empty();
        let nobody_listens = sender.send(Ok(chunk)).is_err();
        outcome.map_err(|e| read_error(&e))?;
        if at_end || nobody_listens {
            return Ok(());
        }
    }
}

/// Errors of ours come through whole. The system's have a number; those of decoders do not.
fn read_error(error: &io::Error) -> Error {
    if let Some(ours) = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        return ours.clone();
    }
    if error.raw_os_error().is_some() {
        return Error::from_io(error, "cannot read the archive");
    }
    Error::new(ErrorKind::BadData, "compressed data is damaged or cut off").cause(error)
}

/// Hashes and counts what is read through it.
pub struct Hashing<R> {
    input: R,
    hash: Sha256,
    count: Arc<AtomicU64>,
}

impl<R: Read> Hashing<R> {
    /// Reads from `input`.
    pub fn new(input: R) -> Self {
        Self::counting(input, Arc::default())
    }

    /// SHA-256 of what has passed, in lower-case hex.
    #[must_use]
    pub fn sha256(self) -> String {
        self.result().0
    }

    fn counting(input: R, count: Arc<AtomicU64>) -> Self {
        Self { input, hash: Sha256::new(), count }
    }

    fn result(self) -> (String, u64) {
        let hex = self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        (hex, self.count.load(Ordering::Relaxed))
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.input.read(buffer)?;
        self.hash.update(&buffer[..n]);
        self.count.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

/// The decompressed bytes, as the extracting side reads them. A fault of the other thread's is kept whole beside
/// the `io::Error` that `Read` has to make of it.
pub(crate) struct Stream {
    chunks: Receiver<Result<Vec<u8>>>,
    spent: SyncSender<Vec<u8>>,
    chunk: Vec<u8>,
    at: usize,
    count: Arc<AtomicU64>,
    fault: Option<Error>,
}

impl Stream {
    /// Bytes of the input read so far.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// Why reading failed, if it did.
    pub(crate) fn fault(&self) -> Option<&Error> {
        self.fault.as_ref()
    }

    /// Reads until `buffer` is full or the bytes end; how many there were.
    pub(crate) fn fill(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.read(&mut buffer[filled..])? {
                0 => break,
                n => filled += n,
            }
        }
        Ok(filled)
    }

    /// Records that the bytes ended where more were promised.
    pub(crate) fn cut_off(&mut self) -> io::Error {
        self.fault.get_or_insert_with(|| Error::new(ErrorKind::BadData, "archive is cut off"));
        io::ErrorKind::UnexpectedEof.into()
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.chunk.len() {
            match self.chunks.recv() {
                Ok(Ok(chunk)) => {
                    // When the other thread has ended, or has enough, the memory is given up.
                    let _ = self.spent.try_send(std::mem::replace(&mut self.chunk, chunk));
                    self.at = 0;
                }
                Ok(Err(error)) => self.fault = Some(error),
                Err(_) => break,
            }
        }
        if let Some(fault) = &self.fault {
            return Err(io::Error::other(fault.to_string()));
        }
        let n = buffer.len().min(self.chunk.len() - self.at);
        buffer[..n].copy_from_slice(&self.chunk[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}
