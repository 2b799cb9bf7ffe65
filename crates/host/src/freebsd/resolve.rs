//! Paths resolved beneath a root by hand: `O_RESOLVE_BENEATH` of open(2) refuses the absolute links that
//! containers have. It does not know what the root is.

use std::path::{Component, Path};

use camino::Utf8Path;
use rustix::fd::OwnedFd;
use rustix::fs::{FileType, Mode, OFlags, fstat, openat, readlinkat};
use rustix::io::{Errno, fcntl_dupfd_cloexec};

/// As many links as the kernel follows; `MAXSYMLINKS` in sys/param.h.
const MOST_LINKS: usize = 32;

/// What is left of a path: names and `..`, the next one last.
type Rest = Vec<Vec<u8>>;

/// Finds `path` as a process whose root is `root` would. Each name is opened by itself and no link is left to
/// the kernel, so nothing that is swapped meanwhile leads out.
pub(crate) fn in_root(root: &OwnedFd, path: &Utf8Path, follow_last: bool) -> Result<OwnedFd, Errno> {
    let mut below: Vec<OwnedFd> = vec![];
    let mut rest = Rest::new();
    put_before(&mut rest, path.as_std_path());
    let mut links = 0;
    while let Some(name) = rest.pop() {
        if name == b".." {
            below.pop();
            continue;
        }
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::RESOLVE_BENEATH | OFlags::CLOEXEC;
        let found = openat(below.last().unwrap_or(root), name.as_slice(), flags, Mode::empty())?;
        let is_link = FileType::from_raw_mode(fstat(&found)?.st_mode) == FileType::Symlink;
        if !is_link || (rest.is_empty() && !follow_last) {
            below.push(found);
            continue;
        }
        links += 1;
        if links > MOST_LINKS {
            return Err(Errno::LOOP);
        }
        follow(root, &name, &mut below, &mut rest)?;
    }
    below.pop().map_or_else(|| fcntl_dupfd_cloexec(root, 0), Ok)
}

/// Puts what the link `name` says in front of the rest. That is only text: it does not matter whether it is still the
/// link that was looked at.
fn follow(root: &OwnedFd, name: &[u8], below: &mut Vec<OwnedFd>, rest: &mut Rest) -> Result<(), Errno> {
    use std::os::unix::ffi::OsStrExt;
    let target = readlinkat(below.last().unwrap_or(root), name, vec![])?;
    let target = Path::new(std::ffi::OsStr::from_bytes(target.as_bytes()));
    if target.is_absolute() {
        below.clear();
    }
    put_before(rest, target);
    Ok(())
}

fn put_before(rest: &mut Rest, path: &Path) {
    use std::os::unix::ffi::OsStrExt;
    for component in path.components().rev() {
        match component {
            Component::Normal(name) => rest.push(name.as_bytes().to_vec()),
            Component::ParentDir => rest.push(b"..".to_vec()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
}

/// Opens the file that a descriptor made with `O_PATH` names.
pub(crate) fn reopen(fd: &OwnedFd, flags: OFlags) -> Result<OwnedFd, Errno> {
    openat(fd, "", flags | OFlags::EMPTY_PATH | OFlags::CLOEXEC, Mode::empty())
}
