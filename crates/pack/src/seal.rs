//! The last bytes of an export: a digest of all before them, in a frame that decompressors skip. It knows bytes only.

use qchroot_api::camino::Utf8Path;
use qchroot_api::{Error, ErrorKind, Observe, Place, Result};

/// Length of the seal in bytes.
pub(crate) const LENGTH: u64 = 48;

/// A skippable frame of 40 bytes (RFC 8878, 3.1.2), and what tells ours from others.
const MARK: [u8; 16] = *b"\x5e\x2a\x4d\x18\x28\x00\x00\x00QCHROOT1";

/// What an export's seal says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// SHA-256 of everything before the seal, lower-case hex.
    pub sha256: String,
    /// How many bytes that is.
    pub length: u64,
}

/// The bytes of the seal for this digest.
pub(crate) fn bytes(digest: &[u8]) -> Vec<u8> {
    [&MARK[..], digest].concat()
}

pub(crate) fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads the seal of the file `path` and nothing else of it.
///
/// # Errors
/// Not found; bad data for a file that has none, as one that was cut off.
pub fn seal(path: &Utf8Path, host: &dyn Observe) -> Result<Seal> {
    let place = Place::host(path);
    let size = host.stat(&Place::host(host.real_path(path)?))?.map(|stat| stat.size).ok_or_else(|| {
        Error::new(ErrorKind::NotFound, format!("there is no file {path}")).with("path", path)
    })?;
    let length = size.saturating_sub(LENGTH);
    let bytes = host.bytes(&place, length, LENGTH)?;
    match bytes.strip_prefix(&MARK) {
        Some(digest) if size > LENGTH && digest.len() == 32 => Ok(Seal { sha256: hex(digest), length }),
        _ => Err(Error::new(ErrorKind::BadData, format!("{path} is no export, or it is cut off"))
            .cause("its seal is missing")
            .with("path", path)
            .hint("copy it again; an export that was interrupted is called FILE.part and is continued by `qchroot export`")),
    }
}
