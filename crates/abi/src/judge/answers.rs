//! Answers that are no plans: where a container's files are, its snapshots and facts, and releases.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Base, Container, Derived, Error, Info, Release, Snapshot, check_options};

use super::ground::{Ground, is_plain_inside};
use super::{Verdict, refused, require};

/// Layers, snapshots, directories of a release, facts.
const MOST: usize = 1000;

/// Bytes of a fact's name, of a fact, and of the name of a pin.
const SHORT: usize = 255;

/// Directories of the host's that programs lie in: all that a release may want to be seen inside.
const HOST_DIRS: [&str; 10] =
    ["bin", "lib", "lib32", "lib64", "libexec", "libx32", "opt", "rescue", "sbin", "usr"];

/// Judges where a container's files are.
///
/// # Errors
/// Plug-in.
pub(crate) fn layers(
    info: &Info,
    base: &Base,
    container: &Container,
    layers: &[Utf8PathBuf],
) -> Result<(), Error> {
    let ground = Ground::with_base(info, base, container);
    let verdict = require(layers.len() <= MOST, || format!("named {} layers", layers.len()))
        .and_then(|()| layers.iter().try_for_each(|path| readable(&ground, path)));
    verdict.map_err(|why| refused(&info.name, "layers", &why))
}

/// Judges where a container's own changes are.
///
/// # Errors
/// Plug-in.
pub(crate) fn private(info: &Info, container: &Container, path: &Utf8Path) -> Result<(), Error> {
    readable(&Ground::alone(info, container), path).map_err(|why| refused(&info.name, "private", &why))
}

/// Judges what a container has of its base.
///
/// # Errors
/// Plug-in.
pub(crate) fn derived(
    info: &Info,
    base: &Base,
    container: &Container,
    derived: &Derived,
) -> Result<(), Error> {
    let ground = Ground::with_base(info, base, container);
    let (at, links) = match derived {
        Derived::Copy { at, links } => (at, links.as_slice()),
        Derived::Layer { at } => (at, &[][..]),
        _ => return Err(refused(&info.name, "derived", "answered with what is not known here")),
    };
    let inside = links.iter().all(|(at, _)| is_plain_inside(at));
    ground
        .change(at)
        .map_err(|why| format!("named {at}, {why}"))
        .and_then(|()| require(inside, || "named links that are not all inside".to_owned()))
        .map_err(|why| refused(&info.name, "derived", &why))
}

fn readable(ground: &Ground, path: &Utf8Path) -> Verdict {
    ground.read(path).map_err(|why| format!("named {path}, {why}"))
}

/// Judges the names of snapshots: they become file names.
///
/// # Errors
/// Plug-in.
pub(crate) fn snapshots(info: &Info, snapshots: &[Snapshot]) -> Result<(), Error> {
    let is_name = |name: &str| {
        let odd = name.contains('/') || matches!(name, "" | "." | "..");
        !odd && is_line(name, SHORT)
    };
    let bad = snapshots.iter().find(|snapshot| !is_name(&snapshot.name));
    let verdict = match bad {
        Some(snapshot) => Err(format!("named a snapshot {:?}, which is no name", snapshot.name)),
        None => require(snapshots.len() <= MOST, || format!("named {} snapshots", snapshots.len())),
    };
    verdict.map_err(|why| refused(&info.name, "snapshots", &why))
}

/// Judges what there is to tell of a container.
///
/// # Errors
/// Plug-in.
pub(crate) fn facts(info: &Info, facts: &BTreeMap<String, String>) -> Result<(), Error> {
    let fits = |(name, fact): (&String, &String)| is_line(name, SHORT) && is_line(fact, SHORT);
    let bad = facts.iter().find(|&fact| !fits(fact));
    let verdict = match bad {
        Some((name, _)) => Err(format!("told a fact {name:?} that is not one line of at most {SHORT} bytes")),
        None => require(facts.len() <= MOST, || format!("told {} facts", facts.len())),
    };
    verdict.map_err(|why| refused(&info.name, "facts", &why))
}

/// Judges a resolved release.
///
/// # Errors
/// Plug-in.
pub(crate) fn release(info: &Info, release: &Release) -> Result<(), Error> {
    let digest = is_digest(&release.digest);
    let verdict =
        require(digest, || format!("resolved to a digest {:?}, which is not SHA-256 in hex", release.digest))
            .and_then(|()| version(release))
            .and_then(|()| notes(release))
            .and_then(|()| host_dirs(release));
    verdict.map_err(|why| refused(&info.name, "resolve", &why))?;
    check_options(&info.name, &info.options, &release.options).map_err(|error| {
        refused(&info.name, "resolve", "resolved to options that it does not declare").cause(error)
    })
}

fn version(release: &Release) -> Verdict {
    release.id().map(drop).map_err(|_| {
        let version = &release.version;
        format!("resolved to version {version:?}, which is not letters, digits, dashes, dots, underscores and pluses")
    })
}

fn notes(release: &Release) -> Verdict {
    let mut names = release.pins.keys().chain(release.remember.keys());
    require(names.all(|name| is_line(name, SHORT)), || {
        "resolved to notes whose names are not short lines".to_owned()
    })?;
    let bad = release.remember.iter().find(|(_, digest)| !is_digest(digest));
    require(bad.is_none(), || "resolved to what is to be remembered, and is not SHA-256 in hex".to_owned())
}

fn host_dirs(release: &Release) -> Verdict {
    let of_programs = |dir: &Utf8Path| HOST_DIRS.iter().any(|first| dir.starts_with(first));
    let bad = release.host_dirs.iter().find(|dir| !(is_plain_inside(dir) && of_programs(dir)));
    match bad {
        Some(dir) => {
            Err(format!("resolved to a release that shows /{dir} of the host's, where no programs are"))
        }
        None => require(release.host_dirs.len() <= MOST, || "resolved to too many directories".to_owned()),
    }
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Whether a text is one line of at most `most` bytes, and no more than it looks like.
pub(super) fn is_line(text: &str, most: usize) -> bool {
    !text.is_empty() && text.len() <= most && super::one_line(text, most) == text
}
