//! Makes device nodes from a short list that is safe in a container: mem(4), random(4), tty(4). It does not
//! know what is in their place.

use qchroot_api::{Error, ErrorKind, Place, Result as ApiResult};
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, Uid, chownat, fstat, makedev, mknodat, openat};
use rustix::io::Errno;

use super::files::chmod;
use crate::beneath::Spot;

/// null, zero, full, random, urandom, tty.
const SAFE: [(u32, u32); 6] = [(1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0)];

/// Refuses a device that is not on the list.
pub(crate) fn check(at: &Place, device: (u32, u32)) -> ApiResult<()> {
    if SAFE.contains(&device) {
        return Ok(());
    }
    let message =
        format!("cannot make device {at}: {}:{} is not on the list of safe ones", device.0, device.1);
    Err(Error::new(ErrorKind::Permission, message))
}

/// Makes a node with mode 0666, the superuser's, where nothing is.
pub(crate) fn make(spot: &Spot, (major, minor): (u32, u32)) -> Result<(), Errno> {
    let device = makedev(major, minor);
    mknodat(&spot.dir, &spot.name, FileType::CharacterDevice, Mode::empty(), device)?;
    let node = open_node(spot, device)?;
    chownat(&node, "", Some(Uid::ROOT), Some(Gid::ROOT), AtFlags::EMPTY_PATH)?;
    chmod(&node, Mode::from_raw_mode(0o666))
}

/// Names what was just made, and makes sure that it is still that.
fn open_node(spot: &Spot, device: u64) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let node = openat(&spot.dir, &spot.name, flags, Mode::empty())?;
    let stat = fstat(&node)?;
    let is_it = FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice && stat.st_rdev == device;
    if is_it { Ok(node) } else { Err(Errno::EXIST) }
}
