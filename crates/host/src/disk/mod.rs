//! Disks: file systems in files. What can be done to one, and how the machine stands to it. How a file is shown as a
//! device is the operating system's own module's business.

pub(crate) mod claim;

use qchroot_api::{DiskInfo, DiskStep, Error, ErrorKind, Result};
use qchroot_engine::Probe;

/// Carries out one step.
pub(crate) fn apply(step: &DiskStep) -> Result<()> {
    Err(Error::new(ErrorKind::Unavailable, format!("cannot {step}: disks cannot be worked on yet")))
}

/// How the machine stands to a step before it is carried out.
pub(crate) fn probe(_step: &DiskStep) -> Result<Probe> {
    Ok(Probe::Unknown)
}

/// What the disk in the file `at` looks like; none when there is no file.
pub(crate) fn look(at: &camino::Utf8Path) -> Result<Option<DiskInfo>> {
    Err(Error::new(ErrorKind::Unavailable, format!("cannot look at disk {at} yet")))
}
