//! Carries the pinned content of a medium into the staging directory. It decides nothing about what is taken.

use std::fs::{self, File};
use std::io::{self, Read};

use hadris_fs::Extent;
use qchroot_api::camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Error, ErrorKind, NodeKind, Place, Progress, Release, Result, Work};
use qchroot_unpack::{Address, Headers, Limits, Wanted, fetch, sha256, unpack};

use crate::image::Image;
use crate::layout::{Content, recognise};
use crate::medium::Folder;
use crate::options;
use crate::pins::{Form, Pinned};
use crate::sets;

/// A medium that can be read.
pub(crate) enum Opened {
    /// A directory: the medium itself, or an image that the kernel shows as one.
    Directory(Utf8PathBuf),
    /// An image that the kernel cannot show.
    Image(Utf8PathBuf, u64),
    /// A directory on the network.
    Site(Address),
}

pub(crate) fn fill(release: &Release, work: &mut dyn Work) -> Result<()> {
    let pinned = Pinned::from_pins(&release.pins)?;
    let opened = open(&pinned, work)?;
    let content = match &pinned.content {
        Some(content) => content.clone(),
        None => recognised(&opened, release, work)?,
    };
    // Of an image the digest is that of the whole, which was checked when it was opened.
    let file_digest = if pinned.form == Form::Directory { pinned.sha256.as_deref() } else { None };
    match &content {
        Content::Sets(sets) => sets.fill(&opened, work),
        Content::Tree => tree(&opened, work),
        Content::Archive { file } => archive(&opened, file, file_digest, work),
        Content::Squashfs { file } => squashfs(&opened, &pinned, file, file_digest, work),
    }
}

fn open(pinned: &Pinned, work: &mut dyn Work) -> Result<Opened> {
    let image = match pinned.form {
        Form::Directory => return Ok(Opened::Directory(pinned.path())),
        Form::RemoteDirectory => return Ok(Opened::Site(pinned.at.parse()?)),
        Form::RemoteImage => fetched(pinned, work)?,
        Form::Image => pinned.path(),
    };
    if let Some(expected) = &pinned.sha256 {
        check(&image, expected, work)?;
    }
    let size = work.host().stat(&Place::host(&image))?.map_or(0, |stat| stat.size);
    match work.media(&image) {
        Ok(dir) => Ok(Opened::Directory(dir)),
        Err(error) if error.kind() == ErrorKind::Unavailable => Ok(Opened::Image(image, size)),
        Err(error) => Err(error),
    }
}

fn fetched(pinned: &Pinned, work: &mut dyn Work) -> Result<Utf8PathBuf> {
    let address: Address = pinned.at.parse()?;
    let wanted = Wanted {
        name: address.file_name().to_owned(),
        mirrors: vec![address],
        headers: Headers::default(),
        sha256: pinned.sha256.clone(),
        size: None,
        entries: None,
    };
    fetch(&wanted, work)
}

/// Nothing is read of a file before all of it is known to be the right one.
fn check(path: &Utf8Path, expected: &str, work: &mut dyn Work) -> Result<()> {
    work.progress(&Progress { what: format!("checking {path}"), ..Progress::default() });
    let input = work.open(&path.to_owned())?;
    let (found, _) = sha256(input).map_err(|e| Error::from_io(&e, format!("cannot read {path}")))?;
    same(path.as_str(), &found, Some(expected))
}

fn same(what: &str, found: &str, expected: Option<&str>) -> Result<()> {
    match expected {
        Some(expected) if expected != found => {
            Err(Error::new(ErrorKind::BadData, format!("{what} has the SHA-256 {found}, not {expected}"))
                .hint("it is damaged or another one: get it again from where it came from"))
        }
        _ => Ok(()),
    }
}

fn recognised(opened: &Opened, release: &Release, work: &dyn Work) -> Result<Content> {
    let wanted = options::Wanted::from(&release.options)?;
    let wish =
        sets::Wish { release: Some(&release.version), wanted: &wanted, any: true, label: None, at: "" };
    let found = match opened {
        Opened::Directory(top) => recognise(&mut Folder { top: top.clone(), host: work.host() }, &wish)?,
        Opened::Image(path, size) => recognise(&mut Image::open(path, *size, work.host())?, &wish)?,
        Opened::Site(_) => return Err(Error::new(ErrorKind::Internal, "nothing pinned of a site")),
    };
    Ok(found.content)
}

