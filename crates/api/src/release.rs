//! Releases: what a source can install, pinned so that two runs give the same tree.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use crate::{Brand, Error, ErrorKind, Options, Result};

/// The identity of a base: `<version>-<digest>`, for example `debian-12-amd64-1f0c2a9be4d7`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReleaseId(String);

impl ReleaseId {
    /// The identity as text; safe as a file name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ReleaseId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.+".contains(c);
        let bad =
            text.is_empty() || text.len() > 128 || text.starts_with(['.', '-']) || !text.chars().all(allowed);
        if bad {
            return Err(Error::new(ErrorKind::Usage, format!("bad release id {text:?}"))
                .hint("`qchroot release list` shows the installed ones"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for ReleaseId {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<ReleaseId> for String {
    fn from(id: ReleaseId) -> Self {
        id.0
    }
}

impl fmt::Display for ReleaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What the user asked a source for.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ReleaseWish {
    /// `--release`: a release by the source's own naming; none means the host's own.
    pub release: Option<String>,
    /// `--any-release`: take what is not a production release, and what cannot be checked.
    pub any: bool,
    /// The source's options, checked against its schema already.
    pub options: Options,
}

/// One release, resolved: everything that decides what the tree will hold is pinned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Release {
    /// Name and version for people and for comparison, such as `debian-12-amd64` or `14.3-RELEASE`.
    pub version: String,
    /// What the userland is made for.
    pub brand: Brand,
    /// SHA-256, hex, over everything that decides the content: digests, package versions, options.
    pub digest: String,
    /// The source's notes to itself, from `resolve` to `fill`.
    pub pins: BTreeMap<String, String>,
    /// What must never change once it was seen: what it is, such as the address of a MANIFEST, and its SHA-256.
    /// An install remembers it, and refuses when it differs from what an earlier one remembered.
    #[serde(default)]
    pub remember: BTreeMap<String, String>,
    /// Directories of the host's that a container of this release sees read-only at the same path, such as
    /// `/usr/lib`; relative to the root.
    #[serde(default)]
    pub host_dirs: Vec<Utf8PathBuf>,
    /// The source's options.
    pub options: Options,
}

impl Release {
    /// A release with these options, and nothing more to say of it than what it is.
    pub fn new(
        version: impl Into<String>,
        brand: Brand,
        digest: impl Into<String>,
        options: &Options,
    ) -> Self {
        Self {
            version: version.into(),
            brand,
            digest: digest.into(),
            pins: BTreeMap::new(),
            remember: BTreeMap::new(),
            host_dirs: vec![],
            options: options.clone(),
        }
    }

    /// The identity of the base made from this release.
    pub fn id(&self) -> Result<ReleaseId> {
        let digest = self.digest.get(..12).unwrap_or(&self.digest);
        format!("{}-{digest}", self.version).parse()
    }
}
