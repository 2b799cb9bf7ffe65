//! Writes a tree beneath one directory: every entry's parent is reached without following a link, so nothing
//! outside is ever touched. It knows no archive format.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use camino::Utf8Path;
use qchroot_api::{Error, ErrorKind, Node, NodeKind, Result, TreeWriter};
use rustix::fd::OwnedFd;
use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, fchmod, linkat, makedev, mkdirat, mknodat, openat, statat, symlinkat,
    unlinkat,
};
use rustix::io::Errno;

use crate::attributes::Attributes;
use crate::errors::OrError;
use crate::holes::Buffer;
use crate::{beneath, dir, holes, os};

/// Characters of a path that a message shows.
const SHOWN: usize = 500;

/// The writer into one directory.
pub(crate) struct Writer {
    top: Rc<OwnedFd>,
    /// The parent of the entry before, which most often is the next one's too.
    last: Option<(PathBuf, Rc<OwnedFd>)>,
    directories: BTreeMap<PathBuf, Directory>,
    flags: Vec<(PathBuf, u32)>,
    buffer: Buffer,
}

/// What a directory gets last: a list of its own would be inherited by what is made in it (acl(5)).
struct Directory {
    attributes: Attributes,
    xattrs: Vec<(Vec<u8>, Vec<u8>)>,
}

/// An entry's cleaned path, and where it goes.
struct Target<'a> {
    path: &'a Path,
    name: CString,
}

impl Writer {
    /// A writer into the directory `top`, which exists.
    pub(crate) fn open(top: &Utf8Path) -> Result<Self> {
        Ok(Self {
            top: Rc::new(beneath::open_root(top)?),
            last: None,
            directories: BTreeMap::new(),
            flags: vec![],
            buffer: Buffer::new(),
        })
    }

    /// Opens the directory `path` below the top, making what is missing when `make`.
    fn directory(&mut self, path: &Path, make: bool, entry: &Path) -> Result<Rc<OwnedFd>> {
        if let Some((_, dir)) = self.last.as_ref().filter(|(last, _)| last == path) {
            return Ok(Rc::clone(dir));
        }
        let mut dir = Rc::clone(&self.top);
        for name in path {
            let name = c_string(name.as_bytes(), entry)?;
            dir = Rc::new(match dir::open(&dir, &name) {
                Err(Errno::NOENT) if make => make_parent(&dir, &name).or_error(|| message(entry))?,
                Err(Errno::LOOP | Errno::NOTDIR | Errno::MLINK) => {
                    let what = format!("{} on its way is not a directory", name.to_string_lossy());
                    return Err(bad(entry, &what));
                }
                Err(Errno::NOENT) => return Err(bad(entry, &format!("{} does not exist", shown(path)))),
                dir => dir.or_error(|| message(entry))?,
            });
        }
        self.last = Some((path.to_owned(), Rc::clone(&dir)));
        Ok(dir)
    }

    /// Lets `make` make the file `path`; what is there already goes first. What `make` says is handed back.
    ///
    /// # Errors
    /// Bad data, when the path leads out or through a link, or a directory is in its place.
    pub(crate) fn place(
        &mut self,
        path: &Path,
        make: impl Fn(&OwnedFd, &CStr) -> Result<(), Errno>,
    ) -> Result<Result<(), Errno>> {
        let path = clean(path)?;
        let Some(name) = path.file_name() else { return Err(bad(&path, "it has no name")) };
        let target = Target { path: &path, name: c_string(name.as_bytes(), &path)? };
        let dir = self.directory(path.parent().unwrap_or(Path::new("")), true, &path)?;
        match replacing(&dir, &target, || make(&dir, &target.name)) {
            Err(Errno::ISDIR) => outcome(Err(Errno::ISDIR), &target),
            made => Ok(made),
        }
    }

    fn write_top(&mut self, node: &Node) -> Result<()> {
        if node.kind != NodeKind::Directory {
            return Err(bad(&node.path, "it has no name"));
        }
        self.directories.insert(PathBuf::new(), directory(node));
        Ok(())
    }

    fn write_directory(&mut self, dir: &OwnedFd, target: &Target<'_>, node: &Node) -> Result<()> {
        let made = match mkdirat(dir, &target.name, Mode::RWXU) {
            Err(Errno::EXIST) if is_directory(dir, target) => Ok(()),
            Err(Errno::EXIST) => replacing(dir, target, || mkdirat(dir, &target.name, Mode::RWXU)),
            made => made,
        };
        made.or_error(|| message(target.path))?;
        self.directories.insert(target.path.to_owned(), directory(node));
        Ok(())
    }

