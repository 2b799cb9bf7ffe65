//! Processes of one container, held so that no number changes hands between the question and the signal.

use std::fs;
use std::os::unix::fs::MetadataExt;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::Result;

use super::init;
use super::kernel::Handle;
use super::members::Territory;

/// The processes of a container, by its root.
pub(super) struct Members {
    root: Utf8PathBuf,
    territory: Territory,
}

impl Members {
    pub(super) fn of(root: &Utf8Path) -> Self {
        Self { root: root.to_owned(), territory: Territory::new(root) }
    }

    /// One process, if it is the container's while it is held.
    pub(super) fn hold(&self, pid: i32) -> Result<Option<Handle>> {
        Ok(Handle::open(pid)?.filter(|_| self.territory.owns(pid)))
    }

    /// All but its init, and but those that run this program: they belong to services, and end with them.
    pub(super) fn all(&self) -> Result<Vec<Handle>> {
        let init = init::find(&self.root)?.map(|(pid, _)| pid);
        let mut held = Vec::new();
        for pid in self.territory.members()? {
            if Some(pid) != init && !runs_this_program(pid) {
                held.extend(self.hold(pid)?);
            }
        }
        Ok(held)
    }
}

fn runs_this_program(pid: i32) -> bool {
    let program =
        |of: &str| fs::metadata(format!("/proc/{of}/exe")).ok().map(|meta| (meta.dev(), meta.ino()));
    let own = program("self");
    own.is_some() && program(&pid.to_string()) == own
}
