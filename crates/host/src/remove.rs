//! Removes a tree by descriptor: never across a mount, never through a link, file flags cleared where they are
//! in the way. It does not know whose tree it is.

use std::ffi::{CStr, CString};

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Error, ErrorKind, Place, Result};
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, FileType, fsync, renameat, unlinkat};
use rustix::io::Errno;

use crate::dir::{self, Entry};
use crate::errors::OrError;
use crate::process::sandbox;
use crate::{beneath, flagged, mount, os};

/// Directories deeper than this are first moved up, so that no tree is too deep for descriptors and stack.
const DEEPEST: usize = 64;

/// Removes a tree or a regular file; one that is gone is fine.
///
/// # Errors
/// `Busy`, before anything is removed, where the mount table shows a mount in it; `Exists` where it is neither.
pub(crate) fn remove_tree(at: &Utf8Path) -> Result<()> {
    let place = Place::host(at);
    let spot = match beneath::parent(&place) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        spot => spot?,
    };
    let flags = match beneath::file_type(&spot.dir, &spot.name)? {
        None => return Ok(()),
        Some(FileType::RegularFile) => AtFlags::empty(),
        Some(_) => {
            empty_tree(&place, at)?;
            AtFlags::REMOVEDIR
        }
    };
    let name = CString::new(spot.name).or_error(|| format!("cannot remove {at}"))?;
    remove_entry(&spot.dir, &name, flags)
        .map_err(|why| flagged::refused(why, format!("cannot remove {at}")))?;
    fsync(&spot.dir).or_error(|| format!("cannot flush the directory of {at}"))
}

fn empty_tree(place: &Place, at: &Utf8Path) -> Result<()> {
    let top = beneath::open_dir(place)?;
    refuse_mounts(at)?;
    let mount = os::mount::id(&top)?;
    Removal { top, mount, moved: vec![], count: 0, shown: at.to_owned() }.run()
}

fn refuse_mounts(at: &Utf8Path) -> Result<()> {
    let message = || format!("cannot remove {at}");
    let real = at.canonicalize_utf8().or_error(message)?;
    if let Some(found) = mount::table()?.into_iter().find(|mounted| mounted.at.starts_with(&real)) {
        return Err(across(at, &found.at));
    }
    match sandbox::mounts_below(at)?.first() {
        None => Ok(()),
        Some((place, _)) => {
            let message = format!("cannot remove {at}: the sandbox of {} runs", place.root());
            Err(Error::new(ErrorKind::Busy, message).hint("stop the container first"))
        }
    }
}

fn across(tree: &Utf8Path, mounted: &Utf8Path) -> Error {
    Error::new(ErrorKind::Busy, format!("cannot remove {tree}: something is mounted on {mounted}"))
        .hint(format!("unmount {mounted} first"))
}

struct Removal {
    top: OwnedFd,
    mount: u64,
    /// Directories that were too deep, now in `top`.
    moved: Vec<CString>,
    count: usize,
    /// Where the work is, for messages.
    shown: Utf8PathBuf,
}

impl Removal {
    fn run(&mut self) -> Result<()> {
        let top = self.top.try_clone().or_error(|| format!("cannot remove {}", self.shown))?;
        self.empty(&top, 0)?;
        while let Some(name) = self.moved.pop() {
            self.remove(&top, &Entry { name, kind: FileType::Directory }, 0)?;
        }
        Ok(())
    }

    fn empty(&mut self, dir: &OwnedFd, depth: usize) -> Result<()> {
        for entry in dir::entries(dir, self.shown.as_str())? {
            self.shown.push(entry.shown());
            self.remove(dir, &entry, depth)?;
            self.shown.pop();
        }
        Ok(())
    }

    fn remove(&mut self, dir: &OwnedFd, entry: &Entry, depth: usize) -> Result<()> {
        let shown = self.shown.clone();
        let message = |why| flagged::refused(why, format!("cannot remove {shown}"));
        if entry.kind != FileType::Directory {
            return remove_entry(dir, &entry.name, AtFlags::empty()).map_err(message);
        }
        if depth >= DEEPEST {
            return self.move_up(dir, &entry.name);
        }
        let below = match dir::open(dir, &entry.name) {
            Err(Errno::NOENT) => return Ok(()),
            below => below.map_err(message)?,
        };
        if os::mount::id(&below)? != self.mount {
            return Err(across(&self.shown, &self.shown));
        }
        self.empty(&below, depth + 1)?;
        remove_entry(dir, &entry.name, AtFlags::REMOVEDIR).map_err(message)
    }

    fn move_up(&mut self, dir: &OwnedFd, name: &CStr) -> Result<()> {
        let free = loop {
            self.count += 1;
            let name = format!(".qchroot-removed-{}", self.count);
            if beneath::file_type(&self.top, &name)?.is_none() {
                break name;
            }
        };
        let free = CString::new(free).or_error(|| format!("cannot remove {}", self.shown))?;
        os::flags::clear(&self.top).or_error(|| format!("cannot remove {}", self.shown))?;
        retry_without_flags(dir, name, || renameat(dir, name, &self.top, &free))
            .or_error(|| format!("cannot remove {}", self.shown))?;
        self.moved.push(free);
        Ok(())
    }
}

fn remove_entry(dir: &OwnedFd, name: &CStr, flags: AtFlags) -> Result<(), Errno> {
    match retry_without_flags(dir, name, || unlinkat(dir, name, flags)) {
        Err(Errno::NOENT) => Ok(()),
        result => result,
    }
}

/// Makes a change of a name in `dir`, once more without file flags where these are in the way.
pub(crate) fn retry_without_flags(
    dir: &OwnedFd,
    name: &CStr,
    change: impl Fn() -> Result<(), Errno>,
) -> Result<(), Errno> {
    match change() {
        Err(Errno::PERM) => {
            os::flags::clear(dir)?;
            os::flags::clear_at(dir, name)?;
            change()
        }
        result => result,
    }
}
