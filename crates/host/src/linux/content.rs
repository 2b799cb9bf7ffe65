//! Copies a file's content: shared with the original where the file system can, holes kept. It knows only
//! descriptors.

use nix::libc;
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::fs::{FallocateFlags, copy_file_range, fallocate, ftruncate, ioctl_ficlone};
use rustix::io::{Errno, pread, pwrite};

use crate::extents;

/// As many bytes are copied before their way to the disk begins.
const PIECE: u64 = 1 << 20;

/// Has the empty file `to` share all content of `from`; false where the file system cannot. ioctl_ficlone(2).
pub(crate) fn share(from: &OwnedFd, to: &OwnedFd) -> bool {
    ioctl_ficlone(to, from).is_ok()
}

/// Copies `size` bytes of `from` to the empty file `to`, and has the first go to the disk while the next are copied:
/// there is less to wait for in the fsync(2) that follows.
pub(crate) fn copy_begin_writing(from: &OwnedFd, to: &OwnedFd, size: u64) -> Result<(), Errno> {
    ftruncate(to, size)?;
    let mut end = 0;
    while let Some((start, next)) = extents::next(from, end, size)? {
        end = next.min(start + PIECE);
        range(from, to, start, end)?;
        begin_writing(to, start, end);
    }
    Ok(())
}

/// Only a hint: sync_file_range(2).
fn begin_writing(file: &OwnedFd, start: u64, end: u64) {
    let (start, length) = (start.cast_signed(), (end - start).cast_signed());
    // SAFETY: sync_file_range(2) takes numbers only.
    unsafe { libc::sync_file_range(file.as_raw_fd(), start, length, libc::SYNC_FILE_RANGE_WRITE) };
}

/// Makes holes of what the file has allocated and never written; lseek(2) counts both as holes.
pub(crate) fn dig(file: &OwnedFd, size: u64) -> Result<(), Errno> {
    let mut end = 0;
    while end < size {
        let (start, next) = extents::next(file, end, size)?.unwrap_or((size, size));
        if start > end {
            match fallocate(file, FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE, end, start - end) {
                Ok(()) => {}
                Err(Errno::OPNOTSUPP) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        end = next;
    }
    Ok(())
}

/// Copies `size` bytes of `from` to the empty file `to`.
pub(crate) fn copy(from: &OwnedFd, to: &OwnedFd, size: u64) -> Result<(), Errno> {
    if size == 0 || share(from, to) {
        return Ok(());
    }
    ftruncate(to, size)?;
    let mut end = 0;
    while let Some((start, next)) = extents::next(from, end, size)? {
        range(from, to, start, next)?;
        end = next;
    }
    Ok(())
}

fn range(from: &OwnedFd, to: &OwnedFd, start: u64, end: u64) -> Result<(), Errno> {
    let (mut read_at, mut write_at) = (start, start);
    while read_at < end {
        let length = usize::try_from(end - read_at).unwrap_or(usize::MAX);
        match copy_file_range(from, Some(&mut read_at), to, Some(&mut write_at), length) {
            Ok(0) => return plain(from, to, read_at, end),
            Ok(_) | Err(Errno::INTR) => {}
            Err(Errno::XDEV | Errno::INVAL | Errno::OPNOTSUPP | Errno::NOSYS) => {
                return plain(from, to, read_at, end);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn plain(from: &OwnedFd, to: &OwnedFd, start: u64, end: u64) -> Result<(), Errno> {
    let mut buffer = vec![0_u8; 1 << 17];
    let mut at = start;
    while at < end {
        let wanted = buffer.len().min(usize::try_from(end - at).unwrap_or(usize::MAX));
        let length = pread(from, &mut buffer[..wanted], at)?;
        if length == 0 {
            return Ok(());
        }
        let mut done = 0;
        while done < length {
            done += pwrite(to, &buffer[done..length], at + done as u64)?;
        }
        at += length as u64;
    }
    Ok(())
}
