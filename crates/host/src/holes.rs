//! Writes a stream to a file and leaves out blocks of zeros. It knows only the stream and the descriptor.

use std::io::{self, Read};

use rustix::fd::OwnedFd;
use rustix::fs::ftruncate;
use rustix::io::pwrite;

/// The block size of nearly every file system.
const BLOCK: usize = 4096;

/// Writes exactly `size` bytes of `content` to the empty file.
///
/// # Errors
/// `UnexpectedEof` where the content is shorter.
pub(crate) fn write(file: &OwnedFd, content: &mut dyn Read, size: u64) -> io::Result<()> {
    let mut buffer = vec![0_u8; (1 << 17).min(usize::try_from(size).unwrap_or(usize::MAX))];
    let mut at = 0;
    while at < size {
        let wanted = buffer.len().min(usize::try_from(size - at).unwrap_or(usize::MAX));
        content.read_exact(&mut buffer[..wanted])?;
        write_blocks(file, &buffer[..wanted], at)?;
        at += wanted as u64;
    }
    Ok(ftruncate(file, size)?)
}

/// Writes runs of blocks that are not all zeros.
fn write_blocks(file: &OwnedFd, bytes: &[u8], at: u64) -> io::Result<()> {
    let mut offset = 0;
    for run in bytes.chunks(BLOCK).collect::<Vec<_>>().chunk_by(|a, b| is_zero(a) == is_zero(b)) {
        let length = run.iter().map(|block| block.len()).sum::<usize>();
        if !is_zero(run[0]) {
            write_all(file, &bytes[offset..offset + length], at + offset as u64)?;
        }
        offset += length;
    }
    Ok(())
}

fn is_zero(block: &[u8]) -> bool {
    block.iter().all(|&byte| byte == 0)
}

fn write_all(file: &OwnedFd, mut bytes: &[u8], mut at: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        let length = pwrite(file, bytes, at)?;
        bytes = &bytes[length..];
        at += length as u64;
    }
    Ok(())
}
