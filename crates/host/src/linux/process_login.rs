//! There are no login classes on Linux: limits and environment are those of the container's own files.

use std::collections::BTreeMap;

use qchroot_api::{Entry, Result};

/// Nothing; see the module.
pub(super) struct Login;

impl Login {
    /// Of nobody.
    #[expect(clippy::unnecessary_wraps, reason = "other systems have to ask")]
    pub(super) fn of(_entry: &Entry) -> Result<Self> {
        Ok(Self)
    }

    /// Takes on nothing.
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "on FreeBSD it can fail")]
    pub(super) fn outside(&self, _env: &mut BTreeMap<String, String>) -> Result<()> {
        Ok(())
    }

    /// Takes on nothing.
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "on FreeBSD it can fail")]
    pub(super) fn inside(&self, _env: &mut BTreeMap<String, String>) -> Result<()> {
        Ok(())
    }
}
