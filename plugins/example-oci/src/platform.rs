//! Which of the images in an index is wanted. It knows the names that Go's compilers gave to systems and processors,
//! which images use.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use qchroot_plugin::{Error, ErrorKind, Result};
use serde::Deserialize;

use crate::document::Descriptor;

/// What an image runs on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Platform {
    pub(crate) os: String,
    pub(crate) architecture: String,
    pub(crate) variant: Option<String>,
}

/// This machine.
pub(crate) fn of_host(kernel: qchroot_plugin::Platform) -> Result<Platform> {
    let os = match kernel {
        qchroot_plugin::Platform::Linux => "linux",
        qchroot_plugin::Platform::Freebsd => "freebsd",
    };
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "x86" => "386",
        "aarch64" => "arm64",
        "powerpc64" if cfg!(target_endian = "little") => "ppc64le",
        "powerpc64" => "ppc64",
        other => other,
    };
    Ok(Platform { os: os.into(), architecture: architecture.into(), variant: None })
}

impl Platform {
    /// The first of the list that runs on this; one alone that does not say may.
    pub(crate) fn choose<'a>(&self, list: &'a [Descriptor]) -> Result<&'a Descriptor> {
        let suits = |one: &&Descriptor| one.platform.as_ref().is_some_and(|platform| self.runs(platform));
        match (list.iter().find(suits), list) {
            (Some(found), _) => Ok(found),
            (None, []) => Err(Error::new(ErrorKind::BadData, "the index is empty")
                .hint("it names no image at all; have it pushed or copied again")),
            (None, [one]) if one.platform.is_none() => Ok(one),
            (None, list) => {
                Err(self
                    .missing(list.iter().filter_map(|one| one.platform.as_ref()).map(Platform::to_string)))
            }
        }
    }

    /// Refuses an image that is for something else.
    pub(crate) fn check(&self, image: &Self) -> Result<()> {
        if self.runs(image) { Ok(()) } else { Err(self.missing([image.to_string()])) }
    }

    fn runs(&self, image: &Self) -> bool {
        let variant =
            |of: &Self| of.variant.clone().filter(|variant| !(of.architecture == "arm64" && variant == "v8"));
        self.os == image.os
            && self.architecture == image.architecture
            && (self.variant.is_none() || variant(self) == variant(image))
    }

    fn missing(&self, there: impl IntoIterator<Item = String>) -> Error {
        let there: BTreeSet<String> = there.into_iter().filter(|one| !one.starts_with("unknown/")).collect();
        let there = Vec::from_iter(there).join(", ");
        Error::new(ErrorKind::NotFound, format!("there is no image for {self}"))
            .with("platform", self)
            .hint(format!("there are: {there}; choose one by the option platform"))
    }
}

impl FromStr for Platform {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parts: Vec<&str> = text.split('/').collect();
        let (os, architecture, variant) = match parts[..] {
            [os, architecture] => (os, architecture, None),
            [os, architecture, variant] => (os, architecture, Some(variant.to_owned())),
            _ => ("", "", None),
        };
        if os.is_empty() || architecture.is_empty() {
            return Err(Error::new(ErrorKind::Config, format!("{text:?} is no platform"))
                .with("key", "platform")
                .hint("name system and processor, such as linux/amd64, linux/arm/v7 or freebsd/arm64"));
        }
        Ok(Self { os: os.into(), architecture: architecture.into(), variant })
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.as_ref().map_or(Ok(()), |variant| write!(f, "/{variant}"))
    }
}
