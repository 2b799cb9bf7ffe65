//! A larger disk. Where the file system's own journal does not make growing safe, a copy is grown and takes the place of
//! the disk: whatever dies, and whenever, one of the two is whole.

use std::fs::File;

use camino::Utf8Path;
use qchroot_api::{DiskFs, Error, ErrorKind, Place, Result};

use super::{beside, check, claim, clone, file_system, look, space};
use crate::errors::OrError;
use crate::{beneath, os};

/// What is to grow.
pub(super) struct Grow<'a> {
    pub(super) at: &'a Utf8Path,
    pub(super) fs: DiskFs,
    /// Its length before the first run, which may have died.
    pub(super) from: u64,
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
    .or_else(|error| give_back(wanted).and(Err(error)))
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

/// Grows the disk under its mount.
fn online(wanted: &Grow<'_>, place: &Place) -> Result<()> {
    let file = open(wanted.at)?;
    let length = length_before(&file, wanted)?;
    let root = beneath::open_dir(place)?;
    lengthen(&file, length, wanted)?;
    os::disk_grow::online(&file, wanted.fs, &root, wanted.to)
}

/// A file system that has not grown gets its file back as it was.
fn give_back(wanted: &Grow<'_>) -> Result<()> {
    let Grow { at, from, .. } = *wanted;
    match look(at)? {
        Some(info) if info.fs.is_some() && info.fs_length <= from && info.length > from => {
            let file = open(at)?;
            file.set_len(from).or_error(|| format!("cannot give {at} its length back"))?;
            os::disk_grow::follow(&file)
        }
        _ => Ok(()),
    }
}

fn is_shown(at: &Utf8Path) -> Result<bool> {
    Ok(!os::disk::attached(&open(at)?)?.is_empty())
}

fn open(at: &Utf8Path) -> Result<File> {
    let named = beneath::open_strictly(at)?;
    let flags = rustix::fs::OFlags::RDWR;
    Ok(File::from(os::resolve::reopen(&named, flags).or_error(|| format!("cannot open disk {at}"))?))
}