    fn write_hard_link(&mut self, dir: &OwnedFd, target: &Target<'_>, to: &Path) -> Result<()> {
        let to = clean(to)?;
        if to == target.path {
            return Ok(());
        }
        let Some(name) = to.file_name() else { return Err(bad(target.path, "a hard link to the top")) };
        let name = c_string(name.as_bytes(), target.path)?;
        let parent = self.directory(to.parent().unwrap_or(Path::new("")), false, target.path)?;
        let link = || linkat(&parent, &name, dir, &target.name, AtFlags::empty());
        match replacing(dir, target, link) {
            Err(Errno::NOENT) => {
                Err(bad(target.path, &format!("a hard link to {}, which is not there", shown(&to))))
            }
            Err(Errno::PERM) => Err(bad(target.path, &format!("a hard link to {}, a directory", shown(&to)))),
            result => outcome(result, target),
        }
    }

    /// Flags that would keep further names, or content of a directory, from being made come last.
    fn set_flags(&mut self, dir: &OwnedFd, target: &Target<'_>, names: &str) -> Result<()> {
        match os::flags::named(names).map_err(|error| error.while_doing(message(target.path)))? {
            0 => Ok(()),
            flags if os::flags::forbid(flags) => {
                self.flags.push((target.path.to_owned(), flags));
                Ok(())
            }
            flags => os::flags::set(dir, &target.name, flags).or_error(|| message(target.path)),
        }
    }

    fn finish_directories(&mut self) -> Result<()> {
        // The deepest first: once a directory's own mode is set it may be hard to get through.
        for (path, Directory { attributes, xattrs }) in
            std::mem::take(&mut self.directories).into_iter().rev()
        {
            let dir = self.directory(&path, false, &path)?;
            attributes.set_owner_and_mode(&dir).or_error(|| message(&path))?;
            set_xattrs(&path, &xattrs, |name, value| os::xattr::set(&dir, name, value))?;
            attributes.set_times(&dir).or_error(|| message(&path))?;
        }
        Ok(())
    }

    fn finish_flags(&mut self) -> Result<()> {
        for (path, flags) in std::mem::take(&mut self.flags).into_iter().rev() {
            let Some(name) = path.file_name() else { continue };
            let dir = self.directory(path.parent().unwrap_or(Path::new("")), false, &path)?;
            os::flags::set(&dir, &c_string(name.as_bytes(), &path)?, flags).or_error(|| message(&path))?;
        }
        Ok(())
    }
}

impl TreeWriter for Writer {
    fn write(&mut self, node: &Node, content: &mut dyn Read) -> Result<()> {
        let path = clean(&node.path)?;
        let Some(name) = path.file_name() else { return self.write_top(node) };
        let target = Target { path: &path, name: c_string(name.as_bytes(), &path)? };
        let dir = self.directory(path.parent().unwrap_or(Path::new("")), true, &path)?;
        match &node.kind {
            NodeKind::Directory => self.write_directory(&dir, &target, node)?,
            NodeKind::HardLink { to } => return self.write_hard_link(&dir, &target, to),
            NodeKind::File { size } => write_file(&dir, &target, node, (*size, content), &mut self.buffer)?,
            NodeKind::Symlink { to } => {
                let to = c_string(to.as_os_str().as_bytes(), &path)?;
                special(&dir, &target, node, || symlinkat(&to, &dir, &target.name))?;
            }
            NodeKind::Device { block, major, minor } => {
                let kind = if *block { FileType::BlockDevice } else { FileType::CharacterDevice };
                let device = makedev(*major, *minor);
                special(&dir, &target, node, || mknodat(&dir, &target.name, kind, Mode::empty(), device))?;
            }
            NodeKind::Fifo => {
                special(&dir, &target, node, || {
                    mknodat(&dir, &target.name, FileType::Fifo, Mode::empty(), 0)
                })?;
            }
        }
        match &node.flags {
            Some(names) => self.set_flags(&dir, &target, names),
            None => Ok(()),
        }
    }

    fn finish(&mut self) -> Result<()> {
        self.finish_directories()?;
        self.finish_flags()
    }
}

