//! The source's options, as they were given. It knows their values, not what is done with them.

use qchroot_api::{Error, ErrorKind, Options, Result};
use qchroot_unpack::sets::{Origin, Profile, Version, is_sha256};
use serde::Deserialize;

/// Where FreeBSD publishes what is current, and what it has retired. The archive speaks HTTP without encryption.
const CURRENT: &str = "https://download.freebsd.org";
const RETIRED: &str = "http://ftp-archive.freebsd.org/pub/FreeBSD-Archive/old-releases";

/// How the sets of a release are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// One archive for each set, all of them in MANIFEST: since 9.0.
    #[default]
    Manifest,
    /// One directory for each set, with the parts of its archive: before 9.0.
    Split,
}

/// All options.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    url: Option<String>,
    mirrors: Vec<String>,
    pub(crate) sets: Vec<String>,
    pub(crate) profile: Option<Profile>,
    pub(crate) manifest_sha256: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) signature: Option<String>,
    pub(crate) target: Option<String>,
    pub(crate) format: Format,
    archive: bool,
}

impl Settings {
    pub(crate) fn from(options: &Options) -> Result<Self> {
        check_choices(options)?;
        let mut settings: Self =
            options.clone().try_into().map_err(|error: qchroot_api::toml::de::Error| {
                Error::new(ErrorKind::Config, "bad options of source distset").cause(error.message())
            })?;
        settings.sets.retain(|set| !set.is_empty());
        if let Some(digest) = &mut settings.manifest_sha256 {
            digest.make_ascii_lowercase();
        }
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> Result<()> {
        if self.manifest_sha256.as_deref().is_some_and(|digest| !is_sha256(digest)) {
            return Err(config("manifest_sha256", "manifest_sha256 is no SHA-256: 64 hexadecimal digits"));
        }
        if self.archive && !(self.url.is_none() && self.mirrors.is_empty()) {
            return Err(config("archive", "archive says where to look, and so do url and mirrors"));
        }
        if self.signature.is_some() && self.key.is_none() {
            return Err(config("signature", "a signature cannot be checked without the option key"));
        }
        let about_manifest = [("manifest_sha256", &self.manifest_sha256), ("key", &self.key)];
        match about_manifest.iter().find(|(_, value)| value.is_some()) {
            Some((key, _)) if self.format == Format::Split => {
                Err(config(key, format!("{key} is about MANIFEST, which format=split does not have")))
            }
            _ => Ok(()),
        }
    }

    /// The mirrors in order, each as it was given; FreeBSD's own where none was.
    pub(crate) fn mirrors(&self, version: &Version) -> Vec<String> {
        let given: Vec<String> = self.url.iter().chain(&self.mirrors).cloned().collect();
        match version.origin() {
            _ if !given.is_empty() => given,
            _ if self.archive => vec![RETIRED.into()],
            Origin::Releases => vec![format!("{CURRENT}/releases")],
            Origin::Snapshots => vec![format!("{CURRENT}/snapshots")],
        }
    }
}

/// Options that take one of a few words.
const CHOICES: &[(&str, &[&str])] =
    &[("profile", &["minimal", "base", "full"]), ("format", &["manifest", "split"])];

fn check_choices(options: &Options) -> Result<()> {
    for (key, words) in CHOICES {
        match options.get(*key).and_then(|value| value.as_str()) {
            Some(word) if !words.contains(&word) => {
                return Err(config(key, format!("{key} cannot be {word:?}"))
                    .hint(format!("use one of: {}", words.join(", "))));
            }
            _ => {}
        }
    }
    Ok(())
}

pub(crate) fn config(key: &str, message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Config, message).with("key", key)
}
