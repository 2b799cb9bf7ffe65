//! Finds sandboxes by the locks that their inits hold. It opens nothing inside.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};

use camino::Utf8Path;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use qchroot_api::{Error, ErrorKind, Mounted, Place, Result, sandbox_lock};

use super::Sandbox;
use crate::errors::OrError;
use crate::process::kernel::Handle;
use crate::process::members::is_first_below;
use crate::process::service::whole_file;

/// The name that the roots of sandboxes have, so that a path has few directories that can be one.
const ROOT: &str = "root";

/// Refuses a root that nobody would look for.
pub(super) fn check_name(root: &Utf8Path) -> Result<()> {
    if root.file_name() == Some(ROOT) && root.is_absolute() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Internal, format!("{root} cannot be the root of a sandbox")))
}

/// The sandbox that has this very directory of the host's for its root.
pub(crate) fn at(root: &Utf8Path) -> Result<Option<Sandbox>> {
    if root.file_name() != Some(ROOT) {
        return Ok(None);
    }
    let Some(lock) = open(&sandbox_lock(root))? else { return Ok(None) };
    let Some(pid) = holder(&lock, root)? else { return Ok(None) };
    let Some(init) = Handle::open(pid)? else { return Ok(None) };
    // Who is root inside a container can lock files in it, too, but is no such init. The lock is asked for again, so
    // that the handle is known to be its holder's.
    if !is_first_below(pid) || holder(&lock, root)? != Some(pid) {
        return Ok(None);
    }
    Ok(Some(Sandbox { root: root.to_owned(), pid, init }))
}

/// The sandbox that a directory of the host's belongs to: it is its root, or below.
pub(crate) fn over(path: &Utf8Path) -> Result<Option<Sandbox>> {
    let mut roots: Vec<&Utf8Path> = path.ancestors().filter(|dir| dir.file_name() == Some(ROOT)).collect();
    // From the top: what is beside a directory inside a sandbox is that one's own.
    while let Some(root) = roots.pop() {
        if let Some(sandbox) = at(root)? {
            return Ok(Some(sandbox));
        }
    }
    Ok(None)
}

/// The sandbox that a place belongs to. Of one within a container, the container's root tells.
pub(crate) fn of(place: &Place) -> Result<Option<Sandbox>> {
    if place.is_within() { over(place.root()) } else { over(&place.lexical()) }
}

/// The sandboxes whose root is a directory, or in it, or in a directory in it.
pub(crate) fn below(dir: &Utf8Path) -> Result<Vec<Sandbox>> {
    let mut found: Vec<Sandbox> = [at(dir)?, at(&dir.join(ROOT))?].into_iter().flatten().collect();
    let entries = match fs::read_dir(dir) {
        Err(_) if !found.is_empty() => return Ok(found),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(found),
        entries => entries.or_error(|| format!("cannot read directory {dir}"))?,
    };
    for name in entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()) {
        found.extend(at(&dir.join(name).join(ROOT))?);
    }
    Ok(found)
}

/// What is mounted in the sandboxes that [`below`] tells of.
pub(crate) fn mounts_below(dir: &Utf8Path) -> Result<Vec<(Place, Mounted)>> {
    let mut all = vec![];
    for sandbox in below(dir)? {
        let (root, is_sealed) = (sandbox.root(), sandbox.is_sealed()?);
        let place = |at: &Utf8Path| if is_sealed { Place::within(root, at) } else { Place::host(at) };
        all.extend(sandbox.mounts()?.into_iter().map(|line| (place(&line.mounted.at), line.mounted)));
    }
    Ok(all)
}

/// Opens a lock, if there is one: a regular file of the superuser's.
fn open(at: &Utf8Path) -> Result<Option<File>> {
    use std::io::ErrorKind::{NotADirectory, NotFound, PermissionDenied};
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY;
    let failed = || format!("cannot look at the lock {at}");
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(at) {
        // Users who may not look see no processes inside either.
        Err(error) if matches!(error.kind(), NotFound | NotADirectory | PermissionDenied) => return Ok(None),
        // A link, or a socket: not what an init has made.
        Err(error) if matches!(error.raw_os_error(), Some(libc::ELOOP | libc::ENXIO)) => return Ok(None),
        file => file.or_error(failed)?,
    };
    let meta = file.metadata().or_error(failed)?;
    Ok((meta.is_file() && meta.uid() == 0).then_some(file))
}

/// Who holds a lock; F_GETLK of fcntl(2).
fn holder(lock: &File, root: &Utf8Path) -> Result<Option<i32>> {
    let mut asked = whole_file();
    fcntl(lock, FcntlArg::F_GETLK(&mut asked))
        .or_error(|| format!("cannot look at the lock {}", sandbox_lock(root)))?;
    Ok((asked.l_type != libc::F_UNLCK as libc::c_short).then_some(asked.l_pid))
}
