//! Where the data of a sparse file lies. It knows descriptors and reads no data.

use rustix::fd::OwnedFd;
use rustix::fs::{SeekFrom, seek};
use rustix::io::Errno;

/// Shorter holes are not worth a piece of their own, in bytes.
const SHORTEST_HOLE: u64 = 64 << 10;

/// A file in more pieces than this is treated as one.
const MOST: usize = 1 << 19;

/// The next piece of data at or after `from`, its beginning and its end; see lseek(2), "Seeking file data and holes".
pub(crate) fn next(file: &OwnedFd, from: u64, size: u64) -> Result<Option<(u64, u64)>, Errno> {
    if from >= size {
        return Ok(None);
    }
    match seek(file, SeekFrom::Data(from)) {
        Ok(start) => Ok(Some((start, seek(file, SeekFrom::Hole(start))?))),
        Err(Errno::NXIO) => Ok(None),
        Err(Errno::INVAL | Errno::OPNOTSUPP | Errno::NOTTY) => Ok(Some((from, size))),
        Err(error) => Err(error),
    }
}

/// Offsets and lengths of all data of a file that takes `blocks` of 512 bytes.
pub(crate) fn all(file: &OwnedFd, size: u64, blocks: u64) -> Result<Vec<(u64, u64)>, Errno> {
    let whole = || if size == 0 { vec![] } else { vec![(0, size)] };
    if blocks.saturating_mul(512) >= size {
        return Ok(whole());
    }
    let mut found: Vec<(u64, u64)> = vec![];
    let mut at = 0;
    while let Some((start, end)) = next(file, at, size)? {
        at = end.min(size);
        match found.last_mut() {
            Some((offset, length)) if start - (*offset + *length) < SHORTEST_HOLE => *length = at - *offset,
            _ => found.push((start, at - start)),
        }
        if found.len() > MOST {
            return Ok(whole());
        }
    }
    if found.is_empty() && size < SHORTEST_HOLE { Ok(whole()) } else { Ok(found) }
}
