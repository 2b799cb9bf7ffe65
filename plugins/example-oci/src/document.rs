//! The documents that describe an image: index, manifest, configuration. It knows what is in them, not where they are.

use std::collections::BTreeMap;

use qchroot_plugin::{Error, ErrorKind, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::digest::Digest;
use crate::platform::Platform;

/// Media types of manifests and indexes, for the field `Accept`.
pub(crate) const ACCEPTED: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json";

/// Media types of the configuration of a userland.
const CONFIGS: &[&str] =
    &["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];

/// Media types of layers without what says how they are compressed.
const LAYERS: &[&str] = &[
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.nondistributable.v1.tar",
    "application/vnd.docker.image.rootfs.diff.tar",
    "application/vnd.docker.image.rootfs.foreign.diff.tar",
];

/// Where a piece of content is named (image specification, "Descriptors").
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
    #[serde(default)]
    pub(crate) media_type: String,
    pub(crate) digest: Digest,
    pub(crate) size: u64,
    pub(crate) platform: Option<Platform>,
    #[serde(default)]
    pub(crate) annotations: BTreeMap<String, String>,
}

impl Descriptor {
    /// The tag that a layout gives it (image layout specification, "index.json").
    pub(crate) fn tag(&self) -> Option<&str> {
        self.annotations.get("org.opencontainers.image.ref.name").map(String::as_str)
    }

    /// Refuses what is no layer of files.
    pub(crate) fn refuse_unknown_layer(&self) -> Result<()> {
        let kind = &self.media_type;
        let plain = ["+gzip", "+zstd", ".gzip", ".zstd"].iter().find_map(|end| kind.strip_suffix(end));
        if LAYERS.contains(&plain.unwrap_or(kind)) {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::BadData,
            format!("the layer {} is of an unknown type, {kind:?}", self.digest),
        )
        .hint("tar archives, plain or compressed by gzip or zstd, can be read; encrypted ones cannot"))
    }
}

/// One platform's image.
#[derive(Debug, Clone)]
pub(crate) struct Manifest {
    pub(crate) config: Descriptor,
    pub(crate) layers: Vec<Descriptor>,
}

impl Manifest {
    /// Refuses what is no userland, such as a chart or a signature.
    pub(crate) fn refuse_artifact(&self) -> Result<()> {
        let kind = &self.config.media_type;
        if CONFIGS.contains(&kind.as_str()) {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::BadData,
            format!("it is no image of a userland but something of the type {kind:?}"),
        )
        .hint("registries keep other things than images, too; look at the name"))
    }
}

/// What an image's name may lead to.
#[derive(Debug, Clone)]
pub(crate) enum Document {
    Manifest(Manifest),
    Index(Vec<Descriptor>),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    #[serde(default)]
    schema_version: u32,
    manifests: Option<Vec<Descriptor>>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
}

impl Document {
    /// Which of the two it is, its own content tells: what claims to be both is refused.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self> {
        let raw: Raw = json(bytes, "manifest")?;
        match raw {
            Raw { manifests: Some(list), config: None, layers: None, .. } => Ok(Self::Index(list)),
            Raw { manifests: None, config: Some(config), layers: Some(layers), .. } => {
                Ok(Self::Manifest(Manifest { config, layers }))
            }
            Raw { schema_version: 1, .. } => {
                Err(Error::new(ErrorKind::BadData, "the manifest is of version 1")
                    .hint("such images are from before 2016; have it pushed again by a newer program"))
            }
            _ => Err(Error::new(ErrorKind::BadData, "neither a manifest nor an index").hint(
                "an index has `manifests`, a manifest has `config` and `layers`, and nothing has all of them",
            )),
        }
    }
}

/// The part of an image's configuration that matters here (image specification, "Image Configuration").
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Config {
    pub(crate) os: String,
    pub(crate) architecture: String,
    variant: Option<String>,
    rootfs: RootFs,
    #[serde(default)]
    config: Option<Startup>,
}

#[derive(Debug, Clone, Deserialize)]
struct RootFs {
    diff_ids: Vec<Digest>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Startup {
    entrypoint: Option<Vec<String>>,
    cmd: Option<Vec<String>>,
    env: Option<Vec<String>>,
    user: Option<String>,
    working_dir: Option<String>,
}

impl Config {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self> {
        json(bytes, "configuration")
    }

    /// Digests of the layers before they were compressed, the lowest first.
    pub(crate) fn diff_ids(&self) -> &[Digest] {
        &self.rootfs.diff_ids
    }

    pub(crate) fn platform(&self) -> Platform {
        Platform {
            os: self.os.clone(),
            architecture: self.architecture.clone(),
            variant: self.variant.clone(),
        }
    }

    /// What the image would have run, which is not done here, for the log.
    pub(crate) fn startup(&self) -> String {
        let Startup { entrypoint, cmd, env, user, working_dir } = self.config.clone().unwrap_or_default();
        let words = [entrypoint, cmd].into_iter().flatten().flatten().collect::<Vec<_>>();
        format!(
            "the image says, and nobody obeys: command {words:?}, environment {:?}, user {:?}, directory {:?}",
            env.unwrap_or_default(),
            user.unwrap_or_default(),
            working_dir.unwrap_or_default()
        )
    }
}

/// Content as a document; `what` is its name.
pub(crate) fn json<T: DeserializeOwned>(bytes: &[u8], what: &str) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|error| {
        Error::new(ErrorKind::BadData, format!("the {what} cannot be understood")).cause(error)
    })
}
