//! Releases with a MANIFEST: since 9.0. It knows what is where, and leaves the archives to `qchroot-unpack`.

use std::collections::BTreeMap;

use qchroot_api::{Error, ErrorKind, Result, Work};
use qchroot_unpack::sets::{Row, choose, manifest};
use qchroot_unpack::{Address, Limits, Wanted, sha256, unpack_all};

use crate::pins::{Pinned, addresses};
use crate::search::{Hit, search};
use crate::{Found, Wish, nearby, trust};

const MANIFEST: &str = "MANIFEST";

/// Finds the release, makes sure of its MANIFEST, and pins the chosen sets.
pub(crate) fn find(wish: &Wish<'_>) -> Result<Found> {
    let mirrors = addresses(&wish.settings.mirrors(&wish.version))?;
    let known = nearby::manifest(&wish.version, &wish.target, wish.host)?;
    trust::refuse_open(&mirrors, wish.settings, wish.any || known.is_some())?;
    let paths = wish.target.paths(&wish.version);
    let Hit { directories, content } = search(&mirrors, &paths, MANIFEST, wish.host)
        .map_err(|error| nearby::advise(error, &wish.version, wish.host))?;
    let (digest, _) = sha256(&*content)
        .map_err(|error| Error::new(ErrorKind::Internal, "cannot hash MANIFEST").cause(error))?;
    let at = directories[0].join(MANIFEST);
    let told = |error: Error| error.with("manifest", &at);
    trust::check_pin(&digest, wish.settings, &at)?;
    nearby::check(&digest, known.as_deref(), &at, wish.any)?;
    trust::check_signed(&content, &directories, wish.settings, wish.host).map_err(told)?;
    let rows = manifest(&content).map_err(told)?;
    let sets = choose(&rows, &wish.settings.sets, wish.settings.profile).map_err(told)?;
    Ok(Found {
        remember: remember(wish, &directories, &digest),
        pinned: Pinned::Manifest {
            directories: directories.iter().map(ToString::to_string).collect(),
            sets: sets.into_iter().cloned().collect(),
        },
    })
}

/// All mirrors have the same MANIFEST: one that answers for another cannot bring in a changed one. What is pinned
/// needs no memory, and what changes every week would never be the same.
fn remember(wish: &Wish<'_>, directories: &[Address], digest: &str) -> BTreeMap<String, String> {
    if wish.settings.manifest_sha256.is_some() || !wish.version.is_fixed() {
        return BTreeMap::new();
    }
    directories.iter().map(|at| (at.join(MANIFEST).to_string(), digest.to_owned())).collect()
}

/// Fetches, checks and unpacks the pinned sets.
pub(crate) fn fill(directories: &[String], sets: &[Row], work: &mut dyn Work) -> Result<()> {
    let directories = addresses(directories)?;
    let wanted: Vec<Wanted> = sets.iter().map(|row| row.wanted(&directories)).collect();
    unpack_all(&wanted, work, &Limits::default()).map(|_| ())
}
