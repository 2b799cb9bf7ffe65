//! Release source `tarball`: a whole userland in one archive that lies on this machine.
//!
//! It knows where the archive is, what its digest must be and what to call the result. Formats and extraction
//! are `qchroot-unpack`'s; writing files is the business of whoever hands in the [`Work`].

#![forbid(unsafe_code)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};

use qchroot_api::camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{
    Backend, Brand, Capability, Error, ErrorKind, Info, Kind, Node, NodeKind, Observe, OptionKind,
    OptionSpec, Options, Platform, Registration, Release, ReleaseSource, ReleaseWish, Result, Work,
    inventory,
};
use qchroot_unpack::{Limits, Summary, unpack};
use serde::Deserialize;

/// The source.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tarball;

inventory::submit! { Registration::Source(|| Box::new(Tarball)) }

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    path: Option<String>,
    sha256: Option<String>,
    version: Option<String>,
    brand: Option<Brand>,
}

impl Wanted {
    fn from(options: &Options) -> Result<Self> {
        options.clone().try_into().map_err(|error: qchroot_api::toml::de::Error| {
            Error::new(ErrorKind::Config, "bad options of source tarball").cause(error.message())
        })
    }
}

impl Backend for Tarball {
    fn info(&self) -> Info {
        let text = |key, default, summary| OptionSpec::new(key, OptionKind::Text, default, summary);
        Info {
            name: "tarball".into(),
            kind: Kind::ReleaseSource,
            summary: "a userland in one tar archive, compressed or not".into(),
            platforms: vec![Platform::Linux, Platform::Freebsd],
            capabilities: BTreeSet::from([Capability::Verified]),
            options: vec![
                text("path", "none, must be given", "the archive: a path or a file: address"),
                text("sha256", "none", "digest that the archive must have, 64 hexadecimal digits"),
                text("version", "the file's name without its suffixes", "what to call the release"),
                text("brand", "the host's", "what the userland is made for: linux or freebsd"),
            ],
        }
    }
}

impl ReleaseSource for Tarball {
    fn resolve(&self, want: &ReleaseWish, host: &dyn Observe) -> Result<Release> {
        let wanted = Wanted::from(&want.options)?;
        let path = archive_path(wanted.path.as_deref())?;
        let expected = wanted.sha256.as_deref().map(expected_digest).transpose()?;
        let digest = digest_of(&path)?;
        check_digest(&path, &digest, expected.as_deref(), want.any)?;
        let name = path.file_name().map_or("", without_suffixes);
        Ok(Release {
            version: safe(wanted.version.or_else(|| want.release.clone()).as_deref().unwrap_or(name)),
            brand: match wanted.brand {
                Some(brand) => brand,
                None => brand_of(host.platform()?),
            },
            digest,
            pins: BTreeMap::from([("path".into(), path.into())]),
            remember: BTreeMap::new(),
            host_dirs: vec![],
            options: want.options.clone(),
        })
    }

    fn fill(&self, release: &Release, work: &mut dyn Work) -> Result<()> {
        let pinned = release.pins.get("path");
        let path = pinned
            .ok_or_else(|| Error::new(ErrorKind::Internal, "release without the path of its archive"))?;
        let path = Utf8PathBuf::from(path);
        let size = fs::metadata(&path).ok().map(|metadata| metadata.len());
        let input = work.open(&path)?;
        work.tree().write(&top(), &mut std::io::empty())?;
        let Summary { sha256, .. } = unpack(input, path.as_str(), size, work, &Limits::default())?;
        if sha256 != release.digest {
            return Err(Error::new(
                ErrorKind::BadData,
                format!("{path} has changed between the check and unpacking"),
            )
            .cause(format!("its SHA-256 was {}, now it is {sha256}", release.digest)));
        }
        work.tree().finish()
    }
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

fn archive_path(option: Option<&str>) -> Result<Utf8PathBuf> {
    let Some(text) = option.filter(|text| !text.is_empty()) else {
        return Err(config("path", "source tarball needs the option path").hint("add -o path=FILE"));
    };
    let path = match text.split_once(':') {
        Some(("file", path)) => path.strip_prefix("//").unwrap_or(path),
        Some((scheme, rest)) if rest.starts_with("//") => {
            return Err(Error::new(
                ErrorKind::Unavailable,
                format!("source tarball cannot fetch {scheme}: addresses"),
            )
            .hint("fetch the archive first and give its path"));
        }
        _ => text,
    };
    let absolute =
        std::path::absolute(path).map_err(|e| Error::from_io(&e, format!("cannot find {path}")))?;
    Utf8PathBuf::from_path_buf(absolute).map_err(|p| config("path", format!("{} is not UTF-8", p.display())))
}

fn expected_digest(text: &str) -> Result<String> {
    let digest = text.to_ascii_lowercase();
    if digest.len() != 64 || !digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(config("sha256", format!("{text:?} is no SHA-256: it has not 64 hexadecimal digits")));
    }
    Ok(digest)
}

