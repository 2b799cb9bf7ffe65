//! Brings single files of the host's into a staging directory, each by the descriptor of what was looked at. It
//! does not know why they are wanted.

use std::ffi::CStr;
use std::fs::File;
use std::io::empty;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use camino::Utf8Path;
use qchroot_api::{Error, ErrorKind, Node, NodeKind, Place, Result, Take, TreeWriter};
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, fstat, linkat, openat, readlinkat, statat};
use rustix::io::Errno;

use crate::attributes::{Attributes, identity};
use crate::beneath::{self, Spot, describe};
use crate::errors::OrError;
use crate::files::permissions;
use crate::os;
use crate::writer::Writer;

/// Takes the file, link or directory `from` to `to` below the writer's top. Sparse files stay sparse; what BSD
/// file flags say of the original does not hold for what is taken.
///
/// # Errors
/// Bad data for anything else than a file, a link or a directory; `Unavailable` where a file cannot get another
/// name.
pub(crate) fn take(writer: &mut Writer, from: &Utf8Path, to: &Path, how: Take) -> Result<()> {
    let message = || format!("cannot take {from}");
    let spot = beneath::parent(&Place::host(from)).map_err(|error| error.while_doing(message()))?;
    let stat = statat(&spot.dir, &spot.name, AtFlags::SYMLINK_NOFOLLOW).or_error(message)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Symlink => {
            let target = readlinkat(&spot.dir, &spot.name, vec![]).or_error(message)?;
            let target = std::ffi::OsString::from_vec(target.into_bytes());
            writer.write(&node(to, NodeKind::Symlink { to: target.into() }, &stat), &mut empty())
        }
        FileType::Directory => {
            let dir = open(&spot, OFlags::DIRECTORY).or_error(message)?;
            let stat = fstat(&dir).or_error(message)?;
            let xattrs = os::xattr::all(&dir).or_error(message)?;
            writer.write(&Node { xattrs, ..node(to, NodeKind::Directory, &stat) }, &mut empty())
        }
        FileType::RegularFile => take_file(writer, &spot, from, to, how),
        other => {
            let what = describe(other);
            Err(Error::new(
                ErrorKind::BadData,
                format!("{from} is {what}, neither a file nor a link nor a directory"),
            ))
        }
    }
}

fn take_file(writer: &mut Writer, spot: &Spot, from: &Utf8Path, to: &Path, how: Take) -> Result<()> {
    let message = || format!("cannot take {from}");
    // What is a pipe by now must not be waited for.
    let file = open(spot, OFlags::NONBLOCK).or_error(message)?;
    let stat = fstat(&file).or_error(message)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(Error::new(ErrorKind::BadData, format!("{from} is not the file any more that it was")));
    }
    match how {
        Take::Link => match writer.place(to, |dir, name| link(spot, &stat, dir, name))? {
            Err(why @ (Errno::XDEV | Errno::PERM | Errno::MLINK)) => Err(no_link(from, why)),
            linked => linked.or_error(message),
        },
        Take::Reflink => writer.place(to, |dir, name| clone(&file, &stat, dir, name))?.or_error(message),
        Take::Copy => {
            let xattrs = os::xattr::all(&file).or_error(message)?;
            let kind = NodeKind::File { size: u64::try_from(stat.st_size).unwrap_or(0) };
            writer.write(&Node { xattrs, ..node(to, kind, &stat) }, &mut File::from(file))
        }
    }
}

fn open(spot: &Spot, more: OFlags) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | more;
    openat(&spot.dir, &spot.name, flags, Mode::empty())
}

fn node(to: &Path, kind: NodeKind, stat: &Stat) -> Node {
    Node {
        path: to.to_owned(),
        kind,
        mode: permissions(stat),
        uid: stat.st_uid,
        gid: stat.st_gid,
        mtime: (stat.st_mtime, u32::try_from(stat.st_mtime_nsec).unwrap_or(0)),
        xattrs: vec![],
        flags: None,
    }
}

/// Another name of the file that was looked at, and of no other that came in its place.
fn link(spot: &Spot, stat: &Stat, dir: &OwnedFd, name: &CStr) -> Result<(), Errno> {
    linkat(&spot.dir, &spot.name, dir, name, AtFlags::empty())?;
    let made = statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)?;
    if identity(&made) == identity(stat) { Ok(()) } else { Err(Errno::STALE) }
}

/// A copy that shares its blocks where the file system can.
fn clone(file: &OwnedFd, stat: &Stat, dir: &OwnedFd, name: &CStr) -> Result<(), Errno> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let copy = openat(dir, name, flags, Mode::RUSR | Mode::WUSR)?;
    os::content::copy(file, &copy, u64::try_from(stat.st_size).unwrap_or(0))?;
    let attributes = Attributes::of(stat);
    attributes.set_owner_and_mode(&copy)?;
    for (name, value) in os::xattr::all(file)? {
        os::xattr::set(&copy, &name, &value)?;
    }
    attributes.set_times(&copy)
}

/// A file that cannot get another name: link(2).
fn no_link(from: &Utf8Path, why: Errno) -> Error {
    let why = match why {
        Errno::XDEV => "it is on another file system than where it is to go",
        Errno::MLINK => "it has as many names as its file system allows",
        _ => "its file flags or its file system forbid it",
    };
    Error::new(ErrorKind::Unavailable, format!("cannot link {from}: {why}")).hint("take a copy instead")
}
