//! Release source `example.oci`: a userland from a container image, which a registry has or which lies in a directory
//! or archive (the distribution, image and layout specifications of the Open Container Initiative, and Docker's
//! manifests of version 2).
//!
//! It knows images. Fetching, proxies, the cache and writing files are the program's business, which it asks for them.

#![forbid(unsafe_code)]
#![deny(unsafe_op_in_unsafe_fn)]

mod apply;
mod auth;
mod digest;
mod document;
mod entry;
mod host_file;
mod image;
mod layer;
mod layout;
mod options;
mod platform;
mod registry;
mod store;
mod union;

use std::collections::{BTreeMap, BTreeSet};

use qchroot_plugin::{
    Backend, Brand, Capability, Error, ErrorKind, Info, Kind, Observe, OptionSpec, Options, Platform,
    Release, ReleaseSource, ReleaseWish, Result, Work,
};

use crate::digest::Digest;
use crate::document::{Config, Document, Manifest};
use crate::options::{Asked, Settings};
use crate::store::Store;

/// The source.
#[derive(Debug, Clone)]
pub struct Oci {
    options: Vec<OptionSpec>,
}

qchroot_plugin::export! { release_source "example.oci" = Oci::new()? }

impl Oci {
    /// The source.
    ///
    /// # Errors
    /// Plug-in, for options that cannot be declared.
    pub fn new() -> Result<Self> {
        Ok(Self { options: qchroot_plugin::options_of::<Settings>()? })
    }
}

/// Indexes that may lie in one another.
const NESTED: usize = 4;

impl Backend for Oci {
    fn info(&self) -> Info {
        Info {
            platforms: vec![Platform::Linux, Platform::Freebsd],
            capabilities: BTreeSet::from([Capability::Verified]),
            options: self.options.clone(),
            ..Info::new(
                Kind::ReleaseSource,
                "example.oci",
                "a container image from a registry, or from an OCI layout on this machine",
            )
        }
    }

    fn check(&self, options: &Options) -> Result<()> {
        qchroot_plugin::check::<Settings>(&self.info(), options)
    }
}

impl ReleaseSource for Oci {
    fn resolve(&self, want: &ReleaseWish, host: &dyn Observe) -> Result<Release> {
        let asked = Asked::of(&want.options, want.release.as_deref())?;
        asked.refuse_unchecked(want.any)?;
        let store = store::open(&asked, host)?;
        let wanted = match asked.platform.clone() {
            Some(platform) => platform,
            None => platform::of_host(host.platform()?)?,
        };
        let (digest, manifest) = choose(&*store, &wanted, host)?;
        let config = config(&*store, &manifest, host)?;
        wanted.check(&config.platform())?;
        // Nothing is remembered: a tag may move, that is what tags are for.
        Ok(Release {
            pins: BTreeMap::from([
                ("image".to_owned(), asked.image.to_string()),
                ("manifest".to_owned(), digest.to_string()),
            ]),
            ..Release::new(
                asked.image.version(&config.architecture),
                brand(&config.os)?,
                digest.hex(),
                &want.options,
            )
        })
    }

    fn fill(&self, release: &Release, work: &mut dyn Work) -> Result<()> {
        let pin = |key: &str| {
            let missing = || Error::new(ErrorKind::Plugin, format!("the release has no pin {key}"));
            release.pins.get(key).ok_or_else(missing)
        };
        let asked = Asked { image: pin("image")?.parse()?, ..Asked::of(&release.options, None)? };
        let store = store::open(&asked, work.host())?;
        let manifest = match store.document(&pin("manifest")?.parse()?, work.host())? {
            Document::Manifest(manifest) => manifest,
            Document::Index(_) => {
                return Err(Error::new(ErrorKind::Plugin, "the pinned manifest is an index"));
            }
        };
        let config = config(&*store, &manifest, work.host())?;
        work.note(&config.startup())?;
        let layers = layer::locate(&*store, &manifest, &config, work)?;
        apply::apply(&layers, work)
    }
}

/// Goes from the image's name down to the manifest for one platform.
fn choose(store: &dyn Store, wanted: &platform::Platform, host: &dyn Observe) -> Result<(Digest, Manifest)> {
    let (mut digest, mut document) = store.top(host)?;
    for _ in 0..NESTED {
        let list = match document {
            Document::Manifest(manifest) => return Ok((digest, manifest)),
            Document::Index(list) => list,
        };
        digest = wanted.choose(&list)?.digest.clone();
        document = store.document(&digest, host)?;
    }
    Err(Error::new(ErrorKind::BadData, format!("{digest}: more than {NESTED} indexes lie in one another")))
}

fn config(store: &dyn Store, manifest: &Manifest, host: &dyn Observe) -> Result<Config> {
    manifest.refuse_artifact()?;
    Config::parse(&store.small(&manifest.config, host)?)
}

fn brand(os: &str) -> Result<Brand> {
    match os {
        "linux" => Ok(Brand::Linux),
        "freebsd" => Ok(Brand::Freebsd),
        _ => Err(Error::new(ErrorKind::Unavailable, format!("an image for {os:?} cannot run here"))
            .hint("images for linux and freebsd can")),
    }
}
