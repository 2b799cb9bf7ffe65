//! What an upgrade leaves for a rollback: `LIB/.previous/NAME`, the files it replaced and a list of what it did. It
//! knows the list's form and where its files lie, not how it comes about.

use camino::Utf8PathBuf;
use qchroot_api::{Access, Error, ErrorKind, Name, Place, ReleaseId, Result};
use serde::{Deserialize, Serialize};

use crate::config::{HasFormat, parse};
use crate::{Engine, Loaded};

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

/// Where an upgrade and a rollback put what they move. Nothing is renamed from one file system to another, so of a
/// container whose files lie on one of their own, all of it does too.
pub(crate) struct Rooms {
    /// Where copies are made before they are moved in.
    pub(crate) staging: Utf8PathBuf,
    /// The directory that keeps what is replaced, each file under a number.
    pub(crate) previous: Place,
    /// Where those go that can be done without, before they are removed.
    pub(crate) trash: Place,
}

impl Rooms {
    /// The place of what is kept under a number.
    pub(crate) fn kept(&self, number: usize) -> Place {
        Place::within(self.previous.root(), self.previous.path().join(number.to_string()))
    }

    /// Where the copy with a number is made.
    pub(crate) fn copy(&self, number: usize) -> Utf8PathBuf {
        self.staging.join(number.to_string())
    }
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
    /// Where the files of a container are kept while it moves between bases.
    pub(crate) fn rooms(&self, loaded: &Loaded<'_>) -> Rooms {
        let name = &loaded.name;
        if loaded.is_closed() {
            let root = loaded.container.root();
            let inside = |path: &str| Place::within(&root, path);
            let (previous, trash) = (inside(".qchroot-previous"), inside(".qchroot-trash"));
            return Rooms { staging: root.join(".qchroot-staging"), previous, trash };
        }
        let host = |path: Utf8PathBuf| Place::host(path);
        let (previous, trash) = (host(self.layout.previous(name)), host(self.layout.trash(name)));
        Rooms { staging: self.layout.staging(name), previous, trash }
    }

    /// The directories that an upgrade fills and the next one clears away, each with where it goes then: that of the
    /// list, and that of the files, where it is another.
    pub(crate) fn kept_dirs(&self, loaded: &Loaded<'_>) -> Vec<(Place, Place)> {
        let name = &loaded.name;
        let rooms = self.rooms(loaded);
        let list = Place::host(self.layout.previous(name));
        let mut dirs = vec![(rooms.previous, rooms.trash)];
        if dirs[0].0 != list {
            dirs.push((list, Place::host(self.layout.trash(name))));
        }
        dirs
    }

    /// What the last upgrade of a container left; none when it was never upgraded, or rolled back since.
    pub(crate) fn previous(&self, name: &Name) -> Result<Option<Previous>> {
        let path = self.layout.previous(name).join("upgrade.toml");
        match self.host.read_own(&path)? {
            None => Ok(None),
            Some(bytes) => parse(&path, &String::from_utf8_lossy(&bytes)).map(Some),
        }
    }
}
