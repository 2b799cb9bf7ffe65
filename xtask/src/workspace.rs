//! What cargo knows about this workspace: its root, its target directory, its packages.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::Result;
use crate::run::Run;

/// The workspace that the tasks work on.
pub(crate) struct Workspace {
    /// Where the root `Cargo.toml` is; also the current directory of every task.
    pub(crate) root: PathBuf,
    /// Where cargo builds, as the environment and the configuration say.
    pub(crate) target: PathBuf,
    metadata: Value,
}

impl Workspace {
    /// Asks cargo, and makes the workspace's root the current directory.
    pub(crate) fn enter() -> Result<Self> {
        let text = Run::cargo().args(["metadata", "--format-version=1", "--no-deps"]).text()?;
        let metadata: Value = serde_json::from_str(&text)?;
        let path =
            |key: &str| metadata[key].as_str().map(PathBuf::from).ok_or(format!("no {key} in metadata"));
        let (root, target) = (path("workspace_root")?, path("target_directory")?);
        std::env::set_current_dir(&root).map_err(|e| format!("cannot enter {}: {e}", root.display()))?;
        Ok(Self { root, target, metadata })
    }

    /// The packages of this workspace, as `cargo metadata` describes them.
    pub(crate) fn packages(&self) -> &[Value] {
        self.metadata["packages"].as_array().map_or(&[], Vec::as_slice)
    }

    /// A program that cargo built, `profile` being `debug` or `release`.
    pub(crate) fn built(&self, profile: &str, program: &str) -> PathBuf {
        self.target.join(profile).join(program)
    }
}

/// Makes `directory` and those above it.
pub(crate) fn make_directory(directory: &Path) -> Result<()> {
    std::fs::create_dir_all(directory).map_err(|e| format!("cannot make {}: {e}", directory.display()).into())
}

/// Writes `text` to `file`, and names the file if it cannot.
pub(crate) fn write_file(file: &Path, text: &str) -> Result<()> {
    std::fs::write(file, text).map_err(|e| format!("cannot write {}: {e}", file.display()).into())
}
