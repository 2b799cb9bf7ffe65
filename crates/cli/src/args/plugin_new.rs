//! What `plugin new` is told.

use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};
use qchroot_api::Kind;

pub(super) const NEW: &str = "Examples:
  qchroot plugin new acme.thing            a release source, in a directory of that name
  qchroot plugin new store --name acme.store --kind storage
  qchroot --dry-run plugin new acme.thing  list the files, write none

The project works as it is: `cargo build`, `cargo test`, then `qchroot plugin check` on
the library that was built. The sources it is built against lie in it, below sdk/.
Nothing of this needs the superuser. The plug-in guide goes on from there.";

#[derive(Debug, Args)]
pub(crate) struct New {
    /// The project's directory; it is made, or is there and empty
    pub(crate) dir: Utf8PathBuf,
    /// The plug-in's name, with a dot in it [default: the directory's]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// What it is to be
    #[arg(long, value_name = "KIND", value_enum, default_value_t)]
    pub(crate) kind: BackendKind,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(crate) enum BackendKind {
    /// Where a release comes from
    #[default]
    ReleaseSource,
    /// How a container shares it
    Storage,
    /// What keeps a container apart
    Isolation,
}

impl From<BackendKind> for Kind {
    fn from(kind: BackendKind) -> Self {
        match kind {
            BackendKind::ReleaseSource => Self::ReleaseSource,
            BackendKind::Storage => Self::SharedStorage,
            BackendKind::Isolation => Self::Isolation,
        }
    }
}
