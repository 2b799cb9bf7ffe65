//! Images that tests make, entry by entry.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tar::{EntryType, Header};

pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub(crate) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// `sha256:…`
pub(crate) fn digest(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// A tar archive.
pub(crate) struct Tar(tar::Builder<Vec<u8>>);

impl Tar {
    pub(crate) fn new() -> Self {
        Self(tar::Builder::new(vec![]))
    }

    pub(crate) fn entry(
        mut self,
        name: &str,
        kind: EntryType,
        mode: u32,
        link: &str,
        content: &[u8],
    ) -> Self {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(1_700_000_000);
        header.set_size(content.len() as u64);
        header.set_device_major(1).unwrap();
        header.set_device_minor(3).unwrap();
        if link.is_empty() {
            // What the builder itself would refuse is written all the same.
            if name.len() < 100 {
                header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
                header.set_cksum();
                self.0.append(&header, content).unwrap();
            } else {
                self.0.append_data(&mut header, name, content).unwrap();
            }
        } else {
            self.0.append_link(&mut header, name, link).unwrap();
        }
        self
    }

    pub(crate) fn dir(self, name: &str, mode: u32) -> Self {
        self.entry(name, EntryType::Directory, mode, "", b"")
    }

    pub(crate) fn file(self, name: &str, content: &str) -> Self {
        self.entry(name, EntryType::Regular, 0o644, "", content.as_bytes())
    }

    pub(crate) fn link(self, name: &str, to: &str) -> Self {
        self.entry(name, EntryType::Symlink, 0o777, to, b"")
    }

    pub(crate) fn hard(self, name: &str, to: &str) -> Self {
        self.entry(name, EntryType::Link, 0o644, to, b"")
    }

    pub(crate) fn with(mut self, records: &[(&str, &[u8])]) -> Self {
        self.0.append_pax_extensions(records.iter().copied()).unwrap();
        self
    }

    pub(crate) fn bytes(self) -> Vec<u8> {
        self.0.into_inner().unwrap()
    }
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(vec![], Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

/// This machine's processor, as images name it.
pub(crate) fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// Pieces of content by digest, and a document that names them.
#[derive(Default, Clone)]
pub(crate) struct Image {
    pub(crate) blobs: Vec<Vec<u8>>,
    pub(crate) layers: Vec<Value>,
    pub(crate) diff_ids: Vec<String>,
}

impl Image {
    /// One of these layers, the lowest first.
    pub(crate) fn of(layers: impl IntoIterator<Item = Tar>) -> Self {
        layers.into_iter().fold(Self::default(), |image, layer| {
            let plain = layer.bytes();
            let packed = gzip(&plain);
            image.layer(&plain, packed, &format!("{LAYER}+gzip"))
        })
    }

    pub(crate) fn layer(mut self, plain: &[u8], packed: Vec<u8>, kind: &str) -> Self {
        self.diff_ids.push(digest(plain));
        let described = self.blob(packed, kind);
        self.layers.push(described);
        self
    }

    /// Adds a piece of content; what names it.
    pub(crate) fn blob(&mut self, bytes: Vec<u8>, kind: &str) -> Value {
        let described = json!({ "mediaType": kind, "digest": digest(&bytes), "size": bytes.len() });
        self.blobs.push(bytes);
        described
    }

    /// Adds configuration and manifest for a platform; what names them.
    pub(crate) fn manifest(&mut self, os: &str, architecture: &str) -> Value {
        let config = json!({
            "os": os, "architecture": architecture, "rootfs": { "type": "layers", "diff_ids": self.diff_ids },
            "config": { "Entrypoint": ["/bin/sh"], "Env": ["PATH=/bin"] },
        });
        let config = self.blob(config.to_string().into_bytes(), CONFIG);
        let manifest =
            json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": self.layers });
        self.blob(manifest.to_string().into_bytes(), MANIFEST)
    }

    /// For this machine.
    pub(crate) fn finished(mut self) -> (Self, Value) {
        let manifest = self.manifest("linux", architecture());
        (self, manifest)
    }

    /// Writes a layout whose index has these manifests.
    pub(crate) fn write(&self, dir: &Path, manifests: &[Value]) {
        for (name, bytes) in self.files(manifests) {
            let path = dir.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    }

    /// The files of a layout.
    pub(crate) fn files(&self, manifests: &[Value]) -> Vec<(String, Vec<u8>)> {
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests });
        let blob = |bytes: &Vec<u8>| (format!("blobs/{}", digest(bytes).replace(':', "/")), bytes.clone());
        let mut all: Vec<_> = self.blobs.iter().map(blob).collect();
        all.push(("index.json".into(), index.to_string().into_bytes()));
        all.push(("oci-layout".into(), br#"{"imageLayoutVersion": "1.0.0"}"#.to_vec()));
        all
    }
}
