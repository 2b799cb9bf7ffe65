//! Release source `minimal`: some programs of the host's with exactly the files that they need.
//!
//! What these are is found by reading the programs, never by running them: their loader, their libraries, the
//! interpreters of scripts. Writing is the business of whoever hands in the [`Work`]; nothing is known here of
//! containers.

#![forbid(unsafe_code)]

mod closure;
mod elf;
mod fill;
mod ld_so_conf;
mod libraries;
mod loader;
mod pins;
mod script;
mod shown;
mod skeleton;
mod tree;

use std::collections::{BTreeMap, BTreeSet};

use qchroot_api::camino::Utf8Path;
use qchroot_api::{
    Backend, Brand, Error, ErrorKind, Info, Kind, Observe, OptionKind, OptionSpec, Options, Platform,
    Registration, Release, ReleaseSource, ReleaseWish, Result, Work, inventory,
};
use serde::{Deserialize, Serialize};

use closure::Closure;

/// The source.
#[derive(Debug, Clone, Copy, Default)]
pub struct Minimal;

inventory::submit! { Registration::Source(|| Box::new(Minimal)) }

/// How files get into the base.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
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
struct Wanted {
    #[serde(default)]
    programs: Vec<String>,
    #[serde(default)]
    files: Vec<String>,
    #[serde(default)]
    mode: Mode,
}

impl Wanted {
    fn from(options: &Options) -> Result<Self> {
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
    fn version(&self, own: &str) -> String {
        let first = Utf8Path::new(&self.programs[0]).file_name().unwrap_or("program");
        let allowed = |c: char| if c.is_ascii_alphanumeric() || "_.+-".contains(c) { c } else { '_' };
        let name: String = first.chars().map(allowed).take(40).collect();
        match self.mode {
            Mode::Mount => format!("minimal-{name}-mount"),
            _ => format!("{own}-minimal-{name}"),
        }
    }
}

impl Backend for Minimal {
    fn info(&self) -> Info {
        let option = OptionSpec::new;
        Info {
            name: "minimal".into(),
            kind: Kind::ReleaseSource,
            summary: "some programs of the host's with exactly the files they need".into(),
            platforms: vec![Platform::Linux, Platform::Freebsd],
            capabilities: BTreeSet::new(),
            options: vec![
                option("programs", OptionKind::List, "none, must be given", "programs by name or absolute path"),
                option(
                    "files",
                    OptionKind::List,
                    "none",
                    "further files and directories by absolute path: what programs open as they run",
                ),
                option(
                    "mode",
                    OptionKind::Text,
                    "copy",
                    "copy, reflink or link the files, or mount the host's directories read-only",
                ),
            ],
        }
    }
}

impl ReleaseSource for Minimal {
    fn resolve(&self, want: &ReleaseWish, host: &dyn Observe) -> Result<Release> {
        let wanted = Wanted::from(&want.options)?;
        let own = host.host_release()?;
        let version = wanted.version(&own);
        if let Some(other) = want.release.as_ref().filter(|other| **other != own && **other != version) {
            let message = format!("this host is {own}: source minimal has no {other}");
            return Err(Error::new(ErrorKind::BadData, message));
        }
        let brand = match host.platform()? {
            Platform::Linux => Brand::Linux,
            Platform::Freebsd => Brand::Freebsd,
        };
        let mut closure = Closure::new(host, wanted.mode == Mode::Mount);
        wanted.programs.iter().try_for_each(|program| closure.program(program))?;
        wanted.files.iter().try_for_each(|file| closure.file(file))?;
        let host_dirs = if wanted.mode == Mode::Mount { shown::directories(&mut closure, brand) } else { vec![] };
        let shell = skeleton::shell(&wanted.programs);
        let (pins, digest) = pins::of(&closure.tree, wanted.mode, &host_dirs, &shell)?;
        Ok(Release {
            version,
            brand,
            digest,
            pins,
            remember: BTreeMap::new(),
            host_dirs,
            options: want.options.clone(),
        })
    }

    fn fill(&self, release: &Release, work: &mut dyn Work) -> Result<()> {
        fill::all(release, Wanted::from(&release.options)?.mode, work)
    }
}
