//! What a source has put into its staging directory, for a test to look at.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use qchroot_api::{Node, NodeKind, Progress};

/// A staging directory that was filled.
#[derive(Debug, Clone, Default)]
pub struct Filled {
    pub(super) entries: BTreeMap<PathBuf, (Node, Vec<u8>)>,
    pub(super) notes: Vec<String>,
    pub(super) progress: Vec<Progress>,
    pub(super) finished: bool,
}

impl Filled {
    /// The paths of everything that was written, sorted.
    #[must_use]
    pub fn paths(&self) -> Vec<&str> {
        self.entries.keys().filter_map(|path| path.to_str()).collect()
    }

    /// What was written at a path.
    #[must_use]
    pub fn node(&self, path: impl AsRef<Path>) -> Option<&Node> {
        self.entries.get(path.as_ref()).map(|(node, _)| node)
    }

    /// The text of a file.
    #[must_use]
    pub fn text(&self, path: impl AsRef<Path>) -> Option<&str> {
        let (node, content) = self.entries.get(path.as_ref())?;
        matches!(node.kind, NodeKind::File { .. }).then_some(content)?;
        std::str::from_utf8(content).ok()
    }

    /// The lines for the log.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// How far the work had come, each time that it was told.
    #[must_use]
    pub fn progress(&self) -> &[Progress] {
        &self.progress
    }

    /// Whether the source has said that the tree is whole: `TreeWriter::finish`.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.finished
    }
}
