//! What must never change once it was seen, such as the digest of a published MANIFEST: remembered at its first
//! use, and compared at every later one. It does not know what is remembered, only its name and its digest.

use std::collections::BTreeMap;

use qchroot_api::{Error, ErrorKind, Place, Release, Result, Step};
use serde::{Deserialize, Serialize};

use crate::Engine;
use crate::config::{FORMAT, HasFormat, parse};

/// `known.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KnownFile {
    /// Always 1.
    format: u32,
    /// SHA-256, hex, by what it is the digest of.
    #[serde(default)]
    known: BTreeMap<String, String>,
}

impl HasFormat for KnownFile {
    fn format(&self) -> u32 {
        self.format
    }
}

impl Engine<'_> {
    /// The step that remembers what `release` shows for the first time; none when all of it is known.
    ///
    /// # Errors
    /// Bad data, when something has another digest than the one remembered and the user has not pinned the new
    /// one by an option of the source.
    pub(crate) fn remember(&self, release: &Release) -> Result<Option<Step>> {
        if release.remember.is_empty() {
            return Ok(None);
        }
        let path = self.layout.known();
        let was = self.host.read_own(&path)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let mut file = match &was {
            Some(text) => parse(&path, text)?,
            None => KnownFile { format: FORMAT, known: BTreeMap::new() },
        };
        for (what, now) in &release.remember {
            match file.known.get(what) {
                Some(known) if known != now && !is_pinned(release, now) => {
                    return Err(self.changed(what, known, now));
                }
                _ => drop(file.known.insert(what.clone(), now.clone())),
            }
        }
        let text = toml::to_string_pretty(&file)
            .map_err(|e| Error::new(ErrorKind::Internal, format!("cannot write {path}")).cause(e))?;
        let is_new = was.as_ref() != Some(&text);
        Ok(is_new.then(|| Step::WriteFile { at: Place::host(path), text, mode: 0o644, was }))
    }

    fn changed(&self, what: &str, known: &str, now: &str) -> Error {
        Error::new(ErrorKind::BadData, format!("{what} is not what it was at an earlier install"))
            .cause(format!("its SHA-256 was {known}, now it is {now}"))
            .with("what", what)
            .with("remembered", known)
            .with("now", now)
            .hint(format!(
                "what is published must not change: ask who publishes it; to accept it, pin the new digest by the \
                 source's option, or remove its line from {}",
                self.layout.known()
            ))
    }
}

/// Whether the user named this digest: one of the source's options is it.
fn is_pinned(release: &Release, digest: &str) -> bool {
    release.options.values().any(|value| value.as_str().is_some_and(|text| text.eq_ignore_ascii_case(digest)))
}
