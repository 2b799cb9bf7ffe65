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
