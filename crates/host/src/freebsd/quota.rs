//! Limits for directories: file systems here keep limits for users and groups alone.

use camino::Utf8Path;
use qchroot_api::{Error, ErrorKind, Quota, QuotaStep, Result};
use qchroot_engine::Probe;
use rustix::fd::OwnedFd;

use crate::beneath::Spot;

/// No file system keeps limits for directories.
pub(crate) fn look(_at: &Utf8Path) -> Result<Option<Quota>> {
    Ok(None)
}

/// No directory counts anything.
pub(crate) fn adopt(_spot: &Spot, _into: &OwnedFd) -> Result<()> {
    Ok(())
}

/// Refuses.
pub(crate) fn apply(step: &QuotaStep) -> Result<()> {
    Err(Error::new(ErrorKind::Unavailable, format!("cannot {step}: this system has no project quotas")))
}

/// Nothing can be told.
pub(crate) fn probe(_step: &QuotaStep) -> Result<Probe> {
    Ok(Probe::Unknown)
}
