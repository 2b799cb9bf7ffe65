//! Release source `tarball`: a whole userland in one archive, a file or an address.
//!
//! It knows where the archive is, what it is checked against and what to call the result. Fetching, formats and
//! extraction are `qchroot-unpack`'s; writing files is the business of whoever hands in the [`Work`].

#![forbid(unsafe_code)]

mod name;
mod options;
mod signed;

use std::collections::{BTreeMap, BTreeSet};

use qchroot_api::{
    Backend, Brand, Capability, Error, ErrorKind, Info, Kind, Node, NodeKind, Observe, Platform,
    Registration, Release, ReleaseSource, ReleaseWish, Result, Work, inventory,
};
use qchroot_unpack::{Address, Headers, HostFile, Limits, Wanted, fetch, unpack_all};

use crate::options::Asked;
use crate::signed::Signed;

/// The source.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tarball;

inventory::submit! { Registration::Source(|| Box::new(Tarball)) }

impl Backend for Tarball {
    fn info(&self) -> Info {
        Info {
            name: "tarball".into(),
            kind: Kind::ReleaseSource,
            programs: vec![],
            summary: "a userland in one tar archive, compressed or not".into(),
            platforms: vec![Platform::Linux, Platform::Freebsd],
            capabilities: BTreeSet::from([Capability::Verified]),
            options: options::specs(),
        }
    }
}

impl ReleaseSource for Tarball {
    fn resolve(&self, want: &ReleaseWish, host: &dyn Observe) -> Result<Release> {
        let asked = Asked::from(&want.options)?;
        let archive = &asked.mirrors[0];
        let (digest, checks) = pin(&asked, want.any, host)?;
        let mut pins = BTreeMap::from_iter(checks);
        for (n, mirror) in asked.mirrors.iter().enumerate() {
            pins.insert(format!("mirror-{n:03}"), mirror.to_string());
        }
        let name = name::without_suffixes(archive.file_name());
        Ok(Release {
            version: name::safe(asked.version.or_else(|| want.release.clone()).as_deref().unwrap_or(name)),
            brand: match asked.brand {
                Some(brand) => brand,
                None => brand_of(host.platform()?),
            },
            digest,
            pins,
            remember: BTreeMap::new(),
            host_dirs: vec![],
            options: want.options.clone(),
        })
    }

    fn fill(&self, release: &Release, work: &mut dyn Work) -> Result<()> {
        let mut wanted = wanted(release)?;
        let pin = |key| release.pins.get(key).cloned();
        if let (Some(signature), Some(key)) = (pin("signature"), pin("key")) {
            let path = fetch(&wanted, work)?;
            let sha256 = Signed { signature, key }.check(work.open(&path)?, &wanted.name)?;
            // Unpacked is what was checked, whatever happens to the file in between.
            wanted = Wanted {
                mirrors: vec![path.as_str().parse()?],
                sha256: wanted.sha256.or(Some(sha256)),
                ..wanted
            };
        }
        work.tree().write(&top(), &mut std::io::empty())?;
        unpack_all(&[wanted], work, &Limits::default())?;
        work.tree().finish()
    }
}

/// The digest of the release, and what `fill` has to check. An archive with a known digest is not read.
fn pin(asked: &Asked, any: bool, host: &dyn Observe) -> Result<(String, Vec<(String, String)>)> {
    let archive = &asked.mirrors[0];
    let find = |key: &String| Signed::find(key, &asked.signatures, host);
    let signed = asked.key.as_ref().map(find).transpose()?;
    let local = archive.path().map(|path| HostFile::open(path, host));
    match (&asked.sha256, signed, local) {
        (Some(sha256), signed, local) => {
            // Another mirror may have what is not here.
            if asked.mirrors.len() == 1 {
                local.transpose()?;
            }
            Ok((sha256.clone(), checks(Some(sha256), signed)))
        }
        (None, Some(signed), Some(file)) => {
            let digest = signed.check(file?, archive.file_name())?;
            Ok((digest.clone(), checks(Some(&digest), None)))
        }
        (None, Some(signed), None) => Ok((signed.digest()?, checks(None, Some(signed)))),
        // What lies on this machine is read even to be refused: the error tells its digest.
        (None, None, local) if any || local.is_some() => {
            let digest = qchroot_unpack::digest(&asked.mirrors, host)?;
            if any {
                Ok((digest.clone(), checks(Some(&digest), None)))
            } else {
                Err(unchecked(archive, &digest))
            }
        }
        (None, None, _) => Err(unchecked(archive, "DIGEST")),
    }
}

fn checks(sha256: Option<&String>, signed: Option<Signed>) -> Vec<(String, String)> {
    let signed = signed.map(|signed| [("signature", signed.signature), ("key", signed.key)]);
    let all = sha256.map(|sha256| ("sha256", sha256.clone())).into_iter().chain(signed.into_iter().flatten());
    all.map(|(key, value)| (key.to_owned(), value)).collect()
}

fn wanted(release: &Release) -> Result<Wanted> {
    let mirrors = release.pins.iter().filter(|(key, _)| key.starts_with("mirror-"));
    let mirrors = mirrors.map(|(_, address)| address.parse()).collect::<Result<Vec<Address>>>()?;
    let Some(archive) = mirrors.first() else {
        return Err(Error::new(ErrorKind::Internal, "release without the address of its archive"));
    };
    Ok(Wanted {
        name: archive.shown(),
        sha256: release.pins.get("sha256").cloned(),
        size: None,
        entries: None,
        headers: Headers::default(),
        mirrors,
    })
}

/// The directory `/` for archives that do not have it; one that does sets its own mode.
fn top() -> Node {
    Node {
        path: ".".into(),
        kind: NodeKind::Directory,
        mode: 0o755,
        uid: 0,
        gid: 0,
        mtime: (0, 0),
        xattrs: vec![],
        flags: None,
    }
}

fn brand_of(platform: Platform) -> Brand {
    match platform {
        Platform::Linux => Brand::Linux,
        Platform::Freebsd => Brand::Freebsd,
    }
}

fn unchecked(archive: &Address, digest: &str) -> Error {
    Error::new(
        ErrorKind::BadData,
        format!("{} cannot be checked: no digest is known for it", archive.shown()),
    )
    .hint(format!("compare with what its maker publishes, then add -o sha256={digest}, or --any-release"))
}
