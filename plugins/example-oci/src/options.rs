//! What a user can say about an image.

use qchroot_plugin::{Error, ErrorKind, HostPath, Options, Result};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::image::{Image, Place, is_tag};
use crate::platform::Platform;
use crate::registry;

/// The options as they stand in TOML; their comments are what `qchroot plugin info` shows.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// NAME:TAG, REGISTRY/NAME@sha256:DIGEST, or the path of an OCI layout and :TAG
    image: String,
    /// what the image is to run on, such as linux/amd64 or linux/arm/v7, instead of this machine
    platform: Option<String>,
    /// HTTP without encryption for the registry; one on this machine is always spoken to that way
    #[serde(default)]
    insecure: bool,
    /// the file in which `podman login`, `skopeo login` or `docker login` keep passwords
    auth_file: Option<HostPath>,
}

/// What the user asked for.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) image: Image,
    pub(crate) platform: Option<Platform>,
    pub(crate) insecure: bool,
    pub(crate) auth_file: Option<HostPath>,
}

impl Asked {
    /// From the options; `release` is the tag of an image without one.
    pub(crate) fn of(options: &Options, release: Option<&str>) -> Result<Self> {
        let settings: Settings = qchroot_plugin::read(options)?;
        let mut image: Image = settings.image.parse()?;
        if let Some(release) = release {
            take_tag(&mut image, release)?;
        }
        let platform = settings.platform.map(|text| text.parse()).transpose()?;
        Ok(Self { image, platform, insecure: settings.insecure, auth_file: settings.auth_file })
    }

    /// What comes over a network without encryption, with no digest to compare it with, may be anybody's.
    pub(crate) fn refuse_unchecked(&self, any: bool) -> Result<()> {
        let is_open = match &self.image.place {
            Place::Registry { host, .. } => self.insecure && !registry::is_here(host),
            Place::Layout(_) => false,
        };
        if any || !is_open || self.image.digest.is_some() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::BadData, format!("nothing tells whether {} is the right one", self.image))
            .hint("name it by its digest, NAME@sha256:DIGEST, or say --any-release"))
    }
}

fn take_tag(image: &mut Image, release: &str) -> Result<()> {
    if !is_tag(release) || image.tag.as_ref().is_some_and(|tag| tag != release) {
        let message = format!("the release {release:?} is not the tag of {image}");
        return Err(Error::new(ErrorKind::Usage, message)
            .hint("give the tag once: by --release or in the image's name"));
    }
    image.tag = Some(release.to_owned());
    Ok(())
}
