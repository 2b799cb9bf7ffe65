//! A file of the host's as a stream, for who may only observe. It knows nothing of what is in the file.

use std::io::{self, Cursor, Read};

use qchroot_api::camino::Utf8Path;
use qchroot_api::{Observe, Place, Result};

/// Bytes asked for at a time.
const PIECE: u64 = 1 << 20;

/// Reads a regular file from its beginning, through the host's read-only view.
pub struct HostFile<'a> {
    host: &'a dyn Observe,
    place: Place,
    offset: u64,
    piece: Cursor<Vec<u8>>,
}

impl<'a> HostFile<'a> {
    /// The file `path`; links are followed.
    ///
    /// # Errors
    /// Not found, or bad data for what is no regular file.
    pub fn open(path: &Utf8Path, host: &'a dyn Observe) -> Result<Self> {
        let place = Place::host(path);
        host.bytes(&place, 0, 1)?;
        Ok(Self { host, place, offset: 0, piece: Cursor::default() })
    }
}

impl Read for HostFile<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.piece.read(buffer)?;
        if n > 0 || buffer.is_empty() {
            return Ok(n);
        }
        let piece = self.host.bytes(&self.place, self.offset, PIECE).map_err(io::Error::other)?;
        self.offset += piece.len() as u64;
        self.piece = Cursor::new(piece);
        self.piece.read(buffer)
    }
}
