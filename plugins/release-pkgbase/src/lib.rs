//! Release source `pkgbase`: FreeBSD's base system from its packages, installed by pkg(8) of the host.
//!
//! It knows which repository and which packages make a userland, and how pkg(8) is told. What the packages hold and how
//! they are checked is pkg(8)'s business. Their scripts are run by pkg(8) on the host, as whoever signed them wants it.

#![forbid(unsafe_code)]

mod keys;
mod program;
mod repository;
mod settings;

use std::collections::{BTreeMap, BTreeSet};

use qchroot_api::{
    Backend, Brand, Capability, Error, ErrorKind, Info, Kind, Node, NodeKind, Observe, OptionKind,
    OptionSpec, Place, Platform, Registration, Release, ReleaseSource, ReleaseWish, Result, Work, inventory,
};
use qchroot_unpack::sets::Version;
use sha2::{Digest, Sha256};

use keys::Keys;
use program::Pkg;
use repository::Repository;
use settings::Settings;

/// The source.
#[derive(Debug, Clone, Copy, Default)]
pub struct Pkgbase;

inventory::submit! { Registration::Source(|| Box::new(Pkgbase)) }

/// The first major release whose base system is published as packages for production.
const FIRST: u32 = 15;

impl Backend for Pkgbase {
    fn info(&self) -> Info {
        let text = |key, default, summary| OptionSpec::new(key, OptionKind::Text, default, summary);
        Info {
            name: "pkgbase".into(),
            kind: Kind::ReleaseSource,
            programs: vec![],
            summary: "FreeBSD's base system from packages, since 15, by pkg(8) of the host".into(),
            platforms: vec![Platform::Freebsd, Platform::Linux],
            capabilities: BTreeSet::from([Capability::Verified]),
            options: vec![
                text(
                    "url",
                    "FreeBSD's own",
                    "repository, as in pkg.conf(5); ${ABI} and ${VERSION_MINOR} stand for the release's",
                ),
                OptionSpec::new(
                    "packages",
                    OptionKind::List,
                    settings::PACKAGES,
                    "packages and sets of packages",
                ),
                text(
                    "keys",
                    "/usr/share/keys/pkgbase-MAJOR",
                    "directory of the fingerprints that signatures must have, or none",
                ),
                text("abi", "the host's", "what the packages are for, such as FreeBSD:15:aarch64"),
            ],
        }
    }
}

impl ReleaseSource for Pkgbase {
    fn resolve(&self, want: &ReleaseWish, host: &dyn Observe) -> Result<Release> {
        let settings = Settings::from(&want.options)?;
        let version = Version::wanted(want.release.as_deref(), host)?;
        refuse_before_packages(&version)?;
        let keys = Keys::find(settings.keys.as_deref(), &version, want.any, host)?;
        version.refuse_unless(want.any, host)?;
        program::refuse_missing(host)?;
        let repository = Repository::new(&settings, &version, keys.as_ref())?;
        let catalogue = repository.catalogue(host)?;
        let words = [version.to_string(), repository.text(), settings.packages.join(" "), catalogue.clone()];
        let known = keys.as_ref().map_or("unsigned", |keys| keys.digest.as_str());
        Ok(Release {
            version: version.to_string(),
            brand: Brand::Freebsd,
            digest: digest(words.iter().map(String::as_str).chain([known])),
            pins: BTreeMap::from([("catalogue".into(), catalogue), ("any".into(), want.any.to_string())]),
            remember: BTreeMap::new(),
            host_dirs: vec![],
            options: want.options.clone(),
        })
    }

    fn fill(&self, release: &Release, work: &mut dyn Work) -> Result<()> {
        let settings = Settings::from(&release.options)?;
        let version = Version::parse(&release.version)?;
        let any = release.pins.get("any").is_some_and(|any| any == "true");
        let keys = Keys::find(settings.keys.as_deref(), &version, any, work.host())?;
        let repository = Repository::new(&settings, &version, keys.as_ref())?;
        write(work, ".", NodeKind::Directory, 0o755, b"")?;
        if let Some(keys) = &keys {
            keys.take(work)?;
        }
        configure(work, &repository.text())?;
        let pkg = Pkg::new(work.staging(), repository::DIRECTORY, &repository.abi);
        pkg.run(&["update", "-r", repository::NAME], ErrorKind::Unavailable, work)?;
        let install = ["install", "-U", "-y", "-r", repository::NAME];
        let packages = settings.packages.iter().map(String::as_str);
        pkg.run(&install.into_iter().chain(packages).collect::<Vec<_>>(), ErrorKind::System, work)?;
        pkg.run(&["clean", "-a", "-y"], ErrorKind::System, work)?;
        configure(work, &repository::disabled())?;
        work.tree().finish()?;
        refuse_half(work)?;
        if release.pins.get("catalogue") == Some(&repository.catalogue(work.host())?) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::BadData, "the repository changed while its packages were installed")
            .hint("try again: what it has now is another release"))
    }
}

fn refuse_before_packages(version: &Version) -> Result<()> {
    if version.major() >= Some(FIRST) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Unavailable,
        format!("the base system of {version} is not published as packages"),
    )
    .cause(format!("FreeBSD has done so since {FIRST}.0"))
    .hint("`--source distset` installs its distribution sets"))
}

/// Packages may be anything; a base is a userland.
fn refuse_half(work: &dyn Work) -> Result<()> {
    let shell = Place::host(work.staging().join("bin/sh"));
    match work.host().stat(&shell)? {
        Some(_) => Ok(()),
        None => {
            Err(Error::new(ErrorKind::Config, "these packages make no userland: there is no /bin/sh in them")
                .with("key", "packages")
                .hint(format!("take {} as well", settings::PACKAGES)))
        }
    }
}

fn configure(work: &mut dyn Work, text: &str) -> Result<()> {
    let path = format!("{}/{}.conf", repository::DIRECTORY, repository::NAME);
    write(work, &path, NodeKind::File { size: text.len() as u64 }, 0o644, text.as_bytes())
}

fn write(work: &mut dyn Work, path: &str, kind: NodeKind, mode: u32, mut content: &[u8]) -> Result<()> {
    let path = path.into();
    let node = Node { path, kind, mode, uid: 0, gid: 0, mtime: (0, 0), xattrs: vec![], flags: None };
    work.tree().write(&node, &mut content)
}

/// SHA-256 over texts, each with its length in front, so that no two lists give the same.
fn digest<'a>(parts: impl Iterator<Item = &'a str>) -> String {
    let mut sha256 = Sha256::new();
    for part in parts {
        sha256.update((part.len() as u64).to_be_bytes());
        sha256.update(part);
    }
    sha256.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
