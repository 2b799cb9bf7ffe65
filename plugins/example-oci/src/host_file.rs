//! A file of the host's, read through the host's own eyes, so that it can be read while a release is being resolved.

use std::io::{self, Read, Seek, SeekFrom};

use qchroot_plugin::{Observe, Place};

/// Bytes that are asked for at a time.
const CHUNK: u64 = 256 << 10;

/// An open file.
pub(crate) struct HostFile<'a> {
    host: &'a dyn Observe,
    place: Place,
    at: u64,
    chunk: Vec<u8>,
    /// Where in the file the chunk begins.
    from: u64,
}

impl<'a> HostFile<'a> {
    pub(crate) fn new(place: Place, host: &'a dyn Observe) -> Self {
        Self { host, place, at: 0, chunk: vec![], from: 0 }
    }
}

impl Read for HostFile<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let within = |file: &Self| {
            file.at
                .checked_sub(file.from)
                .and_then(|n| usize::try_from(n).ok())
                .filter(|&n| n < file.chunk.len())
        };
        if within(self).is_none() {
            self.chunk = self.host.bytes(&self.place, self.at, CHUNK).map_err(io::Error::other)?;
            self.from = self.at;
        }
        let Some(start) = within(self) else { return Ok(0) };
        let n = buffer.len().min(self.chunk.len() - start);
        buffer[..n].copy_from_slice(&self.chunk[start..start + n]);
        self.at += n as u64;
        Ok(n)
    }
}

impl Seek for HostFile<'_> {
    /// From the start or from here: nothing looks for the end.
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(_) => None,
        };
        self.at = target.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}
