//! The source's options, as they were given. It knows their values, not what is done with them.

use qchroot_api::{Error, ErrorKind, Options, Result};
use serde::Deserialize;

/// What is installed when nothing is said: what a jail can do with, by the sets of FreeBSD's installer.
pub(crate) const PACKAGES: &str = "FreeBSD-set-minimal-jail";

/// All options.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    pub(crate) url: Option<String>,
    pub(crate) packages: Vec<String>,
    pub(crate) keys: Option<String>,
    pub(crate) abi: Option<String>,
}

impl Settings {
    pub(crate) fn from(options: &Options) -> Result<Self> {
        let mut settings: Self =
            options.clone().try_into().map_err(|error: qchroot_api::toml::de::Error| {
                Error::new(ErrorKind::Config, "bad options of source pkgbase").cause(error.message())
            })?;
        settings.packages.retain(|package| !package.is_empty());
        settings.packages.sort();
        settings.packages.dedup();
        if settings.packages.is_empty() {
            settings.packages.push(PACKAGES.into());
        }
        settings.check()?;
        Ok(settings)
    }

    /// What becomes an argument, or stands between quotes in a file, must not be able to end there.
    fn check(&self) -> Result<()> {
        let is_name = |text: &str| {
            !text.starts_with('-') && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._+-".contains(&b))
        };
        if let Some(bad) = self.packages.iter().find(|package| !is_name(package)) {
            return Err(config("packages", format!("{bad:?} cannot be the name of a package")));
        }
        if let Some(bad) = self.abi.as_deref().filter(|abi| !is_abi(abi)) {
            return Err(config("abi", format!("bad abi {bad:?}")).hint("it is like FreeBSD:15:amd64"));
        }
        let in_quotes = |text: &&String| text.contains(['"', '\\']) || text.contains(char::is_control);
        for (key, value) in [("url", &self.url), ("keys", &self.keys)] {
            if let Some(bad) = value.as_ref().filter(in_quotes) {
                return Err(config(key, format!("{bad:?} cannot stand in a configuration of pkg(8)")));
            }
        }
        Ok(())
    }
}

/// `FreeBSD:MAJOR:ARCH`, pkg.conf(5).
fn is_abi(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    matches!(parts[..], ["FreeBSD", major, arch] if major.parse::<u32>().is_ok() && word(arch))
}

pub(crate) fn config(key: &str, message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Config, message).with("key", key)
}
