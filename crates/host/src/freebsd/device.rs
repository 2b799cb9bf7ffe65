//! Device nodes come from devfs(5) here; none is ever made by hand.

use qchroot_api::{Error, ErrorKind, Place, Result as ApiResult};
use rustix::io::Errno;

use crate::beneath::Spot;

/// Refuses every device.
pub(crate) fn check(at: &Place, _device: (u32, u32)) -> ApiResult<()> {
    Err(Error::new(ErrorKind::Unavailable, format!("cannot make device {at}: FreeBSD has devfs for that")))
}

/// Always an error.
pub(crate) fn make(_spot: &Spot, _device: (u32, u32)) -> Result<(), Errno> {
    Err(Errno::OPNOTSUPP)
}