fn tree(opened: &Opened, work: &mut dyn Work) -> Result<()> {
    match opened {
        Opened::Directory(top) => work.take_tree(top),
        Opened::Image(path, size) => image_tree(path, *size, work),
        Opened::Site(address) => Err(Error::new(ErrorKind::Internal, format!("{address} is no tree"))),
    }
}

/// Writes everything on an image that is not mounted.
fn image_tree(path: &Utf8Path, size: u64, work: &mut dyn Work) -> Result<()> {
    let items = Image::open(path, size, work.host())?.everything()?;
    let total = Some(items.len() as u64);
    let what = format!("reading {path}");
    for (n, item) in (1..).zip(&items) {
        if work.cancelled() {
            return Err(Error::new(ErrorKind::System, "interrupted"));
        }
        let mut content = match item.node.kind {
            NodeKind::File { .. } => stretch(path, &item.extents, work)?,
            _ => Box::new(io::empty()),
        };
        work.tree().write(&item.node, &mut content)?;
        work.progress(&Progress {
            what: what.clone(),
            entries: n,
            total_entries: total,
            ..Progress::default()
        });
    }
    work.tree().finish()
}

/// What lies in these places of an image, one after another.
fn stretch(image: &Utf8Path, extents: &[Extent], work: &mut dyn Work) -> Result<Box<dyn Read + Send>> {
    let mut whole: Box<dyn Read + Send> = Box::new(io::empty());
    for extent in extents {
        let part = work.open_at(image, extent.offset())?.take(extent.len());
        whole = Box::new(whole.chain(part));
    }
    Ok(whole)
}

/// A file on the medium, and its size.
pub(crate) fn file(opened: &Opened, file: &str, work: &mut dyn Work) -> Result<(Box<dyn Read + Send>, u64)> {
    match opened {
        Opened::Directory(top) => {
            let path = top.join(file);
            let size = work.host().stat(&Place::within(top, file))?.map_or(0, |stat| stat.size);
            Ok((work.open(&path)?, size))
        }
        Opened::Image(path, size) => {
            let extents = Image::open(path, *size, work.host())?.extents(file)?;
            let size = extents.iter().map(Extent::len).sum();
            Ok((stretch(path, &extents, work)?, size))
        }
        Opened::Site(address) => {
            Err(Error::new(ErrorKind::Internal, format!("{file} at {address} has to be fetched")))
        }
    }
}

fn archive(opened: &Opened, name: &str, digest: Option<&str>, work: &mut dyn Work) -> Result<()> {
    let (input, size) = file(opened, name, work)?;
    work.tree().write(&crate::top(), &mut io::empty())?;
    let summary = unpack(input, name, Some(size), work, &Limits::default())?;
    same(name, &summary.sha256, digest)?;
    work.tree().finish()
}

fn squashfs(
    opened: &Opened,
    pinned: &Pinned,
    name: &str,
    digest: Option<&str>,
    work: &mut dyn Work,
) -> Result<()> {
    if name.is_empty() {
        return match opened {
            Opened::Directory(top) => work.take_tree(top),
            _ => Err(needs_kernel(&pinned.at)),
        };
    }
    let copy = match opened {
        Opened::Directory(top) => {
            let path = top.join(name);
            digest.map_or(Ok(()), |expected| check(&path, expected, work))?;
            return shown(&path, work);
        }
        _ => copied(opened, name, work)?,
    };
    let done = shown(&copy, work);
    // What is left of it costs room and nothing else.
    let _ = fs::remove_file(&copy);
    done
}

fn shown(image: &Utf8Path, work: &mut dyn Work) -> Result<()> {
    match work.media(image) {
        Ok(dir) => work.take_tree(&dir),
        Err(error) if error.kind() == ErrorKind::Unavailable => {
            Err(needs_kernel(image.as_str()).cause(error))
        }
        Err(error) => Err(error),
    }
}

fn needs_kernel(image: &str) -> Error {
    Error::new(ErrorKind::Unavailable, format!("{image} is squashfs, which only the kernel can read"))
        .hint("unpack it with unsquashfs(1) and give the directory")
}

/// A copy of a file on an image that is not mounted, in the cache.
fn copied(opened: &Opened, name: &str, work: &mut dyn Work) -> Result<Utf8PathBuf> {
    let (mut input, _) = file(opened, name, work)?;
    let to = work.cache().join("medium.squashfs");
    let failed = |error: io::Error| Error::from_io(&error, format!("cannot write {to}"));
    fs::create_dir_all(work.cache()).map_err(failed)?;
    io::copy(&mut input, &mut File::create(&to).map_err(failed)?).map_err(failed)?;
    Ok(to)
}
