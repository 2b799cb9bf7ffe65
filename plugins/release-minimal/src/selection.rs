//! What the options ask for, followed through the host: the entries to take and the directories to show. It reads
//! only.

use std::collections::BTreeMap;

use qchroot_api::camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Brand, Error, ErrorKind, Observe, Options, Result};
use serde::Deserialize;

use crate::closure::Closure;
use crate::tree::Entry;
use crate::{shown, skeleton};

/// How files get into the base.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    #[default]
    Copy,
    Link,
    Reflink,
    Mount,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    #[serde(default)]
    programs: Vec<String>,
    #[serde(default)]
    files: Vec<String>,
    #[serde(default)]
    mode: Mode,
}

impl Wanted {
    pub(crate) fn from(options: &Options) -> Result<Self> {
        let wanted: Self = options.clone().try_into().map_err(|error: qchroot_api::toml::de::Error| {
            Error::new(ErrorKind::Config, "bad options of source minimal").cause(error.message())
        })?;
        if wanted.programs.is_empty() {
            return Err(Error::new(ErrorKind::Config, "source minimal needs the option programs")
                .with("key", "programs")
                .hint("add -o programs=NAME, such as -o programs=sh,ls"));
        }
        Ok(wanted)
    }

    /// What to call the release. What is only shown follows the host, so it has no version of its own.
    pub(crate) fn version(&self, own: &str) -> String {
        let first = Utf8Path::new(&self.programs[0]).file_name().unwrap_or("program");
        let allowed = |c: char| if c.is_ascii_alphanumeric() || "_.+-".contains(c) { c } else { '_' };
        let name: String = first.chars().map(allowed).take(40).collect();
        match self.mode {
            Mode::Mount => format!("minimal-{name}-mount"),
            _ => format!("{own}-minimal-{name}"),
        }
    }
}

/// What is to be taken and shown.
pub(crate) struct Selection {
    pub(crate) mode: Mode,
    /// By absolute path, parents first.
    pub(crate) entries: BTreeMap<Utf8PathBuf, Entry>,
    /// Directories of the host's to show, relative to the root.
    pub(crate) host_dirs: Vec<Utf8PathBuf>,
    /// The superuser's shell.
    pub(crate) shell: String,
}

impl Selection {
    pub(crate) fn of(wanted: &Wanted, brand: Brand, host: &dyn Observe) -> Result<Self> {
        let mut closure = Closure::new(host, wanted.mode == Mode::Mount);
        wanted.programs.iter().try_for_each(|program| closure.program(program))?;
        wanted.files.iter().try_for_each(|file| closure.file(file))?;
        closure.links_of_root(brand)?;
        let host_dirs = match wanted.mode {
            Mode::Mount => shown::directories(&mut closure, brand),
            Mode::Copy | Mode::Link | Mode::Reflink => vec![],
        };
        let shell = skeleton::shell(&wanted.programs);
        Ok(Self { mode: wanted.mode, entries: closure.tree.entries, host_dirs, shell })
    }
}
