//! Disks: file systems in files. What can be done to one, and how the machine stands to it. How a file is shown as a
//! device is the operating system's own module's business.

pub(crate) mod claim;
pub(crate) mod content;
mod look;

pub(crate) use look::look;

use qchroot_api::{DiskStep, Error, ErrorKind, Result};
use qchroot_engine::Probe;

/// Carries out one step.
pub(crate) fn apply(step: &DiskStep) -> Result<()> {
    Err(Error::new(ErrorKind::Unavailable, format!("cannot {step}: disks cannot be worked on yet")))
}

/// How the machine stands to a step before it is carried out.
pub(crate) fn probe(_step: &DiskStep) -> Result<Probe> {
    Ok(Probe::Unknown)
}
