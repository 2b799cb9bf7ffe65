//! Copies a tree with everything it carries: owners, modes, times, links, extended attributes, holes. It does
//! not know what the tree is.

use std::collections::HashMap;
use std::ffi::{CStr, CString};

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Error, ErrorKind, Place, Result};
use rustix::fd::OwnedFd;
use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, Stat, fstat, linkat, mkdirat, mknodat, openat, readlinkat, statat,
    symlinkat,
};
use rustix::io::Errno;

use crate::attributes::{Attributes, identity};
use crate::beneath::{self, Spot};
use crate::dir::{self, DEEPEST, Entry};
use crate::errors::OrError;
use crate::os;

/// Copies the tree or file `from` to `to`, which does not exist; sockets are left out.
///
/// # Errors
/// `Exists` where `to` does.
pub(crate) fn copy(from: &Utf8Path, to: &Utf8Path) -> Result<()> {
    let (source, target) = (beneath::parent(&Place::host(from))?, beneath::parent(&Place::host(to))?);
    match beneath::file_type(&source.dir, &source.name)? {
        None | Some(FileType::Directory) => copy_tree(from, to, target),
        Some(kind) => {
            copy_file(&source, &target, kind, from).or_error(|| format!("cannot copy {from} to {to}"))
        }
    }
}

fn copy_file(source: &Spot, target: &Spot, kind: FileType, shown: &Utf8Path) -> Result<(), Errno> {
    let name = |spot: &Spot| CString::new(spot.name.as_str()).map_err(|_| Errno::INVAL);
    let (from, to) = (name(source)?, name(target)?);
    let stat = statat(&source.dir, &from, AtFlags::SYMLINK_NOFOLLOW)?;
    let top = rustix::io::fcntl_dupfd_cloexec(&target.dir, 0)?;
    let mut copy = Copy::new(top, shown, None, &|| true);
    copy.other(&source.dir, &target.dir, [&from, &to], &stat, kind)?;
    set_flags(&target.dir, &to, os::flags::of(&source.dir, &from, &stat))?;
    if kind == FileType::RegularFile {
        // What is moved into a container must not be empty after a power cut.
        rustix::fs::fsync(openat(&target.dir, &to, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?)?;
    }
    rustix::fs::fsync(&target.dir)
}

fn copy_tree(from: &Utf8Path, to: &Utf8Path, spot: Spot) -> Result<()> {
    let message = || format!("cannot copy {from} to {to}");
    let source = beneath::open_root(from)?;
    let name = CString::new(spot.name).or_error(message)?;
    let top = new_directory(&spot.dir, &name).or_error(message)?;
    Copy::new(top, from, None, &|| true).whole(&source)?;
    let stat = fstat(&source).or_error(message)?;
    set_flags(&spot.dir, &name, os::flags::of(&source, c"", &stat)).or_error(message)?;
    os::files::flush(&spot.dir).or_error(message)
}

/// Copies what is below the directory `from` into the empty directory `to`, which gets the attributes of `from`.
/// What is mounted below `from` is left out; `go_on` is asked before each entry.
pub(crate) fn copy_onto(from: &Utf8Path, to: &Utf8Path, go_on: &dyn Fn() -> bool) -> Result<()> {
    let source = beneath::open_root(from)?;
    let mount = os::mount::id(&source)?;
    Copy::new(beneath::open_root(to)?, from, Some(mount), go_on).whole(&source)
}

fn new_directory(dir: &OwnedFd, name: &CStr) -> Result<OwnedFd, Errno> {
    mkdirat(dir, name, Mode::RWXU)?;
    dir::open(dir, name)
}

struct Copy<'a> {
    top: OwnedFd,
    /// The only mount whose files are copied, if there is such a limit.
    mount: Option<u64>,
    go_on: &'a dyn Fn() -> bool,
    /// Files with further names, by device and number: where the first copy is below `top`.
    linked: HashMap<(u64, u64), CString>,
    /// Flags come last: nothing can be linked to or put into what has them.
    flags: Vec<(CString, u32)>,
    /// Where the work is below `top`.
    path: Vec<u8>,
    /// The same, for messages.
    shown: Utf8PathBuf,
}

impl<'a> Copy<'a> {
    fn new(top: OwnedFd, from: &Utf8Path, mount: Option<u64>, go_on: &'a dyn Fn() -> bool) -> Self {
        let shown = from.to_owned();
        Self { top, mount, go_on, linked: HashMap::new(), flags: vec![], path: vec![], shown }
    }

    fn whole(mut self, source: &OwnedFd) -> Result<()> {
        let target = self.top.try_clone().or_error(|| self.message())?;
        self.directory(source, &target, 0)?;
        self.set_flags()
    }

    fn directory(&mut self, from: &OwnedFd, to: &OwnedFd, depth: usize) -> Result<()> {
        if depth > DEEPEST {
            let message = format!("cannot copy {}: more than {DEEPEST} directories deep", self.shown);
            return Err(Error::new(ErrorKind::BadData, message));
        }
        for entry in dir::entries(from, self.shown.as_str())? {
            let length = self.path.len();
            if length > 0 {
                self.path.push(b'/');
            }
            self.path.extend_from_slice(entry.name.as_bytes());
            self.shown.push(entry.shown());
            self.entry(from, to, &entry, depth)?;
            self.shown.pop();
            self.path.truncate(length);
        }
        let stat = fstat(from).or_error(|| self.message())?;
        dress(from, to, &Attributes::of(&stat)).or_error(|| self.message())
    }

