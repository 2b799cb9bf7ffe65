//! Opens places by descriptor. What is changed inside a container is reached without following any link; what
//! is only looked at there is resolved as if the container's root were `/`. It does not know what is done at
//! the place.

use std::borrow::Cow;

use camino::{Utf8Component, Utf8Path};
use qchroot_api::{Error, ErrorKind, Place, Result};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, fstat, openat, statat};
use rustix::io::Errno;

use crate::errors::OrError;
use crate::os;
use crate::process::sandbox;

/// How a directory is opened, links followed.
const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// A name in an open directory: where something is made, changed or removed.
#[derive(Debug)]
pub(crate) struct Spot {
    /// The directory.
    pub(crate) dir: OwnedFd,
    /// The name in it.
    pub(crate) name: String,
}

/// Opens a container's root; the path to it is the host's own, so its links are followed. Where it has a sandbox, it is
/// the root as that sees it.
pub(crate) fn open_root(root: &Utf8Path) -> Result<OwnedFd> {
    if let Some(sandbox) = sandbox::over(root)? {
        return sandbox.open(root);
    }
    openat(CWD, root.as_str(), DIRECTORY, Mode::empty()).or_error(|| format!("cannot open {root}"))
}

/// A path of the host's that leads into a sandbox is a place within its root.
fn inward(at: &Place) -> Result<Cow<'_, Place>> {
    if at.is_within() {
        return Ok(Cow::Borrowed(at));
    }
    let path = at.lexical();
    Ok(sandbox::over(&path)?.map_or(Cow::Borrowed(at), |sandbox| {
        let inside = path.strip_prefix(sandbox.root()).unwrap_or(Utf8Path::new(""));
        Cow::Owned(Place::within(sandbox.root(), inside))
    }))
}

/// Opens the directory at a place; nothing inside a container and no last component may be a link.
///
/// # Errors
/// `Exists`, naming the component, where something that is not a directory is in the way.
pub(crate) fn open_dir(at: &Place) -> Result<OwnedFd> {
    let at = &inward(at)?;
    if at.path().as_str().is_empty() {
        return open_root(at.root());
    }
    let spot = parent(at)?;
    step(&spot.dir, &spot.name, at)
}

/// Names the regular file at a place without opening it, by the same rules as [`open_dir`].
pub(crate) fn open_file(at: &Place) -> Result<OwnedFd> {
    file_in(&parent(at)?, at)
}

/// Names the regular file at a path of the host's own as [`open_file`] does, following no link on the way either.
pub(crate) fn open_strictly(path: &Utf8Path) -> Result<OwnedFd> {
    let at = Place::host(path);
    let name =
        at.path().file_name().ok_or_else(|| Error::new(ErrorKind::Usage, format!("{at} has no name")))?;
    let above = at.path().parent().unwrap_or(Utf8Path::new(""));
    let dir = walk(open_root(at.root())?, above, &at)?;
    file_in(&Spot { dir, name: name.to_owned() }, &at)
}

fn file_in(spot: &Spot, at: &Place) -> Result<OwnedFd> {
    let message = || format!("cannot open {at}");
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = openat(&spot.dir, &spot.name, flags, Mode::empty()).or_error(message)?;
    match FileType::from_raw_mode(fstat(&file).or_error(message)?.st_mode) {
        FileType::RegularFile => Ok(file),
        other => {
            let what = format!("cannot use {at}: {} is {}, not a file", spot.name, describe(other));
            Err(Error::new(ErrorKind::Exists, what))
        }
    }
}

/// What a mount may cover: the file or the directory at a place.
pub(crate) fn open_file_or_dir(at: &Place) -> Result<OwnedFd> {
    open_file(at).or_else(|_| open_dir(at))
}

/// Opens the directory that a place's last component is in, by the same rules as [`open_dir`].
pub(crate) fn parent(at: &Place) -> Result<Spot> {
    let at = &inward(at)?;
    let lexical;
    let (path, is_within) = if at.path().as_str().is_empty() {
        lexical = at.root().to_owned();
        (lexical.as_path(), false)
    } else {
        (at.path(), at.is_within())
    };
    let name = path.file_name().ok_or_else(|| Error::new(ErrorKind::Usage, format!("{at} has no name")))?;
    let above = path.parent().unwrap_or(Utf8Path::new(""));
    let dir = if is_within {
        walk(open_root(at.root())?, above, at)?
    } else {
        open_root(&Utf8Path::new("/").join(above))?
    };
    Ok(Spot { dir, name: name.to_owned() })
}

/// Goes down from `dir` one component at a time, following nothing.
fn walk(mut dir: OwnedFd, path: &Utf8Path, at: &Place) -> Result<OwnedFd> {
    for component in path.components() {
        if let Utf8Component::Normal(name) = component {
            dir = step(&dir, name, at)?;
        }
    }
    Ok(dir)
}

fn step(dir: &OwnedFd, name: &str, at: &Place) -> Result<OwnedFd> {
    match openat(dir, name, DIRECTORY | OFlags::NOFOLLOW, Mode::empty()) {
        Ok(fd) => Ok(fd),
        // What O_NOFOLLOW and O_DIRECTORY say of a link differs between systems; see open(2).
        Err(Errno::LOOP | Errno::NOTDIR | Errno::MLINK) => Err(obstructed(dir, name, at)),
        Err(error) => Err(error).or_error(|| format!("cannot open {at}")),
    }
}

fn obstructed(dir: &OwnedFd, name: &str, at: &Place) -> Error {
    let what = match file_type(dir, name) {
        Ok(Some(kind)) => describe(kind),
        _ => "not what it was a moment ago",
    };
    Error::new(ErrorKind::Exists, format!("cannot use {at}: {name} is {what}, not a directory"))
}

/// The type of the file `name` in `dir`, not followed; `None` when there is none.
pub(crate) fn file_type(dir: impl AsFd, name: &str) -> Result<Option<FileType>> {
    match statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(FileType::from_raw_mode(stat.st_mode))),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error).or_error(|| format!("cannot look at {name}")),
    }
}

/// A file type in words, with its article.
pub(crate) fn describe(kind: FileType) -> &'static str {
    match kind {
        FileType::RegularFile => "a file",
        FileType::Directory => "a directory",
        FileType::Symlink => "a link",
        FileType::Fifo => "a named pipe",
        FileType::Socket => "a socket",
        FileType::CharacterDevice | FileType::BlockDevice => "a device",
        FileType::Unknown => "of an unknown kind",
    }
}

/// Finds what is at a place only to look at it: links on the way are followed, inside a container beneath its
/// root. The descriptor names the file without having opened it. `None` when nothing is there.
pub(crate) fn find(at: &Place, follow_last: bool) -> Result<Option<OwnedFd>> {
    let at = &inward(at)?;
    let root = match open_root(at.root()) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        root => root?,
    };
    let path = if at.path().as_str().is_empty() { Utf8Path::new(".") } else { at.path() };
    let found = if at.is_within() {
        os::resolve::in_root(&root, path, follow_last)
    } else {
        let flags = if follow_last { OFlags::empty() } else { OFlags::NOFOLLOW };
        openat(&root, path.as_str(), OFlags::PATH | OFlags::CLOEXEC | flags, Mode::empty())
    };
    match found {
        Ok(fd) => Ok(Some(fd)),
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None), // links in a circle lead nowhere
        Err(error) => Err(error).or_error(|| format!("cannot look at {at}")),
    }
}
