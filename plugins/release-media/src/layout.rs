//! What is on a medium, told by its files, in a fixed order. It opens no archive and checks no digest.

use qchroot_api::{Brand, Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

use crate::medium::{Medium, Sort, text};
use crate::sets::{self, Sets};

/// Root file systems of live media, the likeliest first.
const LIVE: [&str; 3] =
    ["live/filesystem.squashfs", "install/filesystem.squashfs", "casper/filesystem.squashfs"];
/// Endings of archives.
const ARCHIVES: [&str; 9] =
    [".tar", ".tar.xz", ".tar.gz", ".tar.zst", ".tar.bz2", ".txz", ".tgz", ".tzst", ".tbz"];
/// Bytes that no file that names a release has.
const LIMIT: u64 = 1 << 20;

/// What is on a medium.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "lowercase")]
pub(crate) enum Content {
    /// FreeBSD's distribution sets.
    Sets(Sets),
    /// A root file system in an image of its own.
    Squashfs { file: String },
    /// A root file system in an archive.
    Archive { file: String },
    /// The root file system itself.
    Tree,
}

/// A medium that was recognised.
#[derive(Debug)]
pub(crate) struct Recognised {
    pub(crate) content: Content,
    /// What it says that it is.
    pub(crate) version: Option<String>,
    pub(crate) brand: Option<Brand>,
    /// What must not change: address and digest.
    pub(crate) manifest: Option<(String, String)>,
}

/// Looks for what a medium can hold: distribution sets first, then a root file system, packed or not.
///
/// # Errors
/// Bad data, naming what was looked for, when it is none of these.
pub(crate) fn recognise(medium: &mut dyn Medium, wish: &sets::Wish<'_>) -> Result<Recognised> {
    if let Some(found) = sets::find(medium, wish)? {
        return Ok(found);
    }
    let of_linux = |content| Recognised { content, version: None, brand: Some(Brand::Linux), manifest: None };
    for file in LIVE {
        if medium.sort(file)? == Some(Sort::File) {
            return Ok(of_linux(Content::Squashfs { file: file.into() }));
        }
    }
    refuse_installer(medium)?;
    if is_root(medium)? {
        let (version, brand) = identity(medium)?;
        return Ok(Recognised { content: Content::Tree, version, brand, manifest: None });
    }
    match archive(medium)? {
        Some(file) => Ok(Recognised {
            version: Some(without_suffix(&file).to_owned()),
            content: Content::Archive { file },
            brand: None,
            manifest: None,
        }),
        None => Err(unknown(wish)),
    }
}

fn unknown(wish: &sets::Wish<'_>) -> Error {
    Error::new(ErrorKind::BadData, "nothing on the medium is a userland")
        .cause(format!("no distribution sets: {}", sets::places(wish).join(", ")))
        .cause(format!("no live system: {}", LIVE.join(", ")))
        .cause("no root file system: bin, usr/bin, etc, or one archive of it")
        .hint("give the directory or image that holds one of these")
}

fn refuse_installer(medium: &mut dyn Medium) -> Result<()> {
    let is_dir = |medium: &mut dyn Medium, path| Ok::<_, Error>(medium.sort(path)? == Some(Sort::Directory));
    if is_dir(medium, "dists")? && is_dir(medium, "pool")? {
        return Err(Error::new(
            ErrorKind::BadData,
            "the medium is a Debian package archive, not a userland: it has dists and pool",
        )
        .hint("mount it and use --source debian -o mirror=file:DIRECTORY"));
    }
    Ok(())
}

/// Whether the top of the medium is the `/` of a userland.
fn is_root(medium: &mut dyn Medium) -> Result<bool> {
    let has_programs = match medium.sort("bin")? {
        Some(Sort::Directory | Sort::Link) => true,
        _ => medium.sort("usr/bin")? == Some(Sort::Directory),
    };
    Ok(has_programs && medium.sort("etc")? == Some(Sort::Directory))
}

/// The one archive at the top; that named `rootfs` where there are several.
fn archive(medium: &mut dyn Medium) -> Result<Option<String>> {
    let mut all = vec![];
    for name in medium.names("")? {
        if ARCHIVES.iter().any(|suffix| name.ends_with(suffix)) && medium.sort(&name)? == Some(Sort::File) {
            all.push(name);
        }
    }
    if let [_, _, ..] = all[..] {
        let roots: Vec<String> =
            all.iter().filter(|name| without_suffix(name) == "rootfs").cloned().collect();
        match <[String; 1]>::try_from(roots) {
            Ok(only) => all = only.into(),
            Err(_) => {
                let message = format!("the medium has several archives: {}", all.join(", "));
                return Err(
                    Error::new(ErrorKind::BadData, message).hint("use --source tarball for one of them")
                );
            }
        }
    }
    Ok(all.pop())
}

fn without_suffix(name: &str) -> &str {
    ARCHIVES.iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name)
}

/// Name and brand of a userland, told by os-release(5) and freebsd-version(1), which are read and never run.
fn identity(medium: &mut dyn Medium) -> Result<(Option<String>, Option<Brand>)> {
    if let Some(version) = freebsd_version(medium)? {
        return Ok((Some(version), Some(Brand::Freebsd)));
    }
    for file in ["etc/os-release", "usr/lib/os-release"] {
        if medium.sort(file)? != Some(Sort::File) {
            continue;
        }
        let Some(text) = text(medium, file, LIMIT)? else { continue };
        let value = |key: &str| assigned(&text, key).filter(|value| !value.is_empty());
        let brand = if value("ID") == Some("freebsd") { Brand::Freebsd } else { Brand::Linux };
        let version = value("ID").map(|id| match value("VERSION_ID") {
            Some(version) => format!("{id}-{version}"),
            None => id.to_owned(),
        });
        return Ok((version, Some(brand)));
    }
    Ok((None, None))
}

/// What the script `bin/freebsd-version` says, read as text.
pub(crate) fn freebsd_version(medium: &mut dyn Medium) -> Result<Option<String>> {
    let script = match medium.sort("bin/freebsd-version")? {
        Some(Sort::File) => text(medium, "bin/freebsd-version", LIMIT)?,
        _ => None,
    };
    Ok(script.and_then(|text| assigned(&text, "USERLAND_VERSION").map(str::to_owned)))
}

fn assigned<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let line = text.lines().find_map(|line| line.trim().strip_prefix(key)?.strip_prefix('='))?;
    Some(line.trim().trim_matches(['"', '\'']))
}
