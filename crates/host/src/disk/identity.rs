//! Numbers that no two disks share. It does not know where they are written.

use std::fs::File;
use std::io::Read;

use qchroot_api::Result;

use crate::errors::OrError;

/// A random UUID; RFC 9562, version 4.
pub(super) fn uuid(message: impl FnOnce() -> String) -> Result<[u8; 16]> {
    let mut bytes = [0_u8; 16];
    File::open("/dev/urandom").and_then(|mut random| random.read_exact(&mut bytes)).or_error(message)?;
    bytes[6] = bytes[6] & 0x0F | 0x40;
    bytes[8] = bytes[8] & 0x3F | 0x80;
    Ok(bytes)
}
