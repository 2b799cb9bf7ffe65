//! A host in memory, for unit tests that need neither the superuser nor qchroot.
//!
//! It answers what was planted, and says so of what was not. It is no kernel: what a plug-in does on a real machine is
//! for `qchroot plugin check` to find out.
//!
//! ```
//! use qchroot_plugin::testing::Desk;
//! use qchroot_plugin::{Observe, Place};
//!
//! let desk = Desk::new().with_file("/etc/os-release", "ID=debian\n");
//! let host: &dyn Observe = &desk;
//! assert_eq!(host.read(&Place::host("/etc/os-release"))?, "ID=debian\n");
//! assert_eq!(host.list(&Place::host("/etc"))?, ["os-release"]);
//! assert!(host.has_fs("overlay").is_err(), "nobody planted an answer");
//! # Ok::<(), qchroot_plugin::Error>(())
//! ```

mod desk;
mod filled;
mod work;

use qchroot_api::camino::Utf8PathBuf;
use qchroot_api::{Base, Brand, Container, Error, Limits, Options, Result};

pub use desk::Desk;
pub use filled::Filled;

/// A base as it is after an install, below `/bases/tiny`: `bin` and `usr/bin` are shared.
///
/// # Errors
/// None that depends on anything.
pub fn base(brand: Brand) -> Result<Base> {
    let dir = Utf8PathBuf::from("/bases/tiny");
    Ok(Base {
        id: "tiny-0123456789ab".parse()?,
        sharedfs: dir.join("sharedfs"),
        template: dir.join("template"),
        brand,
        shared: vec!["bin".into(), "usr/bin".into()],
        host_dirs: vec![],
    })
}

/// A container with this name, below `/containers`, without options or limits.
///
/// # Errors
/// Usage, for what is no name.
pub fn container(name: &str) -> Result<Container> {
    Ok(Container {
        name: name.parse()?,
        dir: Utf8PathBuf::from("/containers").join(name),
        log: Utf8PathBuf::from("/log").join(name),
        storage: Options::new(),
        isolation: Options::new(),
        limits: Limits::default(),
        own_dev: false,
    })
}

fn io(error: &std::io::Error, what: impl std::fmt::Display) -> Error {
    Error::from_io(error, format!("cannot read {what}"))
}
