//! SHA-256 (FIPS 180-4) in the form that a release is named by. It does not know what the facts mean.

use std::fmt::Write;

use qchroot_api::camino::Utf8Path;
use qchroot_api::{Observe, Place, Result};
use sha2::{Digest, Sha256};

/// Bytes of a file that are read at a time.
const PIECE: u64 = 1 << 20;

/// The digest over facts by name, such as the pins of a release: another value, another name or another order gives
/// another digest.
///
/// ```
/// let pins = std::collections::BTreeMap::from([("sha256".to_owned(), "ab12".to_owned())]);
/// assert_eq!(qchroot_plugin::digest_of(&pins).len(), 64);
/// assert_ne!(qchroot_plugin::digest_of([("a", "bc")]), qchroot_plugin::digest_of([("ab", "c")]));
/// ```
pub fn digest_of<K: AsRef<str>, V: AsRef<str>>(facts: impl IntoIterator<Item = (K, V)>) -> String {
    let mut digest = Sha256::new();
    for (name, value) in facts {
        for text in [name.as_ref(), value.as_ref()] {
            digest.update((text.len() as u64).to_be_bytes());
            digest.update(text);
        }
    }
    hex(&digest.finalize())
}

/// The digest of content.
#[must_use]
pub fn sha256_of(content: &[u8]) -> String {
    hex(&Sha256::digest(content))
}

/// The digest of a file of the host's, read through the view that back ends have of it.
///
/// # Errors
/// Not found, or what the system said.
pub fn sha256_of_file(host: &dyn Observe, path: &Utf8Path) -> Result<String> {
    let (mut digest, mut at) = (Sha256::new(), 0);
    loop {
        let bytes = host.bytes(&Place::host(path), at, PIECE)?;
        if bytes.is_empty() {
            return Ok(hex(&digest.finalize()));
        }
        at += bytes.len() as u64;
        digest.update(bytes);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