    fn entry(&mut self, from: &OwnedFd, to: &OwnedFd, entry: &Entry, depth: usize) -> Result<()> {
        if !(self.go_on)() {
            return Err(Error::new(ErrorKind::System, "interrupted"));
        }
        let name = entry.name.as_c_str();
        let stat = statat(from, name, AtFlags::SYMLINK_NOFOLLOW).or_error(|| self.message())?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => {
                let below = dir::open(from, name).or_error(|| self.message())?;
                let copy = new_directory(to, name).or_error(|| self.message())?;
                if self.is_elsewhere(&below)? {
                    let covering = Attributes::of(&stat).set_owner_and_mode(&copy);
                    return covering.or_error(|| self.message());
                }
                self.directory(&below, &copy, depth + 1)?;
            }
            FileType::Socket => return Ok(()),
            kind => self.other(from, to, [name, name], &stat, kind).or_error(|| self.message())?,
        }
        match os::flags::of(from, name, &stat) {
            0 => {}
            flags => self.flags.push((self.path().or_error(|| self.message())?, flags)),
        }
        Ok(())
    }

    /// Whether a directory belongs to another mount than the one to copy.
    fn is_elsewhere(&self, dir: &OwnedFd) -> Result<bool> {
        match self.mount {
            Some(mount) => Ok(os::mount::id(dir)? != mount),
            None => Ok(false),
        }
    }

    fn set_flags(&mut self) -> Result<()> {
        let all = std::mem::take(&mut self.flags);
        all.iter()
            .rev()
            .try_for_each(|(path, flags)| set_flags(&self.top, path, *flags))
            .or_error(|| self.message())
    }

    fn path(&self) -> Result<CString, Errno> {
        CString::new(self.path.clone()).map_err(|_| Errno::INVAL)
    }

    fn other(
        &mut self,
        from: &OwnedFd,
        to: &OwnedFd,
        [name, new]: [&CStr; 2],
        stat: &Stat,
        kind: FileType,
    ) -> Result<(), Errno> {
        if self.link_to_copy(to, new, stat)? {
            return Ok(());
        }
        match kind {
            FileType::RegularFile => file(from, to, [name, new]),
            FileType::Symlink => {
                symlinkat(&readlinkat(from, name, vec![])?, to, new)?;
                dress_at(from, to, [name, new], &Attributes::of(stat), true)
            }
            special => {
                // FreeBSD gives a pipe a device's number that it does not take back.
                let device = if special == FileType::Fifo { 0 } else { stat.st_rdev };
                mknodat(to, new, special, Mode::empty(), device)?;
                dress_at(from, to, [name, new], &Attributes::of(stat), false)
            }
        }
    }

    /// Makes `name` a further name of a copy that is there already; otherwise remembers it as the first.
    fn link_to_copy(&mut self, to: &OwnedFd, name: &CStr, stat: &Stat) -> Result<bool, Errno> {
        if stat.st_nlink < 2 {
            return Ok(false);
        }
        let key = identity(stat);
        if let Some(first) = self.linked.get(&key) {
            linkat(&self.top, first, to, name, AtFlags::empty())?;
            return Ok(true);
        }
        self.linked.insert(key, self.path()?);
        Ok(false)
    }

    fn message(&self) -> String {
        format!("cannot copy {}", self.shown)
    }
}

/// Not every file system has flags.
fn set_flags(dir: &OwnedFd, path: &CStr, flags: u32) -> Result<(), Errno> {
    match flags {
        0 => Ok(()),
        flags => match os::flags::set(dir, path, flags) {
            Err(Errno::OPNOTSUPP) => Ok(()),
            result => result,
        },
    }
}

fn file(from: &OwnedFd, to: &OwnedFd, [name, new]: [&CStr; 2]) -> Result<(), Errno> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let source = openat(from, name, flags, Mode::empty())?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let target = openat(to, new, flags, Mode::RUSR | Mode::WUSR)?;
    let stat = fstat(&source)?;
    os::content::copy(&source, &target, u64::try_from(stat.st_size).unwrap_or(0))?;
    dress(&source, &target, &Attributes::of(&stat))
}

/// What an open file or directory carries; file capabilities come after the owner, whose change clears them.
fn dress(from: &OwnedFd, to: &OwnedFd, attributes: &Attributes) -> Result<(), Errno> {
    attributes.set_owner_and_mode(to)?;
    for (name, value) in os::xattr::all(from)? {
        os::xattr::set(to, &name, &value)?;
    }
    attributes.set_times(to)
}

/// The same for what cannot be opened.
fn dress_at(
    from: &OwnedFd,
    to: &OwnedFd,
    [name, new]: [&CStr; 2],
    attributes: &Attributes,
    is_link: bool,
) -> Result<(), Errno> {
    attributes.set_owner_and_mode_at(to, new, is_link)?;
    for (attribute, value) in os::xattr::all_at(from, name)? {
        os::xattr::set_at(to, new, &attribute, &value)?;
    }
    attributes.set_times_at(to, new)
}
