//! Writes a stream to a file and leaves out blocks of zeros. It knows only the stream and the descriptor.

use std::io::{self, Read};

use rustix::fd::OwnedFd;
use rustix::fs::ftruncate;
use rustix::io::pwrite;

/// The block size of nearly every file system.
const BLOCK: usize = 4096;

/// Memory for the pieces in which files are written, used for one after the other.
#[derive(Debug)]
pub(crate) struct Buffer(Vec<u8>);

impl Buffer {
    /// An empty one.
    pub(crate) fn new() -> Self {
        Self(vec![0; 1 << 17])
    }
}

/// Writes exactly `size` bytes of `content` to the empty file.
///
/// # Errors
/// `UnexpectedEof` where the content is shorter.
pub(crate) fn write(
    file: &OwnedFd,
    content: &mut dyn Read,
    size: u64,
    buffer: &mut Buffer,
) -> io::Result<()> {
    let (mut at, mut end) = (0, 0);
    while at < size {
        let wanted = buffer.0.len().min(usize::try_from(size - at).unwrap_or(usize::MAX));
        let piece = &mut buffer.0[..wanted];
        content.read_exact(piece)?;
        if let Some(length) = write_blocks(file, piece, at)? {
            end = at + length as u64;
        }
        at += wanted as u64;
    }
    if end < size { Ok(ftruncate(file, size)?) } else { Ok(()) }
}

/// Writes runs of blocks that are not all zeros; where the last of them ends, if there is one.
fn write_blocks(file: &OwnedFd, bytes: &[u8], at: u64) -> io::Result<Option<usize>> {
    let (mut offset, mut end) = (0, None);
    while offset < bytes.len() {
        let zeros = run(&bytes[offset..], true);
        let data = run(&bytes[offset + zeros..], false);
        offset += zeros;
        if data > 0 {
            write_all(file, &bytes[offset..offset + data], at + offset as u64)?;
            offset += data;
            end = Some(offset);
        }
    }
    Ok(end)
}

/// Bytes of the blocks at the beginning that are all zeros, or that are not.
fn run(bytes: &[u8], zero: bool) -> usize {
    bytes.chunks(BLOCK).take_while(|block| is_zero(block) == zero).map(<[u8]>::len).sum()
}

/// Most blocks of data show it in their first bytes; the whole is looked at in pieces that the processor can
/// take at once.
fn is_zero(block: &[u8]) -> bool {
    block.chunks(256).all(|piece| piece.iter().fold(0, |all, byte| all | byte) == 0)
}

fn write_all(file: &OwnedFd, mut bytes: &[u8], mut at: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        let length = pwrite(file, bytes, at)?;
        bytes = &bytes[length..];
        at += length as u64;
    }
    Ok(())
}
