//! A new disk with every file of another: the way to a smaller one.

use camino::Utf8Path;
use qchroot_api::{DiskFs, Error, ErrorKind, Result, size_text};

use super::clone::Clone;
use super::measure::Need;
use super::populate::{Content, Filled, fill};
use super::{beside, measure, space};
use crate::os;

/// Makes the new disk; the old one is only read.
pub(super) fn rebuild(wanted: &Clone<'_>) -> Result<()> {
    let Clone { from, to, fs, size, reserve } = *wanted;
    space::refuse_length(size, fs.smallest(), &format!("{fs} disk"))?;
    if reserve {
        space::require(to, size, &format!("disk {to}"))?;
    }
    beside::make(to, |new| {
        fill_from(from, new, fs, size)?;
        if reserve { space::reserve_all(new, size) } else { space::give_back_holes(new) }
    })
    .map_err(|error| error.while_doing(format!("cannot make disk {to} with the files of {from}")))
}

/// Makes the file `new`, a file system of `size` bytes in it, and copies all files of the disk `from` to it.
///
/// # Errors
/// Usage, with the figures, where they do not fit.
pub(super) fn fill_from(from: &Utf8Path, new: &Utf8Path, fs: DiskFs, size: u64) -> Result<()> {
    let source = os::disk::open(from, fs, true)?;
    let filled = measured(source.path(), new, fs, size);
    let closed = source.close();
    filled.and(closed)
}

fn measured(tree: &Utf8Path, new: &Utf8Path, fs: DiskFs, size: u64) -> Result<()> {
    let need = measure::tree(tree)?;
    if need.bytes > size {
        return Err(too_small(size, need, Need { bytes: size, files: need.files }));
    }
    space::require(new, need.bytes, "what is inside")?;
    match fill(new, fs, size, &Content { tree, need, dirs: &[], links: &[] })? {
        Filled::Whole => Ok(()),
        Filled::TooSmall(room) => Err(too_small(size, need, room)),
    }
}

fn too_small(size: u64, need: Need, room: Need) -> Error {
    let message = format!("what is inside does not fit on a disk of {}", size_text(size));
    let cause = if room.bytes < need.bytes {
        format!("it takes {}, and there is room for {}", size_text(need.bytes), size_text(room.bytes))
    } else {
        format!("it has {} files, and there is room for {}", need.files, room.files)
    };
    Error::new(ErrorKind::Usage, message)
        .cause(cause)
        .with("size", size)
        .with("needed", need.bytes)
        .with("room", room.bytes)
        .hint("choose a larger size, or remove files inside")
}
