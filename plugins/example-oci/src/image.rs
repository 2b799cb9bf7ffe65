//! Names of images, as people write them: `debian:12`, `registry.example/name@sha256:…`, `/srv/layout:tag`. Nothing is asked
//! whether they exist.

use std::fmt;
use std::str::FromStr;

use qchroot_plugin::camino::{Utf8Path, Utf8PathBuf};
use qchroot_plugin::{Error, ErrorKind, Result};

use crate::digest::Digest;

/// The registry of names that name none, as users know it.
pub(crate) const DOCKER: &str = "docker.io";
/// Letters of a version, which becomes part of a base's name.
const VERSION: usize = 100;

/// The name of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Image {
    pub(crate) place: Place,
    pub(crate) tag: Option<String>,
    pub(crate) digest: Option<Digest>,
}

/// Where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A repository of a registry's.
    Registry { host: String, repository: String },
    /// A directory or an archive on this machine.
    Layout(Utf8PathBuf),
}

impl Image {
    /// A name for the release: what it is called, its tag, and the processor.
    pub(crate) fn version(&self, architecture: &str) -> String {
        let name = match &self.place {
            Place::Registry { repository, .. } => repository.rsplit('/').next().unwrap_or_default(),
            Place::Layout(path) => path.file_stem().unwrap_or("image"),
        };
        let parts = [Some(name), self.tag.as_deref(), Some(architecture)];
        let text = parts.into_iter().flatten().collect::<Vec<_>>().join("-");
        let safe = |c: char| if c.is_ascii_alphanumeric() || "-_.+".contains(c) { c } else { '-' };
        text.trim_start_matches(['.', '-']).chars().map(safe).take(VERSION).collect()
    }
}

impl FromStr for Image {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let local = ["oci:", "oci-archive:"].iter().find_map(|prefix| text.strip_prefix(prefix));
        let bare = local.unwrap_or(text).trim_start_matches("docker://");
        let (rest, digest) = match bare.rsplit_once('@') {
            Some((rest, digest)) => (rest, Some(digest.parse()?)),
            None => (bare, None),
        };
        let (name, tag) = match rest.rsplit_once(':').filter(|(_, tag)| is_tag(tag)) {
            Some((name, tag)) => (name, Some(tag.to_owned())),
            None => (rest, None),
        };
        let place = match name.starts_with('/') {
            true => Place::Layout(Utf8Path::new(name).to_owned()),
            false if local.is_some() || name.starts_with('.') => {
                return Err(bad(text, "the path of a layout begins with a slash"));
            }
            false => repository(name).ok_or_else(|| {
                bad(text, "a repository is small letters, digits and . _ - with slashes between them")
            })?,
        };
        Ok(Self { place, tag, digest })
    }
}

/// The first part is the registry if it looks like a host's name; names without one are Docker's.
fn repository(name: &str) -> Option<Place> {
    let looks_like_host = |first: &str| first.contains(['.', ':']) || first == "localhost";
    let (host, path) = match name.split_once('/').filter(|(first, _)| looks_like_host(first)) {
        Some((host, path)) => (host, path.to_owned()),
        None => (DOCKER, name.to_owned()),
    };
    let repository = if host == DOCKER && !path.contains('/') { format!("library/{path}") } else { path };
    let is_host = host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b));
    (is_host && repository.split('/').all(is_component))
        .then(|| Place::Registry { host: host.to_owned(), repository })
}

/// Distribution specification, "Pulling manifests".
fn is_component(part: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let ends = [part.bytes().next(), part.bytes().last()];
    ends.into_iter().all(|end| end.is_some_and(is_plain))
        && part.bytes().all(|b| is_plain(b) || b"._-".contains(&b))
}

pub(crate) fn is_tag(text: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    text.len() <= 128
        && text.bytes().next().is_some_and(is_word)
        && text.bytes().all(|b| is_word(b) || b".-".contains(&b))
}

fn bad(text: &str, why: &str) -> Error {
    Error::new(ErrorKind::Config, format!("{text:?} names no image: {why}"))
        .with("key", "image")
        .hint("write NAME:TAG, REGISTRY/NAME:TAG, NAME@sha256:DIGEST, or the path of a layout and :TAG")
}

impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Registry { host, repository } => write!(f, "{host}/{repository}")?,
            Place::Layout(path) => write!(f, "{path}")?,
        }
        self.tag.as_ref().map_or(Ok(()), |tag| write!(f, ":{tag}"))?;
        self.digest.as_ref().map_or(Ok(()), |digest| write!(f, "@{digest}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        text.parse::<Image>().map_or_else(|error| error.message().to_owned(), |image| image.to_string())
    }

    #[test]
    fn names_are_read_as_other_programs_read_them() {
        let digest = format!("sha256:{}", "0f".repeat(32));
        for (text, full) in [
            ("debian", "docker.io/library/debian"),
            ("docker://bitnami/nginx:1.27", "docker.io/bitnami/nginx:1.27"),
            ("localhost:5000/a/b", "localhost:5000/a/b"),
            ("127.0.0.1:5000/a:5000", "127.0.0.1:5000/a:5000"),
            ("oci:/srv/layout:12", "/srv/layout:12"),
            ("/srv/image.tar", "/srv/image.tar"),
        ] {
            assert_eq!(shown(text), full);
            assert_eq!(shown(&format!("{text}@{digest}")), format!("{full}@{digest}"));
            assert_eq!(shown(full), full);
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for bad in [
            "",
            "Debian:12",
            "a//b",
            "debian:",
            "de bian",
            "./layout",
            "oci:layout",
            "h.example/",
            "x@sha256:1",
        ] {
            assert!(bad.parse::<Image>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_version_can_be_part_of_a_name() {
        for (text, version) in
            [("debian:12", "debian-12-amd64"), ("/srv/.My image.tar:x", "My-image-x-amd64")]
        {
            assert_eq!(
                text.parse::<Image>().map(|image| image.version("amd64")).ok().as_deref(),
                Some(version)
            );
        }
    }
}
