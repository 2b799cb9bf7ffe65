//! Looks at a medium and pins what is taken from it. It only reads.

use std::collections::BTreeMap;

use qchroot_api::{Brand, Error, ErrorKind, Observe, Place, Platform, Release, ReleaseWish, Result};
use qchroot_unpack::sets::Version;
use qchroot_unpack::{Address, sha256};

use crate::image::Image;
use crate::layout::{Content, Recognised, recognise};
use crate::medium::{Folder, Site};
use crate::options::{Wanted, Whereabouts, config};
use crate::pins::Pinned;
use crate::{digest, sets};

/// The first volume descriptor of ISO 9660, ECMA-119 6.2.1.
const DESCRIPTORS: u64 = 16 * 2048;

pub(crate) fn resolve(want: &ReleaseWish, host: &dyn Observe) -> Result<Release> {
    let wanted = Wanted::from(&want.options)?;
    let at = wanted.whereabouts(host)?;
    let found = look(&at, want, &wanted, host)?;
    let content = found.as_ref().map(|found| &found.content);
    let sha256 = checked_digest(&at, content, want, &wanted, host)?;
    let version = version(&at, found.as_ref(), want, host)?;
    let digest = digest_of(&version, content, sha256.as_deref(), &at, host)?;
    let told = found.as_ref().and_then(|found| found.brand);
    let brand = match wanted.brand.or(told) {
        Some(brand) => brand,
        None => brand_of(host.platform()?),
    };
    Ok(Release {
        remember: remember(&at, found.as_ref(), &wanted),
        pins: Pinned::new(&at, sha256, content.cloned()).to_pins()?,
        options: want.options.clone(),
        host_dirs: vec![],
        version,
        brand,
        digest,
    })
}

/// What is on the medium; nothing can be told of an image that is not here, or that only the kernel can read.
fn look(
    at: &Whereabouts,
    want: &ReleaseWish,
    wanted: &Wanted,
    host: &dyn Observe,
) -> Result<Option<Recognised>> {
    let wish = |label, at| sets::Wish { release: want.release.as_deref(), wanted, any: want.any, label, at };
    match at {
        Whereabouts::Directory(top) => {
            recognise(&mut Folder { top: top.clone(), host }, &wish(None, top.as_str())).map(Some)
        }
        Whereabouts::RemoteDirectory(address) => {
            refuse_open(address, want, wanted)?;
            let text = address.to_string();
            let found = sets::find(&mut Site { address: address.clone(), host }, &wish(None, &text))?;
            found.map(Some).ok_or_else(|| nothing_there(address, &wish(None, &text)))
        }
        Whereabouts::Image(path, size) => {
            let start = host.bytes(&Place::host(path), 0, 4)?;
            let descriptor = host.bytes(&Place::host(path), DESCRIPTORS, 6)?;
            match (start.as_slice(), descriptor.get(1..)) {
                (b"hsqs", _) => Ok(Some(Recognised {
                    content: Content::Squashfs { file: String::new() },
                    version: None,
                    brand: None,
                    manifest: None,
                })),
                (_, Some(b"CD001")) => {
                    let mut image = Image::open(path, *size, host)?;
                    let label = Some(image.label());
                    recognise(&mut image, &wish(label, path.as_str())).map(Some)
                }
                (_, Some(b"BEA01")) => Ok(None),
                _ => Err(Error::new(
                    ErrorKind::BadData,
                    format!("{path} is no image of ISO 9660, UDF or squashfs"),
                )
                .hint("for an archive, use --source tarball")),
            }
        }
        Whereabouts::RemoteImage(_) => Ok(None),
    }
}

fn nothing_there(address: &Address, wish: &sets::Wish<'_>) -> Error {
    Error::new(ErrorKind::NotFound, format!("there are no distribution sets at {address}"))
        .cause(format!("looked for {}", sets::places(wish).join(", ")))
        .hint("give the address of the release, or what stands before it and --release")
}

fn refuse_open(address: &Address, want: &ReleaseWish, wanted: &Wanted) -> Result<()> {
    if want.any || wanted.manifest_sha256.is_some() || !address.is_open() {
        return Ok(());
    }
    let message = format!("nothing vouches for what {address} sends: anybody on the way can change it");
    Err(Error::new(ErrorKind::BadData, message)
        .hint("use https, pin it by -o manifest_sha256=DIGEST, or say --any-release"))
}

