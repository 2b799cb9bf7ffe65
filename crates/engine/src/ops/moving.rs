//! Turns what a merge decided into steps, the record for a rollback, and the list that people read. It decides
//! nothing about a file and touches none.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Place, Plan, Step};

use super::upgrade::Changed;
use crate::merge::{Fate, Merged};
use crate::previous::{Change, Put, Rooms};

/// Where an upgrade works, and what it has gathered so far.
pub(crate) struct Moving {
    /// The container's private tree.
    pub(crate) at: Utf8PathBuf,
    /// Where what is moved in and out lies.
    pub(crate) rooms: Rooms,
    /// The new base's directory.
    pub(crate) base: Utf8PathBuf,
    /// Links that belong into the private tree beside the template.
    pub(crate) links: Vec<(Utf8PathBuf, Utf8PathBuf)>,
    /// Paths of the new base that come from its template.
    pub(crate) in_template: BTreeSet<PathBuf>,
    /// Paths that exist in the private tree, or will.
    pub(crate) taken: BTreeSet<PathBuf>,
    /// The steps.
    pub(crate) steps: Plan,
    /// What they do, for a rollback.
    pub(crate) done: Vec<Change>,
    /// What they do, for people.
    pub(crate) changes: Vec<Changed>,
}

impl Moving {
    /// Takes one decision up.
    pub(crate) fn take(&mut self, merged: &Merged) {
        let Some(path) = Utf8Path::from_path(&merged.path) else {
            // No step can name it: it stays as it is, whatever the new base has.
            return self.tell(&merged.path, "kept", None);
        };
        match merged.fate {
            Fate::Added => {
                self.tell(&merged.path, "added", None);
                self.put(path, path, None);
            }
            Fate::Replaced { copy } => {
                self.tell(&merged.path, "replaced", None);
                let kept = self.keep(path);
                if copy { self.put(path, path, Some(kept)) } else { self.note(path, Some(kept), None) }
            }
            Fate::Removed => {
                self.tell(&merged.path, "removed", None);
                let kept = self.keep(path);
                self.note(path, Some(kept), None);
            }
            Fate::Access { was, to } => {
                self.tell(&merged.path, "access", None);
                self.steps.push(Step::SetAccess { at: Place::within(&self.at, path), to, was });
                let access = Some((was, to));
                self.done.push(Change { path: path.into(), kept: None, put: None, access });
            }
            Fate::Conflict => {
                let beside = free_beside(path, "new", &mut self.taken);
                self.tell(&merged.path, "conflict", Some(beside.to_string()));
                self.put(path, &beside, None);
            }
            Fate::Kept => self.tell(&merged.path, "kept", None),
        }
    }

    fn tell(&mut self, path: &Path, what: &'static str, beside: Option<String>) {
        self.changes.push(Changed { path: path.to_string_lossy().into_owned(), what, beside });
    }

    fn note(&mut self, path: &Utf8Path, kept: Option<usize>, put: Option<Put>) {
        self.done.push(Change { path: path.into(), kept, put, access: None });
    }

    /// Moves what the container has out of the way; the number it is kept under.
    fn keep(&mut self, path: &Utf8Path) -> usize {
        let number = self.done.len();
        let to = self.rooms.kept(number);
        self.steps.push(Step::Move { from: Place::within(&self.at, path), to });
        number
    }

    /// Puts what the new base has at `path` into the private tree at `to`.
    fn put(&mut self, path: &Utf8Path, to: &Utf8Path, kept: Option<usize>) {
        let at = Place::within(&self.at, to);
        if let Some((_, target)) = self.links.iter().find(|(link, _)| link == path) {
            let target = target.clone();
            self.steps.push(Step::Link { at, to: target.clone(), was: None });
            return self.note(to, kept, Some(Put::Link(target)));
        }
        let part = if self.in_template.contains(path.as_std_path()) { "template" } else { "sharedfs" };
        let source = Utf8Path::new(part).join(path);
        let copy = self.rooms.copy(self.done.len());
        self.steps.push(Step::CopyTree { from: self.base.join(&source), to: copy.clone() });
        self.steps.push(Step::Move { from: Place::host(copy), to: at });
        self.note(to, kept, Some(Put::Copy(source)));
    }
}

/// `PATH.SUFFIX`, or with a number after it when that is taken; it is taken from now on.
pub(crate) fn free_beside(path: &Utf8Path, suffix: &str, taken: &mut BTreeSet<PathBuf>) -> Utf8PathBuf {
    let mut beside = Utf8PathBuf::from(format!("{path}.{suffix}"));
    let mut number = 1;
    while !taken.insert(beside.clone().into()) {
        number += 1;
        beside = format!("{path}.{suffix}.{number}").into();
    }
    beside
}
