//! Release source `host`: a userland copied from the running system's own files. It needs no network.
//!
//! On Linux it reads dpkg's database and the files of packages, each one checked against what was recorded; on FreeBSD
//! the directories that are the base system's. Of the host's own configuration, users and secrets nothing is taken over. Writing is the business of whoever hands in the [`Work`].

#![forbid(unsafe_code)]

mod accounts;
mod alternatives;
mod closure;
mod copy;
mod database;
mod freebsd;
mod manifest;
mod output;
mod pristine;
mod status;

use std::collections::{BTreeMap, BTreeSet};

use qchroot_api::{
    Backend, Brand, Capability, Error, ErrorKind, Info, Kind, Observe, OptionKind, OptionSpec, Options,
    Place, Platform, Progress, Registration, Release, ReleaseSource, ReleaseWish, Result, Work, inventory,
};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use closure::Selection;
use manifest::Manifest;
use output::Output;
use status::Status;

const STATUS: &str = "/var/lib/dpkg/status";

/// The source.
#[derive(Debug, Clone, Copy, Default)]
pub struct HostPackages;

inventory::submit! { Registration::Source(|| Box::new(HostPackages)) }

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    packages: Option<Vec<String>>,
}

impl Wanted {
    fn from(options: &Options) -> Result<Self> {
        options.clone().try_into().map_err(|error: qchroot_api::toml::de::Error| {
            Error::new(ErrorKind::Config, "bad options of source host").cause(error.message())
        })
    }
}

impl Backend for HostPackages {
    fn info(&self) -> Info {
        Info {
            name: "host".into(),
            kind: Kind::ReleaseSource,
            programs: vec![],
            summary: "the running system's own files, without its configuration and users".into(),
            platforms: vec![Platform::Linux, Platform::Freebsd],
            capabilities: BTreeSet::from([Capability::Verified]),
            options: vec![OptionSpec::new(
                "packages",
                OptionKind::List,
                &closure::USEFUL.join(","),
                "installed packages to copy beside the essential ones and what all of them need",
            )],
        }
    }
}

impl ReleaseSource for HostPackages {
    fn resolve(&self, want: &ReleaseWish, host: &dyn Observe) -> Result<Release> {
        if host.platform()? == Platform::Freebsd {
            return freebsd::resolve(want, host);
        }
        let text = host.read(&Place::host(STATUS)).map_err(|error| match error.kind() {
            ErrorKind::NotFound => Error::new(ErrorKind::Unavailable, "this host has no dpkg database")
                .cause(
                    "source host reads dpkg's, as on Debian and Ubuntu, and no other package manager's yet",
                )
                .hint("`--source tarball` takes a userland from anywhere"),
            _ => error,
        })?;
        let own = host.host_release()?;
        let version = format!("{own}-host");
        if let Some(other) = want.release.as_ref().filter(|release| **release != own && **release != version)
        {
            let message = format!("this host is {own}: source host has no {other}");
            return Err(Error::new(ErrorKind::BadData, message));
        }
        let packages = Wanted::from(&want.options)?.packages;
        let status = Status::parse(&text);
        let selection = Selection::new(&status, packages.as_deref())?;
        let pins = BTreeMap::from([("any".into(), want.any.to_string())]);
        let digest = digest(&selection, want.any);
        Ok(Release {
            version,
            brand: Brand::Linux,
            digest,
            pins,
            remember: BTreeMap::new(),
            host_dirs: vec![],
            options: want.options.clone(),
        })
    }

    fn fill(&self, release: &Release, work: &mut dyn Work) -> Result<()> {
        if release.brand == Brand::Freebsd {
            return freebsd::fill(release, work);
        }
        let text = work.host().read(&Place::host(STATUS))?;
        let packages = Wanted::from(&release.options)?.packages;
        let status = Status::parse(&text);
        let selection = Selection::new(&status, packages.as_deref())?;
        let any = release.pins.get("any").is_some_and(|any| any == "true");
        if digest(&selection, any) != release.digest {
            return Err(Error::new(
                ErrorKind::BadData,
                "the host's packages changed while they were looked up",
            )
            .hint("try again when the package manager is done"));
        }
        let mut manifest = Manifest::read(&selection, work.host())?;
        let mut output = Output::new(work, manifest.len());
        let copied = copy::all(&manifest, any, &mut output)?;
        alternatives::write(&mut manifest, &mut output)?;
        pristine::write(&mut manifest, &mut output)?;
        accounts::write(&copied.owners, &mut output)?;
        database::write(&selection, &mut manifest, &mut output)?;
        output.finish()?;
        tell(&copied.left_out, work);
        Ok(())
    }
}

/// Over every package with its version, and whether files that fail their check are taken.
fn digest(selection: &Selection, any: bool) -> String {
    let mut hash = Sha256::new();
    for package in selection.packages() {
        hash.update(format!("{}:{}={}\n", package.name, package.arch, package.version));
    }
    hash.update(if any { "any\n" } else { "checked\n" });
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn tell(left_out: &[String], work: &mut dyn Work) {
    if !left_out.is_empty() {
        let what = format!("left out, as they are not as packaged: {}", left_out.join(" "));
        work.progress(&Progress { what, ..Progress::default() });
    }
}