fn write_file(
    dir: &OwnedFd,
    target: &Target<'_>,
    node: &Node,
    (size, content): (u64, &mut dyn Read),
    buffer: &mut Buffer,
) -> Result<()> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let open = || openat(dir, &target.name, flags, Mode::RUSR | Mode::WUSR);
    let file = outcome(replacing(dir, target, open), target)?;
    holes::write(&file, content, size, buffer).map_err(|error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => bad(target.path, "its content ends early"),
        _ => Error::from_io(&error, message(target.path)),
    })?;
    let attributes = attributes(node);
    attributes.set_owner_and_mode(&file).or_error(|| message(target.path))?;
    set_xattrs(target.path, &xattrs(node), |name, value| os::xattr::set(&file, name, value))?;
    attributes.set_times(&file).or_error(|| message(target.path))
}

/// An entry that cannot be opened.
fn special(
    dir: &OwnedFd,
    target: &Target<'_>,
    node: &Node,
    make: impl Fn() -> Result<(), Errno>,
) -> Result<()> {
    let is_link = matches!(node.kind, NodeKind::Symlink { .. });
    outcome(replacing(dir, target, make), target)?;
    let attributes = attributes(node);
    attributes.set_owner_and_mode_at(dir, &target.name, is_link).or_error(|| message(target.path))?;
    let set = |name: &[u8], value: &[u8]| os::xattr::set_at(dir, &target.name, name, value);
    set_xattrs(target.path, &xattrs(node), set)?;
    attributes.set_times_at(dir, &target.name).or_error(|| message(target.path))
}

fn outcome<T>(result: Result<T, Errno>, target: &Target<'_>) -> Result<T> {
    match result {
        Err(Errno::ISDIR) => Err(bad(target.path, "there is a directory in its place")),
        Err(Errno::NAMETOOLONG) => {
            Err(bad(target.path, "its name or its target is longer than the system takes"))
        }
        result => result.or_error(|| message(target.path)),
    }
}

/// Makes an entry; what has the name already goes first, if it is not a directory.
fn replacing<T>(dir: &OwnedFd, target: &Target<'_>, make: impl Fn() -> Result<T, Errno>) -> Result<T, Errno> {
    match make() {
        Err(Errno::EXIST) if is_directory(dir, target) => Err(Errno::ISDIR),
        Err(Errno::EXIST) => {
            unlinkat(dir, &target.name, AtFlags::empty())?;
            make()
        }
        result => result,
    }
}

fn is_directory(dir: &OwnedFd, target: &Target<'_>) -> bool {
    statat(dir, &target.name, AtFlags::SYMLINK_NOFOLLOW)
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory)
}

fn make_parent(dir: &OwnedFd, name: &CString) -> Result<OwnedFd, Errno> {
    mkdirat(dir, name, Mode::RWXU)?;
    let made = dir::open(dir, name)?;
    fchmod(&made, Mode::from_raw_mode(0o755))?;
    Ok(made)
}

fn attributes(node: &Node) -> Attributes {
    Attributes::new(node.uid, node.gid, node.mode, node.mtime)
}

fn directory(node: &Node) -> Directory {
    Directory { attributes: attributes(node), xattrs: xattrs(node) }
}

/// The entry's extended attributes, and flags where the system knows none.
fn xattrs(node: &Node) -> Vec<(Vec<u8>, Vec<u8>)> {
    let flags = node.flags.as_ref().and_then(|names| os::flags::kept_as(names));
    node.xattrs.iter().cloned().chain(flags).collect()
}

fn set_xattrs(
    path: &Path,
    xattrs: &[(Vec<u8>, Vec<u8>)],
    set: impl Fn(&[u8], &[u8]) -> Result<(), Errno>,
) -> Result<()> {
    xattrs.iter().try_for_each(|(name, value)| {
        set(name, value).or_error(|| format!("{}: {}", message(path), String::from_utf8_lossy(name)))
    })
}

/// The path below the top, without what means nothing.
fn clean(path: &Path) -> Result<PathBuf> {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => out.push(name),
            Component::ParentDir => return Err(bad(path, "its path has `..` in it")),
            Component::Prefix(_) | Component::RootDir | Component::CurDir => {}
        }
    }
    if out.components().count() > dir::DEEPEST {
        return Err(bad(path, &format!("it lies more than {} directories deep", dir::DEEPEST)));
    }
    Ok(out)
}

fn c_string(bytes: &[u8], entry: &Path) -> Result<CString> {
    CString::new(bytes).map_err(|_| bad(entry, "a zero byte in a name"))
}

/// A path of any length for messages.
fn shown(entry: &Path) -> String {
    let text = entry.to_string_lossy();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}

fn message(entry: &Path) -> String {
    format!("cannot write {}", shown(entry))
}

fn bad(entry: &Path, why: &str) -> Error {
    Error::new(ErrorKind::BadData, format!("bad entry {}: {why}", shown(entry)))
}
