//! What `resolve` hands to `fill`: where the medium is and what on it was chosen.

use std::collections::BTreeMap;

use qchroot_api::camino::Utf8PathBuf;
use qchroot_api::{Error, ErrorKind, Result, toml};
use serde::{Deserialize, Serialize};

use crate::layout::Content;
use crate::options::Whereabouts;

/// The name of the one pin.
const PIN: &str = "medium";

/// The medium and what to take from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pinned {
    /// How it is reached.
    pub(crate) form: Form,
    /// Its path or address.
    pub(crate) at: String,
    /// SHA-256 that the image must have, or the file on it that holds the root file system.
    pub(crate) sha256: Option<String>,
    /// What is taken; none where that can be told only once the image is here.
    pub(crate) content: Option<Content>,
}

/// How a medium is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Form {
    Directory,
    Image,
    RemoteImage,
    RemoteDirectory,
}

impl Pinned {
    pub(crate) fn new(at: &Whereabouts, sha256: Option<String>, content: Option<Content>) -> Self {
        let (form, at) = match at {
            Whereabouts::Directory(path) => (Form::Directory, path.to_string()),
            Whereabouts::Image(path, _) => (Form::Image, path.to_string()),
            Whereabouts::RemoteImage(address) => (Form::RemoteImage, address.to_string()),
            Whereabouts::RemoteDirectory(address) => (Form::RemoteDirectory, address.to_string()),
        };
        Self { form, at, sha256, content }
    }

    /// The medium's path, if it is on this machine.
    pub(crate) fn path(&self) -> Utf8PathBuf {
        self.at.clone().into()
    }

    pub(crate) fn to_pins(&self) -> Result<BTreeMap<String, String>> {
        let text = toml::to_string(self)
            .map_err(|error| Error::new(ErrorKind::Internal, "cannot write down the medium").cause(error))?;
        Ok(BTreeMap::from([(PIN.into(), text)]))
    }

    pub(crate) fn from_pins(pins: &BTreeMap<String, String>) -> Result<Self> {
        let broken = || Error::new(ErrorKind::Internal, "the release does not say which medium it is from");
        let text = pins.get(PIN).ok_or_else(broken)?;
        toml::from_str(text).map_err(|error| broken().cause(error.message()))
    }
}
