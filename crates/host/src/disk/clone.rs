//! A disk that begins as a copy of another: the blocks shared where the host's file system can, an identity of its
//! own, and grown.

use std::fs::File;

use camino::Utf8Path;
use qchroot_api::{DiskFs, Result};
use rustix::fd::OwnedFd;

use super::{beside, check, claim, file_system, rebuild, space};
use crate::errors::OrError;
use crate::{os, own};

/// What is to be made, of what.
pub(super) struct Clone<'a> {
    pub(super) from: &'a Utf8Path,
    pub(super) to: &'a Utf8Path,
    pub(super) fs: DiskFs,
    pub(super) size: u64,
    pub(super) reserve: bool,
}

/// Makes the copy.
pub(super) fn clone(wanted: &Clone<'_>) -> Result<()> {
    let Clone { from, to, fs, size, reserve } = *wanted;
    let source = claim::share(from)?;
    let length = source.metadata().or_error(|| format!("cannot look at disk {from}"))?.len();
    space::refuse_length(size, length.max(fs.smallest()), &format!("copy of {from}"))?;
    if reserve {
        space::require(to, size, &format!("disk {to}"))?;
    }
    let grows_well = size == length || file_system::of(fs)?.grows_well(length, size);
    beside::make(to, |new| {
        if grows_well {
            same(&source, new, length, wanted)?;
        } else {
            anew(&source, new, wanted)?;
        }
        if reserve { space::reserve_all(new, size) } else { Ok(()) }
    })
    .map_err(|error| error.while_doing(format!("cannot clone disk {from} to {to}")))
}

fn same(source: &File, new: &Utf8Path, length: u64, wanted: &Clone<'_>) -> Result<()> {
    let system = file_system::of(wanted.fs)?;
    copy(source, wanted.from, new, wanted.size)?;
    check::put_copy_in_order(new, wanted.fs)?;
    let grows = wanted.size > length;
    system.renew(new, grows)?;
    if grows { system.grow(new, wanted.size, wanted.reserve) } else { Ok(()) }
}

/// For what does not grow well: a new file system, and all files copied from a copy that this process has for itself.
fn anew(source: &File, new: &Utf8Path, wanted: &Clone<'_>) -> Result<()> {
    let scratch = beside::scratch(new);
    let length = source.metadata().or_error(|| format!("cannot look at disk {}", wanted.from))?.len();
    copy(source, wanted.from, &scratch, length)?;
    check::put_copy_in_order(&scratch, wanted.fs)?;
    rebuild::fill_from(&scratch, new, wanted.fs, wanted.size)?;
    own::remove(&scratch)
}

/// Copies a disk to a new file of `size` bytes.
pub(super) fn copy(source: &File, from: &Utf8Path, new: &Utf8Path, size: u64) -> Result<()> {
    let message = || format!("cannot copy disk {from} to {new}");
    let target = OwnedFd::from(beside::create(new, 0)?);
    let source = OwnedFd::from(source.try_clone().or_error(message)?);
    if !os::content::share(&source, &target) {
        let source = File::from(source);
        space::require(new, space::taken(&source, from)?, &format!("a copy of {from}"))?;
        let length = source.metadata().or_error(message)?.len();
        os::content::copy_begin_writing(&source.into(), &target, length).or_error(message)?;
    }
    beside::set_length(&File::from(target), new, size)
}
