//! Signed archives: where signature and key come from, and the check. It does not know why they are wanted.

use std::io::Read;

use qchroot_api::{Error, ErrorKind, Observe, Place, Result};
use qchroot_unpack::{Address, Hashing, check_signature, small};

/// A signature is four lines at most; their comments may be long.
const LONGEST: u64 = 64 << 10;

/// The texts of a signature and of the key that it must have been made with.
pub(crate) struct Signed {
    pub(crate) signature: String,
    pub(crate) key: String,
}

impl Signed {
    /// Reads both; `key` is the key itself or the path of its file.
    pub(crate) fn find(key: &str, signatures: &[Address], host: &dyn Observe) -> Result<Self> {
        let key = if is_key(key) {
            key.to_owned()
        } else {
            let path = key.parse::<Address>()?;
            let path = path.path().ok_or_else(|| {
                Error::new(ErrorKind::Config, format!("the key {key} must be a file of this machine's"))
                    .with("key", "key")
            })?;
            host.read(&Place::host(path)).map_err(|error| error.while_doing("cannot read the public key"))?
        };
        Ok(Self { signature: first(signatures, host)?, key })
    }

    /// Stands for the content while that is not at hand: with an honest key there is only one that fits.
    pub(crate) fn digest(&self) -> Result<String> {
        let both = format!("{}\0{}", self.signature, self.key);
        let told = |e: &std::io::Error| Error::from_io(e, "cannot hash a signature");
        qchroot_unpack::sha256(both.as_bytes()).map(|(digest, _)| digest).map_err(|e| told(&e))
    }

    /// Checks the signature while `content` passes; its SHA-256.
    pub(crate) fn check(&self, content: impl Read, name: &str) -> Result<String> {
        let mut hashing = Hashing::new(content);
        check_signature(&mut hashing, &self.signature, &self.key)
            .map_err(|error| error.while_doing(format!("cannot trust {name}")))?;
        Ok(hashing.sha256())
    }
}

/// Two bytes of algorithm, eight of number and 32 of key are 56 characters of base64.
fn is_key(text: &str) -> bool {
    text.len() == 56 && text.starts_with("RW")
}

fn first(signatures: &[Address], host: &dyn Observe) -> Result<String> {
    let bytes = small(signatures, LONGEST, host).map_err(|error| {
        error.while_doing("no signature, which the option signature can say the place of")
    })?;
    String::from_utf8(bytes).map_err(|_| Error::new(ErrorKind::BadData, "the signature is no text"))
}