/// The digest that the image, or the packed root file system on the medium, must have. Sets have digests of their
/// own, so that they need none.
fn checked_digest(
    at: &Whereabouts,
    content: Option<&Content>,
    want: &ReleaseWish,
    wanted: &Wanted,
    host: &dyn Observe,
) -> Result<Option<String>> {
    if wanted.sha256.is_some() && !matches!(at, Whereabouts::RemoteDirectory(_)) {
        if matches!((at, content), (Whereabouts::Directory(_), Some(Content::Tree | Content::Sets(_)))) {
            return Err(config(
                "sha256",
                "sha256 is about an image or archive, and the medium is a directory",
            ));
        }
        return Ok(wanted.sha256.clone());
    }
    let file = match (at, content) {
        (_, Some(Content::Sets(_))) => return Ok(None),
        (Whereabouts::Directory(top), Some(Content::Tree)) if !want.any => {
            return Err(Error::new(
                ErrorKind::BadData,
                format!("{top} cannot be checked: it is a plain directory"),
            )
            .hint("--any-release takes it as it is"));
        }
        (Whereabouts::Directory(_), Some(Content::Tree)) => return Ok(None),
        (Whereabouts::Directory(top), Some(Content::Squashfs { file } | Content::Archive { file })) => {
            top.join(file)
        }
        (Whereabouts::Image(path, _), _) => path.clone(),
        (Whereabouts::RemoteImage(address) | Whereabouts::RemoteDirectory(address), _) => {
            return Err(config("sha256", format!("{address} cannot be looked at before it is fetched"))
                .hint("compare what its maker publishes, and add -o sha256=DIGEST"));
        }
        (Whereabouts::Directory(_), None) => return Ok(None),
    };
    let digest = digest::of_file(&file, host)?;
    if want.any {
        return Ok(Some(digest));
    }
    Err(Error::new(ErrorKind::BadData, format!("{file} cannot be checked: no digest is known for it")).hint(
        format!("compare with what its maker publishes, then add -o sha256={digest}, or --any-release"),
    ))
}

fn version(
    at: &Whereabouts,
    found: Option<&Recognised>,
    want: &ReleaseWish,
    host: &dyn Observe,
) -> Result<String> {
    let told = found.and_then(|found| found.version.clone());
    if let Some(Recognised { content: Content::Sets(_), .. }) = found {
        return sets_version(told, want, host);
    }
    let named = match at {
        Whereabouts::Directory(path) | Whereabouts::Image(path, _) => path.file_name().unwrap_or("media"),
        Whereabouts::RemoteImage(address) | Whereabouts::RemoteDirectory(address) => address.file_name(),
    };
    let stem = named.rsplit_once('.').map_or(named, |(stem, suffix)| match suffix {
        "iso" | "img" | "squashfs" => stem,
        _ => named,
    });
    Ok(safe(want.release.clone().or(told).as_deref().unwrap_or(stem)))
}

fn sets_version(told: Option<String>, want: &ReleaseWish, host: &dyn Observe) -> Result<String> {
    let version = match (&want.release, told) {
        (Some(asked), Some(told)) if *asked != told => {
            let message = format!("the medium holds {told}, not {asked}");
            return Err(
                Error::new(ErrorKind::BadData, message).hint("use another medium, or leave --release out")
            );
        }
        (Some(asked), _) => asked.clone(),
        (None, Some(told)) => told,
        (None, None) => {
            return Err(Error::new(ErrorKind::Usage, "nothing on the medium tells which release it is")
                .hint("say which one, such as --release 14.3-RELEASE"));
        }
    };
    let version = Version::parse(&version)?;
    version.refuse_unless(want.any, host)?;
    Ok(version.to_string())
}

fn digest_of(
    version: &str,
    content: Option<&Content>,
    file: Option<&str>,
    at: &Whereabouts,
    host: &dyn Observe,
) -> Result<String> {
    let words = match (content, at) {
        (Some(Content::Sets(sets)), _) => sets.words(),
        (Some(Content::Tree), Whereabouts::Directory(top)) => digest::of_tree(top, host)?,
        _ => file.unwrap_or_default().to_owned(),
    };
    let text = format!("qchroot media 1\n{version}\n{words}");
    let hashed = sha256(text.as_bytes());
    let (digest, _) =
        hashed.map_err(|e| Error::new(ErrorKind::Internal, "cannot hash the release").cause(e))?;
    Ok(digest)
}

/// An address always leads to the same MANIFEST. A drive or a directory may hold another medium each time.
fn remember(at: &Whereabouts, found: Option<&Recognised>, wanted: &Wanted) -> BTreeMap<String, String> {
    match (at, found.and_then(|found| found.manifest.as_ref())) {
        (Whereabouts::RemoteDirectory(address), Some((path, digest))) if wanted.manifest_sha256.is_none() => {
            BTreeMap::from([(address.join(path).to_string(), digest.clone())])
        }
        _ => BTreeMap::new(),
    }
}

fn brand_of(platform: Platform) -> Brand {
    match platform {
        Platform::Linux => Brand::Linux,
        Platform::Freebsd => Brand::Freebsd,
    }
}

/// Text that may stand in the identity of a release.
fn safe(text: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() || "_.+-".contains(c) { c } else { '_' };
    let name: String = text.chars().map(allowed).skip_while(|c| ".-".contains(*c)).take(100).collect();
    if name.is_empty() { "media".into() } else { name }
}