fn digest_of(path: &Utf8Path) -> Result<String> {
    let told = |e: &std::io::Error| Error::from_io(e, format!("cannot read the archive {path}"));
    // Asked before opening: opening a FIFO would wait for a writer.
    if !fs::metadata(path).map_err(|e| told(&e))?.is_file() {
        return Err(Error::new(ErrorKind::BadData, format!("archive {path} is not a regular file")));
    }
    let file = File::open(path).map_err(|e| told(&e))?;
    let (digest, _) = qchroot_unpack::sha256(file).map_err(|e| told(&e))?;
    Ok(digest)
}

fn check_digest(path: &Utf8Path, digest: &str, expected: Option<&str>, any: bool) -> Result<()> {
    let error = |message| Err(Error::new(ErrorKind::BadData, message));
    match expected {
        Some(expected) if expected == digest => Ok(()),
        Some(expected) => {
            error(format!("{path} has the SHA-256 {digest}, not {expected}")).map_err(|error| {
                error.hint("the archive is damaged or another one: get it again from where it came from")
            })
        }
        None if any => Ok(()),
        None => error(format!("{path} cannot be checked: no digest is known for it")).map_err(|error| {
            error.hint(format!(
                "compare with what its maker publishes, then add -o sha256={digest}, or --any-release"
            ))
        }),
    }
}

fn brand_of(platform: Platform) -> Brand {
    match platform {
        Platform::Linux => Brand::Linux,
        Platform::Freebsd => Brand::Freebsd,
    }
}

fn without_suffixes(name: &str) -> &str {
    let packed = [".gz", ".xz", ".zst", ".bz2"].iter().find_map(|suffix| name.strip_suffix(suffix));
    let name = packed.unwrap_or(name);
    let tar = [".tar", ".tgz", ".txz", ".tbz", ".tzst"].iter().find_map(|suffix| name.strip_suffix(suffix));
    tar.unwrap_or(name)
}

/// Text that may stand in the identity of a release.
fn safe(text: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() || "_.+-".contains(c) { c } else { '_' };
    let name: String = text.chars().map(allowed).skip_while(|c| ".-".contains(*c)).take(100).collect();
    if name.is_empty() { "tarball".into() } else { name }
}

fn config(key: &str, message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Config, message).with("key", key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_releases_come_from_names_of_files() {
        for (file, name) in [
            ("alpine-minirootfs-3.20.1-x86_64.tar.gz", "alpine-minirootfs-3.20.1-x86_64"),
            ("base.txz", "base"),
            ("root fs (new).tar.zst", "root_fs__new_"),
            ("...tar", "tarball"),
            ("-rf.tar", "rf"),
            ("übung", "_bung"),
        ] {
            assert_eq!(safe(without_suffixes(file)), name, "{file}");
        }
        assert_eq!(safe(&"x".repeat(500)).len(), 100);
    }

    #[test]
    fn addresses() {
        assert_eq!(archive_path(Some("file:///a/b.tar")).unwrap(), "/a/b.tar");
        assert_eq!(archive_path(Some("file:/a/b.tar")).unwrap(), "/a/b.tar");
        assert_eq!(archive_path(Some("/a:b.tar")).unwrap(), "/a:b.tar");
        assert_eq!(archive_path(Some("https://x/y")).unwrap_err().kind(), ErrorKind::Unavailable);
        assert_eq!(archive_path(None).unwrap_err().fact("key"), Some("path"));
    }
}
