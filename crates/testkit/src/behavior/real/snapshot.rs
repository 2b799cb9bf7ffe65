//! A tree on disk, with all that somebody could notice but times. It follows no link.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::fs::{self, File, Metadata};
use std::hash::Hasher;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What is at each path below a directory, in words.
pub(crate) type Snapshot = BTreeMap<PathBuf, String>;

/// Looks at everything below `dir`, whose own path is empty.
pub(crate) fn of(dir: &Path) -> Snapshot {
    let mut all = BTreeMap::new();
    let mut todo = vec![PathBuf::new()];
    while let Some(path) = todo.pop() {
        let at = dir.join(&path);
        let meta = fs::symlink_metadata(&at).unwrap_or_else(|error| panic!("{}: {error}", at.display()));
        if meta.is_dir() {
            let entries = fs::read_dir(&at).expect("a directory can be listed");
            todo.extend(entries.map(|entry| path.join(entry.expect("an entry can be read").file_name())));
        }
        all.insert(path, words(&at, &meta));
    }
    all
}

fn words(at: &Path, meta: &Metadata) -> String {
    let kind = meta.file_type();
    let content = if kind.is_symlink() {
        format!("-> {}", fs::read_link(at).expect("a link can be read").display())
    } else if kind.is_file() {
        format!("{} bytes {:x}", meta.len(), hash(at))
    } else {
        format!("device {:x}", meta.rdev())
    };
    format!("{:o} {}:{} {} names, {content}", meta.mode(), meta.uid(), meta.gid(), meta.nlink())
}

fn hash(at: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    let mut file = File::open(at).expect("a file can be read");
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer).expect("a file can be read") {
            0 => return hasher.finish(),
            n => hasher.write(&buffer[..n]),
        }
    }
}

/// Fails with the paths at which two trees differ.
#[track_caller]
pub(crate) fn assert_same(before: &Snapshot, after: &Snapshot, what: &str) {
    let paths = before.keys().chain(after.keys());
    let differ: BTreeMap<_, _> = paths
        .map(|path| (path, (before.get(path), after.get(path))))
        .filter(|(_, (before, after))| before != after)
        .collect();
    assert!(differ.is_empty(), "{what}: {} paths differ: {differ:#?}", differ.len());
}
