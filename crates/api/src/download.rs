//! What a back end asks of the network, and what it is told. Nothing here fetches anything.

use serde::{Deserialize, Serialize};

/// One file to fetch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Download {
    /// What to call it in messages, such as `base.txz`.
    pub name: String,
    /// Where it is to be had: `http:`, `https:`, `ftp:` and `file:` addresses or paths; the next one is asked when one
    /// fails.
    pub addresses: Vec<String>,
    /// Header fields for HTTP beside those of the program's own, such as `Authorization`. They are told to the host of the
    /// address alone, never to one that it redirects to.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// SHA-256 that it must have, lower-case hex.
    #[serde(default)]
    pub sha256: Option<String>,
    /// Length in bytes that it must have.
    #[serde(default)]
    pub size: Option<u64>,
}

impl Download {
    /// What is at `address`, called by the last part of it. Nothing is checked yet: see [`Download::sha256`].
    pub fn new(address: impl Into<String>) -> Self {
        let address = address.into();
        let name = address.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
        Self { name, addresses: vec![address], ..Self::default() }
    }

    /// The same by another name in messages.
    #[must_use]
    pub fn named(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// Another address of the same file, asked when those before it fail.
    #[must_use]
    pub fn or_at(mut self, address: impl Into<String>) -> Self {
        self.addresses.push(address.into());
        self
    }

    /// It must have this SHA-256, in hexadecimal digits.
    #[must_use]
    pub fn sha256(self, digest: impl Into<String>) -> Self {
        Self { sha256: Some(digest.into().to_ascii_lowercase()), ..self }
    }

    /// It must be this long, in bytes.
    #[must_use]
    pub fn size(self, bytes: u64) -> Self {
        Self { size: Some(bytes), ..self }
    }

    /// A header field for HTTP, such as `Authorization`.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// What a server said to [`crate::Query::Get`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The status of HTTP (RFC 9110); 200 for what came another way.
    pub status: u16,
    /// Header fields, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The content.
    pub body: Vec<u8>,
}

impl Reply {
    /// The first header field of this name, which is in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}
