//! The content of one entry, holes of sparse files filled with zeros. It knows maps of holes and the 512-byte
//! blocks of an archive.

use std::io::{self, Read};

use qchroot_api::{Error, ErrorKind, Result};

use crate::pipe::Stream;

/// Length of a block in bytes (tar(5)).
pub(crate) const BLOCK: u64 = 512;
/// Pieces a sparse file may have: what 16 MiB hold.
const PIECES: usize = 1 << 20;

/// A hole and the data behind it, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece {
    hole: u64,
    data: u64,
}

/// How the stored bytes of a file lie in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Map {
    pieces: Vec<Piece>,
    size: u64,
    stored: u64,
}

impl Map {
    /// A file without holes.
    pub(crate) fn whole(size: u64) -> Self {
        Self { pieces: vec![Piece { hole: 0, data: size }], size, stored: size }
    }

    /// A sparse file of `size` bytes from offsets and lengths of its data, `stored` bytes in all.
    ///
    /// # Errors
    /// Bad data for data out of order, beyond the end, or not adding up.
    pub(crate) fn sparse(data: &[(u64, u64)], size: u64, stored: u64) -> Result<Self> {
        let wrong = || Error::new(ErrorKind::BadData, "the map of a sparse file does not fit the file");
        let (mut pieces, mut end, mut sum) = (Vec::new(), 0_u64, 0_u64);
        for &(offset, length) in data {
            pieces.push(Piece { hole: offset.checked_sub(end).ok_or_else(wrong)?, data: length });
            end = offset.checked_add(length).ok_or_else(wrong)?;
            sum = sum.checked_add(length).ok_or_else(wrong)?;
        }
        if sum != stored {
            return Err(wrong());
        }
        pieces.push(Piece { hole: size.checked_sub(end).ok_or_else(wrong)?, data: 0 });
        Ok(Self { pieces, size, stored })
    }

    /// Length of the file with its holes.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }
}

/// Refuses a map that would take too much memory.
pub(crate) fn check_pieces(count: usize) -> Result<()> {
    if count > PIECES {
        return Err(Error::new(ErrorKind::BadData, format!("sparse file has more than {PIECES} pieces")));
    }
    Ok(())
}

/// Bytes from the end of `stored` bytes to the next block.
pub(crate) fn padding(stored: u64) -> u64 {
    (BLOCK - stored % BLOCK) % BLOCK
}

/// Reads the content of one entry.
pub(crate) struct Content<'a> {
    stream: &'a mut Stream,
    pieces: std::slice::Iter<'a, Piece>,
    piece: Piece,
    padding: u64,
}

impl<'a> Content<'a> {
    pub(crate) fn new(stream: &'a mut Stream, map: &'a Map) -> Self {
        let piece = Piece { hole: 0, data: 0 };
        Self { stream, pieces: map.pieces.iter(), piece, padding: padding(map.stored) }
    }

    /// Skips what was not read, up to the next header.
    pub(crate) fn drain(mut self) -> io::Result<()> {
        let data = self.piece.data + self.pieces.as_slice().iter().map(|piece| piece.data).sum::<u64>();
        self.pieces = [].iter();
        self.piece = Piece { hole: 0, data: data + self.padding };
        io::copy(&mut self, &mut io::sink()).map(drop)
    }
}

impl Read for Content<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.hole == 0 && self.piece.data == 0 {
            let Some(&piece) = self.pieces.next() else { return Ok(0) };
            self.piece = piece;
        }
        let wanted = if self.piece.hole > 0 { &mut self.piece.hole } else { &mut self.piece.data };
        let length = buffer.len().min(usize::try_from(*wanted).unwrap_or(usize::MAX));
        let buffer = &mut buffer[..length];
        if self.piece.hole > 0 {
            buffer.fill(0);
            self.piece.hole -= length as u64;
            return Ok(length);
        }
        let n = self.stream.read(buffer)?;
        if n == 0 && length > 0 {
            return Err(self.stream.cut_off());
        }
        self.piece.data -= n as u64;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_that_do_not_add_up_are_refused() {
        assert!(Map::sparse(&[(512, 512), (4096, 10)], 8192, 522).is_ok());
        type Case<'a> = (&'a [(u64, u64)], u64, u64);
        let bad: [Case; 5] = [
            (&[(512, 512), (600, 10)], 8192, 522),
            (&[(512, 512)], 600, 512),
            (&[(0, 512)], 512, 511),
            (&[(u64::MAX, 2)], 512, 2),
            (&[(0, u64::MAX), (u64::MAX, 1)], u64::MAX, 0),
        ];
        for (data, size, stored) in bad {
            assert!(Map::sparse(data, size, stored).is_err(), "{data:?}");
        }
    }
}
