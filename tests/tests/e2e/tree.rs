//! What lies below a directory, to be compared with what lay there before.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// Path below the top → kind, mode, owner, content. Mounts below it are not entered.
#[derive(PartialEq, Eq, Clone)]
pub struct Tree(BTreeMap<PathBuf, String>);

impl Tree {
    /// Everything below `top` but the paths in `except` and what is below them.
    pub fn without(top: &Path, except: &[&str]) -> Self {
        Self(collect(top, except, false))
    }

    /// Everything below `top`, with the time of each one's last change.
    pub fn with_times(top: &Path) -> Self {
        Self(collect(top, &[], true))
    }

    /// Asserts that nothing differs from `self` now.
    #[track_caller]
    pub fn assert_same(&self, now: &Self, what: &str) {
        assert!(self == now, "{what}: {}", self.diff(now));
    }

    /// One line for each difference.
    pub fn diff(&self, now: &Self) -> String {
        let all: std::collections::BTreeSet<_> = self.0.keys().chain(now.0.keys()).collect();
        let differs = all.into_iter().filter(|path| self.0.get(*path) != now.0.get(*path));
        differs
            .map(|path| format!("\n{}: {:?} → {:?}", path.display(), self.0.get(path), now.0.get(path)))
            .collect()
    }
}

fn collect(top: &Path, except: &[&str], times: bool) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut todo = vec![PathBuf::new()];
    while let Some(path) = todo.pop() {
        let at = top.join(&path);
        // What goes away meanwhile is not there.
        let Ok(stat) = fs::symlink_metadata(&at) else { continue };
        let is_mount = !path.as_os_str().is_empty() && is_mount(&at, &stat);
        if stat.is_dir() && !is_mount {
            let entries = fs::read_dir(&at).into_iter().flatten().flatten();
            let below = entries.map(|entry| path.join(entry.file_name()));
            todo.extend(below.filter(|path| !except.iter().any(|e| Path::new(e) == path)));
        }
        let time = if times { format!(" {}.{:09}", stat.mtime(), stat.mtime_nsec()) } else { String::new() };
        found.insert(path, describe(&at, &stat) + &time + if is_mount { " mounted" } else { "" });
    }
    found
}

fn is_mount(at: &Path, stat: &fs::Metadata) -> bool {
    let parent = at.parent().and_then(|parent| fs::metadata(parent).ok());
    stat.is_dir() && parent.is_some_and(|parent| parent.dev() != stat.dev())
}

fn describe(at: &Path, stat: &fs::Metadata) -> String {
    let content = if stat.is_symlink() {
        fs::read_link(at).map_or("gone".into(), |to| to.display().to_string())
    } else if stat.is_file() {
        let digest = Sha256::digest(fs::read(at).unwrap_or_default());
        digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    } else {
        format!("{:x}", stat.rdev())
    };
    format!("{:o} {}:{} {content}", stat.mode(), stat.uid(), stat.gid())
}
