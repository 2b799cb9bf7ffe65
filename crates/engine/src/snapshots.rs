//! What is known of a container's snapshots: their names, and what is written down beside each. It knows the form of
//! `snapshot.toml`, not how a storage keeps what a container has.

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Container, Error, ErrorKind, Name, Place, ReleaseId, Result, Step, snapshot_dir};
use serde::{Deserialize, Serialize};

use crate::config::{ContainerFile, FORMAT, HasFormat, parse};
use crate::file_name::is_plain;
use crate::{Engine, Loaded};

/// `snapshots/NAME/snapshot.toml` in the container's directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SnapshotFile {
    /// Always 1.
    pub(crate) format: u32,
    /// When it was taken, in seconds since the epoch.
    pub(crate) taken: u64,
    /// The base that the container was pinned to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) release: Option<ReleaseId>,
    /// The base before its last upgrade, when that could be taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) upgraded_from: Option<ReleaseId>,
    /// The administration file as it was.
    pub(crate) file: String,
}

impl HasFormat for SnapshotFile {
    fn format(&self) -> u32 {
        self.format
    }
}

/// One line of `snapshot --list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SnapshotLine {
    /// Its name.
    pub name: String,
    /// When it was taken, in seconds since the epoch.
    pub taken: u64,
    /// The base that the container was pinned to, where it is known.
    pub release: Option<ReleaseId>,
}

impl Engine<'_> {
    /// The snapshots of a container, the oldest first.
    pub fn snapshots(&self, name: &Name) -> Result<Vec<SnapshotLine>> {
        self.snapshots_of(&self.load(name)?)
    }

    /// How many there are; none for who may not look.
    pub(crate) fn count_snapshots(&self, name: &Name, file: &ContainerFile) -> Option<usize> {
        let storage = self.registry.storage(&file.storage.backend).ok()?;
        let container = self.container(name, self.layout.container(name), file);
        Some(storage.snapshots(&container, self.view()).ok()?.len())
    }

    fn snapshots_of(&self, loaded: &Loaded<'_>) -> Result<Vec<SnapshotLine>> {
        let found = loaded.storage.snapshots(&loaded.container, self.view())?;
        let mut lines = found
            .into_iter()
            .map(|snapshot| {
                let record = self.snapshot_record(&loaded.container, &snapshot.name)?;
                Ok(SnapshotLine {
                    taken: record.as_ref().map_or(snapshot.taken, |record| record.taken),
                    release: record.and_then(|record| record.release),
                    name: snapshot.name,
                })
            })
            .collect::<Result<Vec<_>>>()?;
        lines.sort_by_key(|line| line.taken);
        Ok(lines)
    }

    /// What was written down about a snapshot; none for one that somebody took by the storage's own means.
    pub(crate) fn snapshot_record(&self, container: &Container, name: &str) -> Result<Option<SnapshotFile>> {
        self.read_record(&record_path(container, name))
    }

    fn read_record(&self, path: &Utf8Path) -> Result<Option<SnapshotFile>> {
        match self.host.read_own(path)? {
            None => Ok(None),
            Some(bytes) => parse(path, &String::from_utf8_lossy(&bytes)).map(Some),
        }
    }

    /// The step that writes down what the container `loaded` is now about its snapshot `name`.
    pub(crate) fn record_snapshot(&self, loaded: &Loaded<'_>, name: &str) -> Result<Step> {
        let path = record_path(&loaded.container, name);
        let was = self.host.read_own(&path)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let record = SnapshotFile {
            format: FORMAT,
            taken: self.host.wall_clock(),
            release: loaded.file.release.clone(),
            upgraded_from: self.previous(&loaded.name)?.map(|previous| previous.from),
            file: self.read_file(&loaded.name)?.1,
        };
        let text = toml::to_string_pretty(&record)
            .map_err(|e| Error::new(ErrorKind::Internal, format!("cannot write {path}")).cause(e))?;
        Ok(Step::WriteFile { at: Place::host(path), text, mode: 0o600, was })
    }

    /// The releases that the snapshots of the container `name` need, with the snapshots' names.
    pub(crate) fn releases_of_snapshots(&self, name: &Name) -> Result<Vec<(ReleaseId, String)>> {
        let all = self.layout.container(name).join("snapshots");
        let mut needed = vec![];
        for snapshot in self.host.list_own(&all)? {
            let Some(record) = self.read_record(&all.join(&snapshot).join(RECORD))? else { continue };
            needed.extend(record.release.map(|id| (id, snapshot)));
        }
        Ok(needed)
    }
}

const RECORD: &str = "snapshot.toml";

fn record_path(container: &Container, name: &str) -> Utf8PathBuf {
    snapshot_dir(container, name).join(RECORD)
}

/// Refuses what is no name of a snapshot: it becomes a file name, and a part of a data set's.
pub(crate) fn check_snapshot_name(name: &str) -> Result<()> {
    if is_plain(name) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Usage, format!("bad snapshot name {name:?}"))
        .hint("use at most 64 letters, digits, dashes, underscores and dots, for example before-upgrade"))
}
