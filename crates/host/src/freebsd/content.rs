//! Copies a file's content by copy_file_range(2), which keeps holes. It knows only descriptors.

use std::fs::File;

use nix::libc;
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::fs::ftruncate;
use rustix::io::Errno;

use crate::holes::{self, Buffer};

/// At most this many bytes in one call, so that a signal is noticed.
const PIECE: usize = 1 << 30;

/// Has a file share the content of another, which no file system here can be asked for: copy_file_range(2) shares by
/// itself what it can.
pub(crate) fn share(_from: &OwnedFd, _to: &OwnedFd) -> bool {
    false
}

/// As [`copy`]: there is no call that begins to write.
pub(crate) fn copy_begin_writing(from: &OwnedFd, to: &OwnedFd, size: u64) -> Result<(), Errno> {
    copy(from, to, size)
}

/// Makes holes of what was allocated and never written: nothing is allocated that way here.
pub(crate) fn dig(_file: &OwnedFd, _size: u64) -> Result<(), Errno> {
    Ok(())
}

/// Reads and writes what cannot be copied within the kernel.
fn plain(from: &OwnedFd, to: &OwnedFd, size: u64) -> Result<(), Errno> {
    let read_and_write = || holes::write(to, &mut File::from(from.try_clone()?), size, &mut Buffer::new());
    read_and_write().map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
}

/// Copies `size` bytes of `from` to the empty file `to`.
pub(crate) fn copy(from: &OwnedFd, to: &OwnedFd, size: u64) -> Result<(), Errno> {
    let mut left = size;
    while left > 0 {
        let length = PIECE.min(usize::try_from(left).unwrap_or(PIECE));
        let null = std::ptr::null_mut();
        // SAFETY: null offsets mean the descriptors' own; nothing of this process' memory is touched.
        let done = unsafe { libc::copy_file_range(from.as_raw_fd(), null, to.as_raw_fd(), null, length, 0) };
        match u64::try_from(done) {
            Ok(0) => break,
            Ok(done) => left = left.saturating_sub(done),
            Err(_) => match super::last_error() {
                Errno::INTR => {}
                Errno::INVAL | Errno::OPNOTSUPP | Errno::XDEV if left == size => {
                    return plain(from, to, size);
                }
                error => return Err(error),
            },
        }
    }
    ftruncate(to, size)
}
