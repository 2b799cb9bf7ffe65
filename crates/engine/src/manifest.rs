//! The digest tree of a base: written when it is installed, held against its files by `release verify`. It knows
//! neither containers nor how the base was filled.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use camino::Utf8Path;
use qchroot_api::{Error, ErrorKind, Place, ReleaseId, Result, Step};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::base::BaseFile;
use crate::config::parse;
use crate::{Care, Deadline, Engine, Seen, SeenKind, mtree};

/// The file's name in a base's directory.
const MANIFEST: &str = "manifest.mtree";

/// The two trees of a base.
const PARTS: [&str; 2] = ["sharedfs", "template"];

/// What `release verify` found out about one base.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// Which base.
    pub id: ReleaseId,
    /// How many files were compared.
    pub files: usize,
    /// What is not as it was installed, sorted by path.
    pub drift: Vec<Drift>,
}

/// One file that is not as it was installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// Its path below the base's directory; what is not UTF-8 in it is replaced.
    pub path: String,
    /// What differs: `missing`, `extra`, `type`, `content`, `target`, `device`, `mode`, `owner`, `flags`.
    pub what: Vec<&'static str>,
}

impl Engine<'_> {
    /// Records every file of the base in `dir`, which has been split.
    pub(crate) fn record_base(&self, dir: &Utf8Path, deadline: Deadline) -> Result<()> {
        let describe = dir.join("release.toml");
        let bytes = self.host.read_own(&describe)?.unwrap_or_default();
        let mut file: BaseFile = parse(&describe, &String::from_utf8_lossy(&bytes))?;
        let before = self.describe_text(&file)?;
        let trees = PARTS.map(|part| self.host.survey(&dir.join(part), &|_| Care::Digest));
        let [shared, template] = trees;
        let trees = [shared?, template?];
        let parts = [mtree::write(PARTS[0], &trees[0]), mtree::write(PARTS[1], &trees[1])];
        let text = mtree::file(&parts);
        file.manifest = Some(sha256(text.as_bytes()));
        file.bytes = trees.iter().flatten().map(size).sum();
        let write = |name: &str, text: String, was| {
            let step = Step::WriteFile { at: Place::host(dir.join(name)), text, mode: 0o644, was };
            self.host.apply(&step, deadline)
        };
        write(MANIFEST, text, None)?;
        write("release.toml", self.describe_text(&file)?, Some(before))
    }

    /// Holds the files of an installed base against what was recorded of them.
    ///
    /// # Errors
    /// Not found, when it is not installed or nothing was recorded; bad data, when the record itself is damaged.
    pub fn verify(&self, id: &ReleaseId) -> Result<Verified> {
        let installed = self.base(id)?;
        let dir = self.layout.release(id);
        let recorded = self.recorded(id, &dir, installed.file.manifest.as_deref())?;
        let mut found = vec![];
        for part in PARTS {
            let below = |mut seen: Seen| {
                seen.path = Path::new(part).join(seen.path);
                seen
            };
            found.extend(self.host.survey(&dir.join(part), &|_| Care::Digest)?.into_iter().map(below));
        }
        Ok(Verified { id: id.clone(), files: recorded.len(), drift: compare(&recorded, &found) })
    }

    fn recorded(&self, id: &ReleaseId, dir: &Utf8Path, digest: Option<&str>) -> Result<Vec<Seen>> {
        let path = dir.join(MANIFEST);
        let again = "install it again: `qchroot release remove`, then `qchroot install`";
        let Some(digest) = digest else {
            return Err(Error::new(ErrorKind::NotFound, format!("nothing was recorded of release {id}"))
                .with("release", id)
                .hint(again));
        };
        let damaged = |why: String| {
            Error::new(ErrorKind::BadData, format!("the record of release {id} is damaged: {path}"))
                .cause(why)
                .with("release", id)
                .hint(again)
        };
        let bytes = self.host.read_own(&path)?.ok_or_else(|| damaged("it is missing".into()))?;
        let is = sha256(&bytes);
        if is != digest {
            return Err(damaged(format!("its SHA-256 was {digest}, now it is {is}")));
        }
        let tree = mtree::parse(&String::from_utf8_lossy(&bytes));
        let tops: BTreeSet<PathBuf> = PARTS.iter().map(PathBuf::from).collect();
        let mut tree = tree.map_err(|line| damaged(format!("line {line} cannot be read")))?;
        tree.retain(|seen| !tops.contains(&seen.path));
        Ok(tree)
    }
}

fn size(seen: &Seen) -> u64 {
    match seen.kind {
        SeenKind::File { size, .. } => size,
        _ => 0,
    }
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn compare(recorded: &[Seen], found: &[Seen]) -> Vec<Drift> {
    let by_path = |tree: &'_ [Seen]| tree.iter().map(|seen| (seen.path.clone(), seen.clone())).collect();
    let (recorded, found): (BTreeMap<PathBuf, Seen>, BTreeMap<PathBuf, Seen>) =
        (by_path(recorded), by_path(found));
    let paths: BTreeSet<&PathBuf> = recorded.keys().chain(found.keys()).collect();
    let drift = |path: &PathBuf| {
        let what = match (recorded.get(path), found.get(path)) {
            (Some(_), None) => vec!["missing"],
            (None, _) => vec!["extra"],
            (Some(was), Some(is)) => differences(was, is),
        };
        (!what.is_empty()).then(|| Drift { path: path.to_string_lossy().into_owned(), what })
    };
    paths.into_iter().filter_map(drift).collect()
}

fn differences(was: &Seen, is: &Seen) -> Vec<&'static str> {
    let mut what = vec![];
    match (&was.kind, &is.kind) {
        (a, b) if a == b => {}
        (SeenKind::File { .. }, SeenKind::File { .. }) => what.push("content"),
        (SeenKind::Link { .. }, SeenKind::Link { .. }) => what.push("target"),
        (SeenKind::Device { .. }, SeenKind::Device { .. }) => what.push("device"),
        _ => what.push("type"),
    }
    let is_link = matches!(is.kind, SeenKind::Link { .. });
    if !is_link && was.access.mode != is.access.mode {
        what.push("mode");
    }
    if (was.access.uid, was.access.gid) != (is.access.uid, is.access.gid) {
        what.push("owner");
    }
    if was.flags != is.flags {
        what.push("flags");
    }
    what
}
