//! What must be written down, and what must not.

use std::path::Path;

use serde_json::Value;

use crate::Result;

/// The pages that every version has.
const PAGES: &[&str] = &[
    "README.md",
    "docs/architecture.md",
    "docs/dependencies.md",
    "docs/development.md",
    "docs/exit-codes.md",
    "docs/file-formats.md",
    "docs/glossary.md",
    "docs/user-guide.md",
];

/// Folders that exist on one machine only; root's home as such is in every container too.
const MACHINE: &[&str] = &["/work/", "/root/.cargo", "/root/.rustup"];

/// Where this rule itself is spelled out.
const RULE: &str = "xtask/src/tidy/documents.rs";

/// Complaints about pages that are missing or that leave something out.
pub(super) fn check(root: &Path, packages: &[Value]) -> Result<Vec<String>> {
    let read = |page: &str| std::fs::read_to_string(root.join(page));
    let missing = PAGES.iter().filter(|page| !root.join(page).is_file());
    let mut complaints: Vec<String> = missing.map(|page| format!("{page}: is missing")).collect();
    if !has_decision(&root.join("docs/adr")) {
        complaints.push("docs/adr: holds no decision".to_owned());
    }
    if let Ok(page) = read("docs/dependencies.md") {
        complaints.extend(unexplained(&read("Cargo.toml")?, &page));
    }
    if let Ok(map) = read("docs/architecture.md") {
        complaints.extend(unmapped(&folders(root, packages), &map));
    }
    Ok(complaints)
}

/// Complaints about paths of one machine in any file of the project.
pub(super) fn machine_paths(path: &str, text: &str) -> Vec<String> {
    if path == RULE {
        return Vec::new();
    }
    let guilty = |line: &str| MACHINE.iter().any(|folder| begins_path(line, folder));
    let lines = text.lines().enumerate().filter(|(_, line)| guilty(line));
    lines.map(|(line, _)| format!("{path}:{}: names a folder of one machine", line + 1)).collect()
}

/// Whether `folder` stands in `line` as the beginning of a path and not within one.
fn begins_path(line: &str, folder: &str) -> bool {
    let inside = |c: char| c.is_alphanumeric() || "_-./}~*".contains(c);
    line.match_indices(folder).any(|(at, _)| !line[..at].ends_with(inside))
}

fn has_decision(folder: &Path) -> bool {
    let Ok(entries) = folder.read_dir() else { return false };
    entries.flatten().any(|entry| entry.path().extension().is_some_and(|extension| extension == "md"))
}

/// Dependencies that the page of dependencies does not name.
fn unexplained(manifest: &str, page: &str) -> Vec<String> {
    let named = |name: &&str| page.contains(&format!("`{name}`"));
    let silent = foreign_dependencies(manifest).into_iter().filter(|name| !named(name));
    silent.map(|name| format!("docs/dependencies.md: does not say why `{name}` is used")).collect()
}

/// The names in the table of the workspace's dependencies that are no path.
fn foreign_dependencies(manifest: &str) -> Vec<&str> {
    let table = manifest.lines().skip_while(|line| line.trim() != "[workspace.dependencies]").skip(1);
    let entries = table.take_while(|line| !line.starts_with('[')).filter_map(|line| line.split_once('='));
    entries.filter(|(_, value)| !value.contains("path =")).map(|(name, _)| name.trim()).collect()
}

/// Folders of packages that the map does not name.
fn unmapped(folders: &[String], map: &str) -> Vec<String> {
    let silent = folders.iter().filter(|folder| !names(map, folder));
    silent.map(|folder| format!("docs/architecture.md: does not name {folder}")).collect()
}

fn names(map: &str, folder: &str) -> bool {
    let goes_on = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    map.match_indices(folder).any(|(at, _)| !map[at + folder.len()..].starts_with(goes_on))
}

fn folders(root: &Path, packages: &[Value]) -> Vec<String> {
    let manifests = packages.iter().filter_map(|package| package["manifest_path"].as_str());
    let folders = manifests.filter_map(|path| Path::new(path).parent()?.strip_prefix(root).ok());
    folders.map(|folder| folder.display().to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_foreign_dependency_is_explained() {
        let manifest = "[workspace]\nmembers = []\n[workspace.dependencies]\nours = { path = \"crates/ours\" }\n\n\
                        tar = \"0.4\"\nzstd = { version = \"0.13\" }\n[workspace.lints.rust]\nunsafe_code = \"deny\"\n";
        assert_eq!(foreign_dependencies(manifest), ["tar", "zstd"]);
        let complaints = unexplained(manifest, "| `tar` | parses archives; a zstd too |");
        assert_eq!(complaints, ["docs/dependencies.md: does not say why `zstd` is used"]);
    }

    #[test]
    fn every_folder_is_on_the_map() {
        let folders = ["crates/api".to_owned(), "plugins/storage-md".to_owned(), "xtask".to_owned()];
        let map = "`crates/api`, `plugins/storage-md-old`, and xtask.";
        assert_eq!(unmapped(&folders, map), ["docs/architecture.md: does not name plugins/storage-md"]);
    }

    #[test]
    fn a_path_of_one_machine_is_found_and_a_folder_called_work_is_not() {
        let guilty = machine_paths("README.md", "fine\nsee /work/main, or \"/root/.cargo\"\n");
        assert_eq!(guilty, ["README.md:2: names a folder of one machine"]);
        assert!(machine_paths("a.rs", "upper/work/x {dir}/work/ var/root/").is_empty());
    }

    #[test]
    fn a_missing_page_is_reported() {
        let complaints = check(Path::new("/nonexistent"), &[]).unwrap();
        assert!(complaints.contains(&"docs/user-guide.md: is missing".to_owned()), "{complaints:?}");
        assert!(complaints.contains(&"docs/adr: holds no decision".to_owned()), "{complaints:?}");
    }
}
