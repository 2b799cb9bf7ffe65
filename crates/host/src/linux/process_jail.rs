//! There are no jails on Linux: its plans know no such way.

use camino::Utf8Path;
use qchroot_api::{Error, ErrorKind, Result};

/// What nobody can open.
pub(super) enum JailDoor {}

impl JailDoor {
    /// # Errors
    /// Always unavailable.
    pub(super) fn open(name: &str, _root: &Utf8Path) -> Result<Self> {
        let message = format!("cannot enter jail {name}: jails are FreeBSD's");
        Err(Error::new(ErrorKind::Unavailable, message).hint("use the isolation namespaces"))
    }

    /// Never called.
    pub(super) fn id(&self) -> u64 {
        match *self {}
    }

    /// Never called.
    pub(super) fn enter(&self, _directory: &Utf8Path, _keep: &[i32]) -> Result<()> {
        match *self {}
    }
}
