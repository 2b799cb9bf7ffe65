//! Digests of content (image specification, "Descriptors"), and readers that compute them.

use std::cell::Cell;
use std::fmt;
use std::io::{self, Read};
use std::rc::Rc;
use std::str::FromStr;

use qchroot_plugin::{Error, ErrorKind, Result};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// A SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Digest(String);

impl Digest {
    /// That of `bytes`.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut hash = Sha256::new();
        hash.update(bytes);
        Self::finished(hash)
    }

    fn finished(hash: Sha256) -> Self {
        Self(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// 64 digits, lower case.
    pub(crate) fn hex(&self) -> &str {
        &self.0
    }

    /// Refuses content that has another one; `what` is its name.
    pub(crate) fn expect(&self, found: &Self, what: &str) -> Result<()> {
        if self == found {
            return Ok(());
        }
        Err(Error::new(ErrorKind::BadData, format!("{what} has the digest {found}, expected is {self}"))
            .hint("it was damaged, or somebody has changed it; have it pushed or copied again"))
    }
}

impl FromStr for Digest {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let is_hex = |hex: &str| {
            hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        };
        match text.strip_prefix("sha256:").filter(|hex| is_hex(hex)) {
            Some(hex) => Ok(Self(hex.to_owned())),
            None => Err(Error::new(ErrorKind::BadData, format!("{text:?} is no digest"))
                .hint("a digest is sha256: and 64 digits, 0 to 9 and a to f")),
        }
    }
}

impl TryFrom<String> for Digest {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.0)
    }
}

/// Hashes what is read through it.
pub(crate) struct Hashing<R> {
    inner: R,
    hash: Sha256,
    count: Rc<Cell<u64>>,
}

impl<R: Read> Hashing<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self { inner, hash: Sha256::new(), count: Rc::default() }
    }

    /// Bytes so far, for somebody else to look at.
    pub(crate) fn count(&self) -> Rc<Cell<u64>> {
        Rc::clone(&self.count)
    }

    /// Reads the rest; the digest of all.
    pub(crate) fn finish(mut self) -> io::Result<Digest> {
        io::copy(&mut self, &mut io::sink())?;
        Ok(Digest::finished(self.hash))
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.hash.update(&buffer[..n]);
        self.count.set(self.count.get() + n as u64);
        Ok(n)
    }
}
