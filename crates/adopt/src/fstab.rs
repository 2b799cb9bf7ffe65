//! fstab(5) files of one container: which tree it shares, and what else was mounted in it.

use camino::{Utf8Path, Utf8PathBuf};

/// One mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) line: usize,
    pub(crate) what: Utf8PathBuf,
    pub(crate) at: Utf8PathBuf,
    pub(crate) kind: String,
}

impl Entry {
    /// Whether it shows a tree at `mount` in a container.
    pub(crate) fn is_share(&self, mount: &str) -> bool {
        self.kind == "nullfs" && self.at.file_name() == Some(mount)
    }

    /// What is said of a mount that nobody takes over.
    pub(crate) fn lost(&self) -> String {
        format!("the mount of {} on {} ({}) is not taken over", self.what, self.at, self.kind)
    }
}

/// The entries of a file, and the numbers of lines that are none.
pub(crate) fn entries(text: &str) -> (Vec<Entry>, Vec<usize>) {
    let (mut entries, mut broken) = (vec![], vec![]);
    for (index, text) in text.lines().enumerate() {
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let line = index + 1;
        match text.split_whitespace().collect::<Vec<_>>().as_slice() {
            [what, at, kind, ..] => {
                let path = |field: &str| Utf8Path::new(&field.replace("\\040", " ")).to_owned();
                entries.push(Entry { line, what: path(what), at: path(at), kind: (*kind).into() });
            }
            _ => broken.push(line),
        }
    }
    (entries, broken)
}
