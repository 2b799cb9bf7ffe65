//! Follows a program to its end: what it prints line by line, in bounded memory, and its death when it is no
//! longer wanted. It does not know what the program is for.

use std::io::{self, PipeReader, Read};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use duct::Handle;
use rustix::process::{Pid, Signal, kill_process_group};

/// How much of standard output is kept, in bytes.
const KEPT_OUTPUT: usize = 4 << 20;

/// How much of standard error is kept, in bytes.
const KEPT_ERROR: usize = 64 << 10;

/// A longer line is broken, in bytes.
const LINE: usize = 4 << 10;

/// How often somebody who says nothing is asked whether to go on.
const ASK: Duration = Duration::from_millis(100);

/// How long a program that is no longer wanted has to tidy up.
const PATIENCE: Duration = Duration::from_secs(10);

/// Which of a program's two outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Output,
    Error,
}

/// Somebody who follows a program.
pub(crate) trait Listener {
    /// A line, without its end.
    fn line(&mut self, stream: Stream, line: &[u8]);

    /// Whether the program is not wanted any more: it and what it started are ended.
    fn gave_up(&self) -> bool;
}

/// Nobody.
pub(crate) struct Nobody;

impl Listener for Nobody {
    fn line(&mut self, _: Stream, _: &[u8]) {}

    fn gave_up(&self) -> bool {
        false
    }
}

type Chunk = (Stream, io::Result<Vec<u8>>);

/// Reads both outputs to their ends; the last of each.
pub(crate) fn follow(
    handle: &Handle,
    output: PipeReader,
    error: PipeReader,
    listener: &mut dyn Listener,
) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let (sender, chunks) = mpsc::sync_channel(16);
    let other = sender.clone();
    // They end with their pipes, or when nobody wants what they read.
    thread::spawn(move || pass_on(output, Stream::Output, &sender));
    thread::spawn(move || pass_on(error, Stream::Error, &other));
    let (mut output, mut error) = (Kept::new(KEPT_OUTPUT), Kept::new(KEPT_ERROR));
    let mut ending = None;
    while let Some(chunk) = next(&chunks) {
        if let Some((stream, bytes)) = chunk {
            let kept = if stream == Stream::Output { &mut output } else { &mut error };
            kept.take(&bytes?, |line| listener.line(stream, line));
        }
        if listener.gave_up() && end(handle, &mut ending) {
            break;
        }
    }
    let output = output.finish(|line| listener.line(Stream::Output, line));
    Ok((output, error.finish(|line| listener.line(Stream::Error, line))))
}

/// The next chunk, or nothing for a while; `None` at the end of both.
fn next(chunks: &Receiver<Chunk>) -> Option<Option<Chunk>> {
    match chunks.recv_timeout(ASK) {
        Ok(chunk) => Some(Some(chunk)),
        Err(RecvTimeoutError::Timeout) => Some(None),
        Err(RecvTimeoutError::Disconnected) => None,
    }
}

fn pass_on(mut reader: PipeReader, stream: Stream, to: &SyncSender<Chunk>) {
    let mut buffer = vec![0_u8; 64 << 10];
    loop {
        let chunk = match reader.read(&mut buffer) {
            Ok(0) => return,
            Ok(length) => Ok(buffer[..length].to_vec()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let is_last = chunk.is_err();
        if to.send((stream, chunk)).is_err() || is_last {
            return;
        }
    }
}

/// Asks the program and all of its group to end, then makes them. Whether there is nothing left to wait for.
fn end(handle: &Handle, ending: &mut Option<Instant>) -> bool {
    let signal = |signal| {
        let group = handle.pids().first().and_then(|&pid| Pid::from_raw(pid.try_into().ok()?));
        // One that has ended already cannot be told.
        group.is_some_and(|group| kill_process_group(group, signal).is_ok())
    };
    match ending {
        None => {
            *ending = Some(Instant::now());
            !signal(Signal::TERM)
        }
        Some(since) if since.elapsed() > PATIENCE => {
            signal(Signal::KILL);
            true
        }
        Some(_) => false,
    }
}

/// The last of a stream, and the line that is not complete yet.
pub(crate) struct Kept {
    limit: usize,
    bytes: Vec<u8>,
    line: Vec<u8>,
}

impl Kept {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, bytes: vec![], line: vec![] }
    }

    pub(crate) fn take(&mut self, bytes: &[u8], mut tell: impl FnMut(&[u8])) {
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() > 2 * self.limit {
            self.trim();
        }
        for &byte in bytes {
            if matches!(byte, b'\n' | b'\r') {
                self.tell(&mut tell);
                continue;
            }
            self.line.push(byte);
            if self.line.len() == LINE {
                self.tell(&mut tell);
            }
        }
    }

    pub(crate) fn tell(&mut self, tell: &mut dyn FnMut(&[u8])) {
        if !self.line.is_empty() {
            tell(&self.line);
            self.line.clear();
        }
    }

    fn trim(&mut self) {
        let excess = self.bytes.len().saturating_sub(self.limit);
        self.bytes.drain(..excess);
    }

    fn finish(mut self, mut tell: impl FnMut(&[u8])) -> Vec<u8> {
        self.tell(&mut tell);
        self.trim();
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_is_kept_and_lines_are_told_once() {
        let (mut kept, mut lines) = (Kept::new(8), vec![]);
        for chunk in ["one\ntw", "o\r\nthr", "ee"] {
            kept.take(chunk.as_bytes(), |line| lines.push(String::from_utf8_lossy(line).into_owned()));
        }
        let last = kept.finish(|line| lines.push(String::from_utf8_lossy(line).into_owned()));
        assert_eq!(lines, ["one", "two", "three"]);
        assert_eq!(last, b"o\r\nthree");
    }

    #[test]
    fn a_line_without_end_is_broken() {
        let (mut kept, mut lengths) = (Kept::new(1 << 20), vec![]);
        kept.take(&vec![b'x'; 2 * LINE + 1], |line| lengths.push(line.len()));
        kept.finish(|line| lengths.push(line.len()));
        assert_eq!(lengths, [LINE, LINE, 1]);
    }
}
