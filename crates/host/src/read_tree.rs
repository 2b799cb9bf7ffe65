//! Reads a tree by descriptor, no link followed, as the nodes that a writer would make it from. It changes nothing and
//! does not know whose tree it is.

use std::collections::HashMap;
use std::ffi::{CStr, OsStr};
use std::io::{self, Read, empty};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Error, ErrorKind, Node, NodeKind, Place, Result, TakeNode};
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, fstat, major, minor, openat, readlinkat, statat};
use rustix::io::{Errno, pread};

use crate::attributes::{identity, links};
use crate::dir::{self, DEEPEST, Entry};
use crate::errors::OrError;
use crate::files::permissions;
use crate::{beneath, extents, os};

/// Hands all of the tree or file `top` to `take`; `go_on` is asked before each entry.
pub(crate) fn read(top: &Utf8Path, go_on: &dyn Fn() -> bool, take: &mut TakeNode<'_>) -> Result<()> {
    let spot = beneath::parent(&Place::host(top))?;
    let name = std::ffi::CString::new(spot.name).or_error(|| format!("cannot read {top}"))?;
    let stat =
        statat(&spot.dir, &name, AtFlags::SYMLINK_NOFOLLOW).or_error(|| format!("cannot read {top}"))?;
    let mount = os::mount::id(&spot.dir)?;
    let linked = HashMap::new();
    let mut walk = Walk { mount, go_on, take, linked, path: PathBuf::new(), shown: top.to_owned() };
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => {
            let dir = dir::open(&spot.dir, &name).or_error(|| walk.message())?;
            walk.mount = os::mount::id(&dir)?;
            walk.directory(&dir, 0)
        }
        kind => walk.other(&spot.dir, &name, &stat, kind),
    }
}

struct Walk<'a, 'b> {
    /// The only mount whose files are read.
    mount: u64,
    go_on: &'a dyn Fn() -> bool,
    take: &'a mut TakeNode<'b>,
    /// Files with further names, by device and number: where the first one is.
    linked: HashMap<(u64, u64), PathBuf>,
    /// Where the work is below the top.
    path: PathBuf,
    /// The same, for messages.
    shown: Utf8PathBuf,
}

impl Walk<'_, '_> {
    fn directory(&mut self, dir: &OwnedFd, depth: usize) -> Result<()> {
        if depth > DEEPEST {
            let message = format!("{} is more than {DEEPEST} directories deep", self.shown);
            return Err(Error::new(ErrorKind::BadData, message));
        }
        let stat = fstat(dir).or_error(|| self.message())?;
        let xattrs = os::xattr::all(dir).or_error(|| self.message())?;
        let node = self.node(NodeKind::Directory, &stat, xattrs);
        (self.take)(&node, &[], &mut empty())?;
        if os::mount::id(dir)? != self.mount {
            return Ok(());
        }
        let mut entries = dir::entries(dir, self.shown.as_str())?;
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        for entry in entries {
            self.path.push(OsStr::from_bytes(entry.name.as_bytes()));
            self.shown.push(entry.shown());
            self.entry(dir, &entry, depth)?;
            self.shown.pop();
            self.path.pop();
        }
        Ok(())
    }

