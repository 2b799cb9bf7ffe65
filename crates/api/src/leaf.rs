//! A base is a leaf: nothing is mounted in it. It knows no mounts but those that the host tells of.

use crate::{Base, Error, ErrorKind, Observe, Result};

/// Refuses a base in which something is mounted: a second view of it would hide that, or show files that are not the
/// base's and can perhaps be written.
///
/// # Errors
/// Busy, with the mount.
pub fn require_leaf(base: &Base, host: &dyn Observe) -> Result<()> {
    let parts = [host.real_path(&base.template)?, host.real_path(&base.sharedfs)?];
    let inside = |at: &camino::Utf8Path| parts.iter().any(|part| at.starts_with(part));
    match host.mounts()?.into_iter().find(|mounted| inside(&mounted.at)) {
        None => Ok(()),
        Some(mounted) => {
            let message = format!("release {} cannot be used: {} is mounted in it", base.id, mounted.fs);
            Err(Error::new(ErrorKind::Busy, message)
                .cause(format!("its source is {}", mounted.source))
                .with("path", &mounted.at)
                .hint(format!("unmount {} first", mounted.at)))
        }
    }
}
