//! What an upgrade leaves for a rollback: `LIB/.previous/NAME`, the files it replaced and a list of what it did. It
//! knows the list's form, not how it comes about.

use camino::Utf8PathBuf;
use qchroot_api::{Access, Error, ErrorKind, Name, ReleaseId, Result};
use serde::{Deserialize, Serialize};

use crate::Engine;
use crate::config::{HasFormat, parse};

/// `upgrade.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Previous {
    /// Always 1.
    pub(crate) format: u32,
    /// The base before.
    pub(crate) from: ReleaseId,
    /// The base since.
    pub(crate) to: ReleaseId,
    /// What was done, in its order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) change: Vec<Change>,
}

/// One thing that an upgrade did to a container's private tree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    /// Where, relative to the private tree.
    pub(crate) path: Utf8PathBuf,
    /// What was there before lies beside `upgrade.toml` under this number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kept: Option<usize>,
    /// What was put there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) put: Option<Put>,
    /// Owner and mode of a directory, before and after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) access: Option<(Access, Access)>,
}

/// What an upgrade puts into a private tree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Put {
    /// A copy of this path below the new base's directory.
    Copy(Utf8PathBuf),
    /// A link with this target.
    Link(Utf8PathBuf),
}

impl HasFormat for Previous {
    fn format(&self) -> u32 {
        self.format
    }
}

impl Previous {
    pub(crate) fn text(&self) -> Result<String> {
        toml::to_string_pretty(self)
            .map_err(|e| Error::new(ErrorKind::Internal, "cannot write down the upgrade").cause(e))
    }
}

impl Engine<'_> {
    /// What the last upgrade of a container left; none when it was never upgraded, or rolled back since.
    pub(crate) fn previous(&self, name: &Name) -> Result<Option<Previous>> {
        let path = self.layout.previous(name).join("upgrade.toml");
        match self.host.read_own(&path)? {
            None => Ok(None),
            Some(bytes) => parse(&path, &String::from_utf8_lossy(&bytes)).map(Some),
        }
    }
}
