//! The disk that those of a base's containers are cloned from: made once, by whoever comes first.

use camino::Utf8Path;
use qchroot_api::{DiskFs, Error, ErrorKind, Result};

use super::populate::{Content, Filled, fill};
use super::{beside, file_system, space};
use crate::own;

/// How often a length that was too short after all is made longer.
const TRIES: u32 = 5;

/// Makes the disk `at`, unless it is there.
pub(super) fn make(at: &Utf8Path, fs: DiskFs, content: &Content<'_>) -> Result<()> {
    if let Some(dir) = at.parent() {
        own::make_dir(dir)?;
    }
    let _alone = own::lock(&at.with_extension("lock"), true)?;
    if at.as_std_path().symlink_metadata().is_ok() {
        return Ok(());
    }
    beside::make(at, |new| {
        let length = file_system::of(fs)?.length_for(&content.need);
        space::require(new, content.need.bytes, &format!("disk {at}"))?;
        long_enough(new, fs, length, content)?;
        space::give_back_holes(new)
    })
    .map_err(|error| error.while_doing(format!("cannot make {fs} disk {at} of {}", content.tree)))
}

fn long_enough(new: &Utf8Path, fs: DiskFs, mut length: u64, content: &Content<'_>) -> Result<()> {
    for _ in 0..TRIES {
        if let Filled::Whole = fill(new, fs, length, content)? {
            return Ok(());
        }
        own::remove(new)?;
        length = (length + length / 2).next_multiple_of(1 << 20);
    }
    Err(Error::new(ErrorKind::Internal, format!("{} does not fit on any disk", content.tree)))
}