    fn entry(&mut self, dir: &OwnedFd, entry: &Entry, depth: usize) -> Result<()> {
        self.refuse_given_up()?;
        let name = entry.name.as_c_str();
        let stat = statat(dir, name, AtFlags::SYMLINK_NOFOLLOW).or_error(|| self.message())?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => {
                let below = dir::open(dir, name).or_error(|| self.message())?;
                self.directory(&below, depth + 1)
            }
            FileType::Socket => Ok(()),
            kind => self.other(dir, name, &stat, kind),
        }
    }

    fn other(&mut self, dir: &OwnedFd, name: &CStr, stat: &Stat, kind: FileType) -> Result<()> {
        if let Some(to) = self.first_name(stat) {
            let node = self.node(NodeKind::HardLink { to }, stat, vec![]);
            return (self.take)(&node, &[], &mut empty());
        }
        let device =
            |block| NodeKind::Device { block, major: major(stat.st_rdev), minor: minor(stat.st_rdev) };
        let kind = match kind {
            FileType::RegularFile => return self.file(dir, name),
            FileType::Symlink => {
                let to = readlinkat(dir, name, vec![]).or_error(|| self.message())?;
                NodeKind::Symlink { to: OsStr::from_bytes(to.as_bytes()).into() }
            }
            FileType::CharacterDevice => device(false),
            FileType::BlockDevice => device(true),
            _ => NodeKind::Fifo,
        };
        let xattrs = os::xattr::all_at(dir, name).or_error(|| self.message())?;
        let node = self.node(kind, stat, xattrs);
        (self.take)(&node, &[], &mut empty())
    }

    /// Where the same file was seen before under another name; otherwise this one is remembered.
    fn first_name(&mut self, stat: &Stat) -> Option<PathBuf> {
        if links(stat) < 2 {
            return None;
        }
        let first = self.linked.get(&identity(stat)).cloned();
        if first.is_none() {
            self.linked.insert(identity(stat), self.path.clone());
        }
        first
    }

    /// Opens a file that was regular a moment ago; one that is not any more is an error.
    fn file(&mut self, dir: &OwnedFd, name: &CStr) -> Result<()> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = openat(dir, name, flags, Mode::empty()).or_error(|| self.message())?;
        let stat = fstat(&file).or_error(|| self.message())?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(Error::new(
                ErrorKind::BadData,
                format!("{} is not the file that it was", self.shown),
            ));
        }
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        let blocks = u64::try_from(stat.st_blocks).unwrap_or(u64::MAX);
        let data = extents::all(&file, size, blocks).or_error(|| self.message())?;
        let xattrs = os::xattr::all(&file).or_error(|| self.message())?;
        let node = self.node(NodeKind::File { size }, &stat, xattrs);
        let mut content = Content { file: &file, left: data.iter(), piece: (0, 0), go_on: self.go_on };
        let taken = (self.take)(&node, &data, &mut content);
        self.refuse_given_up()?;
        taken.map_err(|error| error.with("path", &self.shown))
    }

    fn refuse_given_up(&self) -> Result<()> {
        if (self.go_on)() { Ok(()) } else { Err(Error::new(ErrorKind::System, "interrupted")) }
    }

    fn node(&self, kind: NodeKind, stat: &Stat, mut xattrs: Vec<(Vec<u8>, Vec<u8>)>) -> Node {
        let flags = os::flags::names(stat, &xattrs).filter(|names| names != "none");
        if let Some((kept, _)) = os::flags::kept_as("") {
            xattrs.retain(|(name, _)| *name != kept);
        }
        xattrs.sort();
        Node {
            path: self.path.clone(),
            kind,
            mode: permissions(stat),
            uid: stat.st_uid,
            gid: stat.st_gid,
            mtime: (stat.st_mtime, u32::try_from(stat.st_mtime_nsec).unwrap_or(0)),
            xattrs,
            flags,
        }
    }

    fn message(&self) -> String {
        format!("cannot read {}", self.shown)
    }
}

/// The data of a file without its holes.
struct Content<'a> {
    file: &'a OwnedFd,
    left: std::slice::Iter<'a, (u64, u64)>,
    /// Offset and length of what is left of the current piece.
    piece: (u64, u64),
    go_on: &'a dyn Fn() -> bool,
}

impl Read for Content<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.1 == 0 {
            let Some(&piece) = self.left.next() else { return Ok(0) };
            self.piece = piece;
        }
        if !(self.go_on)() {
            return Err(io::Error::other("interrupted"));
        }
        let wanted = buffer.len().min(usize::try_from(self.piece.1).unwrap_or(usize::MAX));
        let length = loop {
            match pread(self.file, &mut buffer[..wanted], self.piece.0) {
                Err(Errno::INTR) => {}
                read => break read?,
            }
        };
        self.piece = (self.piece.0 + length as u64, self.piece.1 - length as u64);
        Ok(length)
    }
}
