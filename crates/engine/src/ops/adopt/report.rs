//! What `adopt` found, would do, and did. It decides nothing.

use camino::Utf8PathBuf;
use qchroot_adopt::{Found, Left, Note, System, Tool};
use qchroot_api::{Error, Name, Plan, ReleaseId};
use serde::Serialize;

use super::explained;
use crate::ContainerFile;

/// Everything that one run of `adopt` has to say.
#[derive(Debug, Clone, Serialize)]
pub struct Adoption {
    /// Whether it was done; otherwise this is what would be.
    pub applied: bool,
    /// One for each tool that has something left to be taken.
    pub systems: Vec<AdoptedSystem>,
    /// What went wrong, in order.
    #[serde(skip)]
    pub failures: Vec<Error>,
}

/// What one tool left.
#[derive(Debug, Clone, Serialize)]
pub struct AdoptedSystem {
    /// The tool.
    pub tool: Tool,
    /// Shared trees that become bases.
    pub releases: Vec<AdoptedRelease>,
    /// Containers that are taken.
    pub containers: Vec<AdoptedContainer>,
    /// What stays as it is.
    pub left: Vec<Left>,
    /// Lines that are not understood.
    pub notes: Vec<Note>,
    /// What is to be done by hand.
    pub by_hand: Vec<String>,
    /// Containers that are known and not in this report.
    #[serde(skip)]
    known: Vec<String>,
}

/// A shared tree that becomes a base.
#[derive(Debug, Clone, Serialize)]
pub struct AdoptedRelease {
    /// Its identity.
    pub id: ReleaseId,
    /// Where the tree was.
    pub from: Utf8PathBuf,
    /// Whether it was done.
    pub done: bool,
    /// The steps.
    pub steps: Plan,
}

/// A container that is taken.
#[derive(Debug, Clone, Serialize)]
pub struct AdoptedContainer {
    /// Its name.
    pub name: Name,
    /// Where its tree was.
    pub from: Utf8PathBuf,
    /// The base that it shares.
    pub release: ReleaseId,
    /// Its administration file.
    pub file: ContainerFile,
    /// What its configuration cannot say.
    pub warnings: Vec<String>,
    /// Whether it was done.
    pub done: bool,
    /// The steps.
    pub steps: Plan,
    /// What leads back.
    pub back: Vec<String>,
}

impl Adoption {
    /// Whether it speaks of a container.
    pub(super) fn knows(&self, name: &str) -> bool {
        self.systems.iter().any(|system| system.known.iter().any(|known| known == name))
    }
}

impl AdoptedSystem {
    pub(super) fn of(system: &System) -> Self {
        let found = system.containers.iter().map(|found| &found.name);
        let known = found.chain(system.left.iter().map(|left| &left.name)).cloned().collect();
        let (notes, by_hand) = (system.notes.clone(), system.by_hand.clone());
        Self { tool: system.tool, releases: vec![], containers: vec![], left: vec![], notes, by_hand, known }
    }

    /// A container that was taken before is not spoken of again, nor are the lines of its files.
    pub(super) fn forget(&mut self, name: &str) {
        let of_it = |note: &Note| {
            let mut names = note.file.components().rev().map(|part| part.as_str());
            names.any(|part| {
                part == name || part.strip_suffix(".norun").or(part.strip_suffix(".man")) == Some(name)
            }) || note.file.as_str().ends_with(&format!("/fstab.{name}"))
        };
        self.notes.retain(|note| !of_it(note));
    }

    pub(super) fn leave(&mut self, found: &Found, error: &Error, is_named: bool, failures: &mut Vec<Error>) {
        self.left.push(explained(&found.name, error));
        if is_named {
            failures.push(error.clone());
        }
    }

    /// Whether nothing is to be done, and nothing stands in the way of more.
    pub(super) fn is_idle(&self) -> bool {
        self.releases.is_empty() && self.containers.is_empty() && self.left.is_empty()
    }
}
