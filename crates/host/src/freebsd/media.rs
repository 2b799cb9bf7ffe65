//! Images of removable media. It does not know what is on an image.

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Error, ErrorKind, Result};
use rustix::fd::OwnedFd;

/// Makes `image` readable: never, as every mount here is in the mount table and outlives the process.
pub(crate) fn open(image: &Utf8Path) -> Result<(OwnedFd, Utf8PathBuf)> {
    let message = format!("cannot open image {image}: it would have to be mounted where everybody sees it");
    Err(Error::new(ErrorKind::Unavailable, message))
}
