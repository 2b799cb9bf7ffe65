//! Release source `minimal`: some programs of the host's with exactly the files that they need.
//!
//! What these are is found by reading the programs, never by running them: their loader, their libraries, the
//! interpreters of scripts. Writing is the business of whoever hands in the [`Work`]; nothing is known here of
//! containers.

#![forbid(unsafe_code)]

mod closure;
mod digest;
mod elf;
mod fill;
mod ld_so_conf;
mod libmap;
mod libraries;
mod loader;
mod script;
mod selection;
mod shown;
mod skeleton;
mod tree;

use std::collections::{BTreeMap, BTreeSet};

use qchroot_api::{
    Backend, Brand, Error, ErrorKind, Info, Kind, Observe, OptionKind, OptionSpec, Platform, Registration,
    Release, ReleaseSource, ReleaseWish, Result, Work, inventory,
};

use digest::{Digest, HostFile};
use selection::{Selection, Wanted};

/// The source.
#[derive(Debug, Clone, Copy, Default)]
pub struct Minimal;

inventory::submit! { Registration::Source(|| Box::new(Minimal)) }

impl Backend for Minimal {
    fn info(&self) -> Info {
        let option = OptionSpec::new;
        Info {
            name: "minimal".into(),
            kind: Kind::ReleaseSource,
            programs: vec![],
            summary: "some programs of the host's with exactly the files they need".into(),
            platforms: vec![Platform::Linux, Platform::Freebsd],
            capabilities: BTreeSet::new(),
            options: vec![
                option(
                    "programs",
                    OptionKind::List,
                    "none, must be given",
                    "programs by name or absolute path",
                ),
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
        let selection = Selection::of(&wanted, brand, host)?;
        let mut digest = Digest::new(&selection);
        for (path, entry) in &selection.entries {
            let added = digest.add(path, entry, &mut HostFile::new(host, path));
            added.map_err(|error| Error::from_io(&error, format!("cannot read {path}")))?;
        }
        Ok(Release {
            version,
            brand,
            digest: digest.finish(),
            pins: BTreeMap::new(),
            remember: BTreeMap::new(),
            host_dirs: selection.host_dirs,
            options: want.options.clone(),
        })
    }

    fn fill(&self, release: &Release, work: &mut dyn Work) -> Result<()> {
        let wanted = Wanted::from(&release.options)?;
        let selection = Selection::of(&wanted, release.brand, work.host())?;
        if fill::all(&selection, release.brand, work)? == release.digest {
            return Ok(());
        }
        Err(Error::new(ErrorKind::BadData, "the host's files were changed while they were taken")
            .hint("try again when whoever changes the host is done"))
    }
}
