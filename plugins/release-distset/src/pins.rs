//! What `resolve` hands to `fill`: everything that decides the content, and where it is to be had.

use std::collections::BTreeMap;

use qchroot_api::{Error, ErrorKind, Result, toml};
use qchroot_unpack::sets::{Row, SplitSet, Version};
use qchroot_unpack::{Address, sha256};
use serde::{Deserialize, Serialize};

use crate::target::Target;

/// The name of the one pin.
const PIN: &str = "content";

/// A release's content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "format", rename_all = "lowercase")]
pub(crate) enum Pinned {
    /// Archives that MANIFEST lists.
    Manifest {
        /// The release's directory on each mirror.
        directories: Vec<String>,
        /// The chosen sets.
        sets: Vec<Row>,
    },
    /// Archives in parts.
    Split {
        /// The release's directory on each mirror.
        directories: Vec<String>,
        /// The chosen sets.
        sets: Vec<SplitSet>,
    },
}

impl Pinned {
    pub(crate) fn to_pins(&self) -> Result<BTreeMap<String, String>> {
        let text = toml::to_string(self)
            .map_err(|error| Error::new(ErrorKind::Internal, "cannot write down the release").cause(error))?;
        Ok(BTreeMap::from([(PIN.into(), text)]))
    }

    pub(crate) fn from_pins(pins: &BTreeMap<String, String>) -> Result<Self> {
        let broken = || Error::new(ErrorKind::Internal, "the release does not say what it consists of");
        let text = pins.get(PIN).ok_or_else(broken)?;
        toml::from_str(text).map_err(|error| broken().cause(error.message()))
    }

    /// SHA-256 over what decides the content; where it came from does not.
    pub(crate) fn digest(&self, version: &Version, target: &Target) -> Result<String> {
        let mut words = vec!["qchroot distset 1".to_owned(), version.to_string(), target.text()];
        match self {
            Self::Manifest { sets, .. } => {
                words.extend(sets.iter().map(|set| format!("{} {} {}", set.name, set.sha256, set.entries)));
            }
            Self::Split { sets, .. } => sets.iter().for_each(|set| {
                words.push(set.name.clone());
                words.extend(set.parts.iter().map(|part| format!("{} {}", part.file, part.digest)));
            }),
        }
        let (digest, _) = sha256(words.join("\n").as_bytes())
            .map_err(|error| Error::new(ErrorKind::Internal, "cannot hash the release").cause(error))?;
        Ok(digest)
    }
}

/// Addresses from their texts.
pub(crate) fn addresses(texts: &[String]) -> Result<Vec<Address>> {
    texts.iter().map(|text| text.parse()).collect()
}
