//! What the header of an export says, and which of its files a container gets. It reads and writes nothing.

use std::path::PathBuf;

use qchroot_api::{Brand, DiskFs, Name, Node, NodeKind, ReleaseId, SAFE_DEVICES};
use serde::{Deserialize, Serialize};

use crate::Installed;
use crate::config::HasFormat;

/// `qchroot-export.toml`, the first member of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportFile {
    /// Always 1.
    pub format: u32,
    /// The container's name.
    pub name: Name,
    /// Its storage.
    pub storage: String,
    /// Members of the data.
    pub entries: u64,
    /// Bytes of all files, holes counted.
    pub bytes: u64,
    /// Bytes that they took of the host's space.
    pub allocated: u64,
    /// The base that the data belongs to.
    pub release: ExportedRelease,
    /// The disk, where the data is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk: Option<ExportedDisk>,
}

impl HasFormat for ExportFile {
    fn format(&self) -> u32 {
        self.format
    }
}

/// The base of an exported container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportedRelease {
    /// Which one.
    pub id: ReleaseId,
    /// Name and version.
    pub version: String,
    /// SHA-256 over what decided its content.
    pub digest: String,
    /// What it was made for.
    pub brand: Brand,
    /// The source it came from.
    pub source: String,
}

impl ExportedRelease {
    pub(crate) fn of(installed: &Installed) -> Self {
        let (id, file) = (installed.base.id.clone(), installed.file.clone());
        Self { id, version: file.version, digest: file.digest, brand: file.brand, source: file.source }
    }
}

/// The disk of an exported container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportedDisk {
    /// Its file system.
    pub fs: DiskFs,
    /// Its length in bytes.
    pub length: u64,
}

/// What overlayfs notes for itself on a layer; only these mean something on another host: a directory hides what is
/// below it, and what belongs to an overlayfs inside the container.
const OVERLAY: &[u8] = b"trusted.overlay.";
const OPAQUE: &[u8] = b"trusted.overlay.opaque";
const NESTED: &[u8] = b"trusted.overlay.overlay.";

/// Takes from a node what only means something on the machine it is on.
pub(crate) fn settle(node: &mut Node) {
    let is_directory = node.kind == NodeKind::Directory;
    node.xattrs.retain(|(name, value)| {
        !name.starts_with(OVERLAY)
            || name.starts_with(NESTED)
            || (name == OPAQUE && value == b"y" && is_directory)
    });
}

/// Takes from an export what a container may have, and remembers the devices that it does not get.
#[derive(Debug, Default)]
pub(crate) struct Customs {
    pub(crate) layer: bool,
    pub(crate) left_out: Vec<PathBuf>,
}

impl Customs {
    /// Whether the container gets the node. Of devices it gets the safe ones, and the marks of removed files where its
    /// data is a layer.
    pub(crate) fn accept(&mut self, node: &mut Node) -> bool {
        settle(node);
        let is_safe = match node.kind {
            NodeKind::Device { block: false, major: 0, minor: 0 } => self.layer,
            NodeKind::Device { block: false, major, minor } => {
                SAFE_DEVICES.iter().any(|&(_, safe, number)| (safe, number) == (major, minor))
            }
            NodeKind::Device { block: true, .. } => false,
            _ => true,
        };
        if !is_safe {
            self.left_out.push(node.path.clone());
        }
        is_safe
    }
}
