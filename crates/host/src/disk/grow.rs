//! A larger disk. Where the file system's own journal does not make growing safe, a copy is grown and takes the place of
//! the disk: whatever dies, and whenever, one of the two is whole.

use std::fs::File;

use camino::Utf8Path;
use qchroot_api::{DiskFs, Error, ErrorKind, Place, Result};
use rustix::fs::fstatvfs;

use super::{beside, check, claim, clone, file_system, space};
use crate::errors::OrError;
use crate::{beneath, os};

/// What is to grow.
pub(super) struct Grow<'a> {
    pub(super) at: &'a Utf8Path,
    pub(super) fs: DiskFs,
    pub(super) to: u64,
    pub(super) reserve: bool,
    pub(super) mounted: Option<&'a Place>,
}

/// Makes the disk larger.
pub(super) fn grow(wanted: &Grow<'_>) -> Result<()> {
    let Grow { at, fs, to, .. } = *wanted;
    let least = file_system::of(fs)?.grows_to_at_least().max(fs.smallest());
    space::refuse_length(to, least, &format!("{fs} disk that grows"))?;
    match wanted.mounted {
        Some(place) if is_shown(at)? => online(wanted, place),
        _ => offline(wanted), // also what was mounted before the machine went down
    }
    .map_err(|error| error.while_doing(format!("cannot grow disk {at} to {to} bytes")))
}

fn offline(wanted: &Grow<'_>) -> Result<()> {
    let file = claim::claim(wanted.at, false)?;
    let length = length_before(&file, wanted)?;
    if !file_system::of(wanted.fs)?.grows_in_place() && !os::disk_grow::may(wanted.fs) {
        return on_copy(&file, wanted);
    }
    lengthen(&file, length, wanted)?;
    drop(file);
    os::disk_grow::offline(wanted.at, wanted.fs, wanted.to)?;
    beside::flush(wanted.at)
}

fn length_before(file: &File, wanted: &Grow<'_>) -> Result<u64> {
    let length = file.metadata().or_error(|| format!("cannot look at disk {}", wanted.at))?.len();
    if length <= wanted.to {
        return Ok(length);
    }
    let message = format!("it has {length} bytes already");
    Err(Error::new(ErrorKind::Usage, message).with("size", wanted.to).with("length", length))
}

/// Makes the file longer, or leaves it as it was.
fn lengthen(file: &File, length: u64, wanted: &Grow<'_>) -> Result<()> {
    let longer = beside::set_length(file, wanted.at, wanted.to);
    let longer = longer.and_then(|()| match wanted.reserve {
        true => space::reserve(file, wanted.at, wanted.to),
        false => Ok(()),
    });
    if longer.is_err() {
        file.set_len(length).or_error(|| format!("cannot give {} its length back", wanted.at))?;
    }
    longer
}

fn on_copy(file: &File, wanted: &Grow<'_>) -> Result<()> {
    let Grow { at, fs, to, reserve, .. } = *wanted;
    if reserve {
        space::require(at, to, &format!("a larger copy of {at}"))?;
    }
    beside::replace(at, |new| {
        clone::copy(file, at, new, to)?;
        check::put_copy_in_order(new, fs)?;
        file_system::of(fs)?.grow(new, to, reserve)?;
        if reserve { space::reserve_all(new, to) } else { Ok(()) }
    })
}

/// Grows the disk under its mount. A file system that does not grow gets its file back as it was.
fn online(wanted: &Grow<'_>, place: &Place) -> Result<()> {
    let file = open(wanted.at)?;
    let length = length_before(&file, wanted)?;
    let root = beneath::open_dir(place)?;
    let size = || fstatvfs(&root).map(|stat| stat.f_blocks).or_error(|| format!("cannot look at {place}"));
    let before = size()?;
    lengthen(&file, length, wanted)?;
    let grown = os::disk_grow::online(&file, wanted.fs, &root, wanted.to);
    if grown.is_err() && size()? == before {
        file.set_len(length).or_error(|| format!("cannot give {} its length back", wanted.at))?;
        os::disk_grow::follow(&file)?;
    }
    grown
}

fn is_shown(at: &Utf8Path) -> Result<bool> {
    Ok(!os::disk::attached(&open(at)?)?.is_empty())
}

fn open(at: &Utf8Path) -> Result<File> {
    let named = beneath::open_strictly(at)?;
    let flags = rustix::fs::OFlags::RDWR;
    Ok(File::from(os::resolve::reopen(&named, flags).or_error(|| format!("cannot open disk {at}"))?))
}
