//! Where a step acts: a path of the host's, or a path inside a container's root. It knows only text; opening
//! a place beneath its root is the host layer's work.

use std::fmt;
use std::str::FromStr;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind, Result};

/// A path that is resolved beneath `root`, so that no link planted inside can lead out.
///
/// Written `ROOT/./PATH`; a path of the host's own is written without the dot, and its root is `/`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Place {
    root: Utf8PathBuf,
    path: Utf8PathBuf,
}

impl Place {
    /// An absolute path of the host's own.
    pub fn host(path: impl AsRef<Utf8Path>) -> Self {
        Self { root: "/".into(), path: strip(path.as_ref()) }
    }

    /// A path inside the container whose root is the host's directory `root`; a leading `/` of `path` means
    /// that root.
    pub fn within(root: impl Into<Utf8PathBuf>, path: impl AsRef<Utf8Path>) -> Self {
        Self { root: root.into(), path: strip(path.as_ref()) }
    }

    /// The directory that this place cannot leave; `/` for the host's own paths.
    #[must_use]
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// The path below the root, relative, without `.` or `..`.
    #[must_use]
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Whether the place lies inside a container.
    #[must_use]
    pub fn is_within(&self) -> bool {
        self.root != "/"
    }

    /// The path as the host would spell it if nothing on the way were a link: for messages and for comparing
    /// with the mount table, never for opening.
    #[must_use]
    pub fn lexical(&self) -> Utf8PathBuf {
        if self.path.as_str().is_empty() { self.root.clone() } else { self.root.join(&self.path) }
    }
}

/// Relative, `.` dropped, `..` resolved as text and stopped at the root.
fn strip(path: &Utf8Path) -> Utf8PathBuf {
    let mut out = Utf8PathBuf::new();
    for component in path.components() {
        match component {
            Utf8Component::Normal(part) => out.push(part),
            Utf8Component::ParentDir => {
                out.pop();
            }
            Utf8Component::Prefix(_) | Utf8Component::RootDir | Utf8Component::CurDir => {}
        }
    }
    out
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_within() {
            write!(f, "{}/./{}", self.root, self.path)
        } else {
            write!(f, "/{}", self.path)
        }
    }
}

impl FromStr for Place {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if !text.starts_with('/') {
            return Err(Error::new(ErrorKind::BadData, format!("place {text:?} is not absolute")));
        }
        match text.rsplit_once("/./") {
            Some((root, path)) => Ok(Self::within(root, path)),
            None => Ok(Self::host(text)),
        }
    }
}

impl TryFrom<String> for Place {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Place> for String {
    fn from(place: Place) -> Self {
        place.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_never_leave_the_root() {
        let place = Place::within("/q/web/root", "/../../etc/./passwd");
        assert_eq!(place.path(), "etc/passwd");
        assert_eq!(place.lexical(), "/q/web/root/etc/passwd");
    }

    #[test]
    fn text_form_round_trips() {
        for text in ["/q/web/root/./dev/null", "/q/web/root/./", "/var/lib/qchroot"] {
            assert_eq!(text.parse::<Place>().unwrap().to_string(), text);
        }
        assert!("dev/null".parse::<Place>().is_err());
    }
}
