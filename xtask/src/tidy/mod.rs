//! The rules that no compiler knows: who may depend on whom, where which code may stand, what must be written
//! down. Each rule is a function from text to complaints, so that its test is a few lines of text.

mod dependencies;
mod documents;
mod functions;
mod rust_files;
mod source;

use std::path::Path;

use crate::Result;
use crate::reference;
use crate::run::Run;
use crate::workspace::Workspace;
use source::SourceFile;

/// `cargo xtask tidy`.
pub(crate) fn task(workspace: &Workspace) -> Result<()> {
    let mut complaints = dependencies::check(workspace.packages());
    let files = project_files()?;
    for file in &files {
        complaints.extend(check_file(file)?);
    }
    complaints.extend(documents::check(&workspace.root, workspace.packages())?);
    complaints.extend(reference::complaint(&workspace.root)?);
    if complaints.is_empty() {
        println!("tidy: {} files keep the rules", files.len());
        return Ok(());
    }
    complaints.sort();
    for complaint in &complaints {
        println!("{complaint}");
    }
    Err(format!("tidy: {} complaints", complaints.len()).into())
}

fn check_file(path: &str) -> Result<Vec<String>> {
    let bytes = std::fs::read(path).map_err(|e| format!("cannot read {path}: {e}"))?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let mut complaints = documents::machine_paths(path, &text);
    if Path::new(path).extension().is_some_and(|extension| extension == "rs") {
        let file = SourceFile::new(path, text);
        complaints.extend(rust_files::check(&file));
        complaints.extend(functions::check(&file));
    }
    Ok(complaints)
}

/// What git tracks, or would if it were added, and that is still there.
fn project_files() -> Result<Vec<String>> {
    let listing =
        Run::new("git").args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).text()?;
    let is_file = |path: &&str| Path::new(path).symlink_metadata().is_ok_and(|meta| meta.is_file());
    Ok(listing.split('\0').filter(is_file).map(str::to_owned).collect())
}
