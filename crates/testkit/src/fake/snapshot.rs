//! The state of the fake machine as text that can be compared, and what differs between two of them.

use std::collections::BTreeMap;
use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};

use super::resolve::{HOST, ROOT_MOUNT};
use super::state::State;
use super::volume::Spot;

/// Files, mounts, processes and, of FreeBSD's, jails, interfaces and rules, without times and process ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    files: BTreeMap<Utf8PathBuf, String>,
    mounts: Vec<String>,
    freebsd: Vec<String>,
    limits: Vec<String>,
    processes: Vec<String>,
}

impl Snapshot {
    pub(super) fn of(state: &State, dirs: &[Utf8PathBuf]) -> Self {
        let spots = dirs.iter().map(|path| Spot { volume: 0, path: path.clone() });
        let mut files = BTreeMap::new();
        for spot in spots {
            let below = state.tree.volumes.below(&spot);
            files.extend(below.into_iter().map(|(path, inode)| (path, inode.to_string())));
        }
        let mounts = state.tree.mounts.iter().filter(|m| m.id != ROOT_MOUNT);
        let process = |p: &super::state::Running| {
            let lock = p.holds.as_ref().map_or(String::new(), |lock| format!(" holds {lock}"));
            format!("{} in {}{lock}", p.info.command, p.info.root)
        };
        Self {
            files,
            mounts: mounts
                .map(|m| {
                    let mode = if m.line.read_only { "read-only" } else { "writable" };
                    let inside = if m.space == HOST { "" } else { " in a sandbox" };
                    format!("{} {} on {} {mode}{inside}", m.line.fs, m.line.source, m.line.at)
                })
                .collect(),
            freebsd: if state.on_linux() { vec![] } else { state.freebsd.lines() },
            limits: limits(state),
            processes: state.processes.iter().map(process).collect(),
        }
    }

    pub(super) fn files_alone(self) -> Self {
        Self { files: self.files, mounts: vec![], freebsd: vec![], limits: vec![], processes: vec![] }
    }

    /// The same without what is at and below a path.
    pub(crate) fn without(mut self, path: &Utf8Path) -> Self {
        self.files.retain(|at, _| !at.starts_with(path));
        self
    }

    /// What is in `self` and not in `after` with a minus, and the other way round with a plus; empty when they
    /// are the same.
    #[must_use]
    pub fn diff(&self, after: &Self) -> String {
        let (old, new) = (self.lines(), after.lines());
        let gone = old.iter().filter(|line| !new.contains(line)).map(|line| format!("- {line}\n"));
        let come = new.iter().filter(|line| !old.contains(line)).map(|line| format!("+ {line}\n"));
        let lines: String = gone.chain(come).collect();
        if lines.is_empty() && self != after { "the order differs\n".into() } else { lines }
    }

    /// Ends the test, with what differs, unless the two are the same.
    ///
    /// # Panics
    /// When they differ.
    #[track_caller]
    pub fn assert_same(&self, after: &Self, when: &str) {
        assert!(self == after, "{when}, the machine is not as before:\n{}", self.diff(after));
    }

    fn lines(&self) -> Vec<String> {
        let files = self.files.iter().map(|(path, what)| format!("{path}: {what}"));
        let mounts = self.mounts.iter().map(|line| format!("mount {line}"));
        let freebsd = self.freebsd.iter().cloned();
        let processes = self.processes.iter().map(|line| format!("process {line}"));
        let limits = self.limits.iter().map(|line| format!("limit of {line}"));
        files.chain(mounts).chain(freebsd).chain(processes).chain(limits).collect()
    }
}

fn limits(state: &State) -> Vec<String> {
    let projects = state.project_limits.iter().map(|(number, most)| format!("project {number}: {most}"));
    let groups = state.groups.iter().map(|(name, limits)| format!("group {name}: {limits:?}"));
    projects.chain(groups).collect()
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines().iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}
