//! Moves what is at a place to another, and gives directories another owner and mode: what an upgrade does inside a
//! container that is stopped. No link is followed, and what is done outlives a power cut.

use qchroot_api::{Access, Place, Result};
use rustix::fs::{Gid, Uid, fchmod, fchown, fstat, fsync};
use rustix::io::Errno;

use crate::beneath::{self, Spot};
use crate::errors::OrError;
use crate::files::{mode_bits, permissions};
use crate::{flagged, os};

/// Moves a file or tree; nothing that is there is ever replaced.
pub(crate) fn relocate(from: &Place, to: &Place) -> Result<()> {
    let message = || format!("cannot move {from} to {to}");
    let (old, new) = (beneath::parent(from)?, beneath::parent(to)?);
    match flagged::rename(&old, &new) {
        // Into a directory with a limit only goes what is counted there.
        Err(Errno::XDEV) => {
            os::quota::adopt(&old, &new.dir)?;
            flagged::rename(&old, &new)
        }
        renamed => renamed,
    }
    .map_err(|why| flagged::refused(why, message()))?;
    flush(&new).or_error(message)?;
    flush(&old).or_error(message)
}

/// Not every file system can flush a directory; see fsync(2).
fn flush(spot: &Spot) -> Result<(), Errno> {
    match fsync(&spot.dir) {
        Err(Errno::INVAL) => Ok(()),
        result => result,
    }
}

/// Owner and mode of the directory at a place.
pub(crate) fn access(at: &Place) -> Result<Access> {
    let stat = fstat(beneath::open_dir(at)?).or_error(|| format!("cannot look at {at}"))?;
    Ok(Access { mode: permissions(&stat), uid: stat.st_uid, gid: stat.st_gid })
}

/// Sets them: chown(2) clears set-id bits, so the mode comes second.
pub(crate) fn set_access(at: &Place, to: Access) -> Result<()> {
    let message = || format!("cannot change owner and mode of {at}");
    let dir = beneath::open_dir(at)?;
    let (uid, gid) = (Uid::from_raw(to.uid), Gid::from_raw(to.gid));
    flagged::file(&dir, || {
        fchown(&dir, Some(uid), Some(gid))?;
        fchmod(&dir, mode_bits(to.mode))
    })
    .map_err(|why| flagged::refused(why, message()))?;
    fsync(&dir).or_error(message)
}
