//! Mounts and unmounts at places, and tells what is mounted there. How a mount is made is the operating
//! system's own module's business; no file system is singled out here.

use std::time::Duration;

use qchroot_api::{Error, ErrorKind, Mount, MountFs, Mounted, Result};
use qchroot_engine::Deadline;
use rustix::fd::OwnedFd;

use crate::{beneath, clock, os};

/// How long a mount that is in use is tried again: long enough for a process that was just killed to be gone.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a mount's place looks like.
#[derive(Debug)]
pub(crate) enum Standing {
    /// Nothing is mounted there.
    Free,
    /// Just this mount is.
    Mounted,
    /// Something else is; the text says what.
    Taken(String),
}

/// The kernel's mount table in the order of mounting.
pub(crate) fn table() -> Result<Vec<Mounted>> {
    os::mount::table()
}

/// Mounts; the place is reached without following a link, and nothing else is mounted there.
///
/// # Errors
/// `Exists` where something is in the way, `Unavailable` where the kernel does not have the file system.
pub(crate) fn mount(mount: &Mount) -> Result<()> {
    let target = target(mount)?;
    if let Some(found) = os::mount::on(&mount.at, &target)? {
        let message = format!("cannot mount on {}: {} is mounted there already", mount.at, found.fs);
        return Err(Error::new(ErrorKind::Exists, message));
    }
    os::mount::attach(mount, &target)
}

/// What a mount covers.
fn target(mount: &Mount) -> Result<OwnedFd> {
    match &mount.fs {
        MountFs::File { .. } => beneath::open_file(&mount.at),
        MountFs::Foreign { .. } => beneath::open_file_or_dir(&mount.at),
        _ => beneath::open_dir(&mount.at),
    }
}

/// Unmounts; a place that is gone or where nothing is mounted is fine. A mount in use is tried again for a
/// moment, but not beyond `deadline`. In a sandbox there is nothing to do: its mounts end with it.
///
/// # Errors
/// `Busy`, naming what holds it; `Exists` where something else is mounted there.
pub(crate) fn unmount(mount: &Mount, deadline: Deadline) -> Result<()> {
    if os::mount::ends_with_sandbox(&mount.at)? {
        return Ok(());
    }
    let end = (clock::steady() + PATIENCE).min(deadline.0);
    loop {
        match standing(mount) {
            Ok(Standing::Mounted) => {}
            Ok(Standing::Free) => return os::mount::clear(mount),
            Ok(Standing::Taken(what)) => {
                return Err(Error::new(ErrorKind::Exists, format!("cannot unmount {}: {what}", mount.at)));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        }
        match os::mount::detach(mount, end) {
            Err(error) if error.kind() == ErrorKind::Busy && clock::steady() < end => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(error) if error.kind() == ErrorKind::Busy => return Err(in_use(mount, error)),
            Err(error) => return Err(error),
            // Another one may lie below; the next round sees.
            Ok(()) => {}
        }
    }
}

fn in_use(mount: &Mount, error: Error) -> Error {
    let lexical = mount.at.lexical();
    let below = table()
        .unwrap_or_default()
        .into_iter()
        .map(|m| m.at)
        .find(|at| *at != lexical && at.starts_with(&lexical));
    let holders = os::mount::holders(&mount.at);
    let error = match below {
        Some(at) => error.cause(format!("{at} is mounted below it")),
        None => error,
    };
    if holders.is_empty() {
        error
    } else {
        error.cause(format!("held by {}", holders.join(", "))).hint("end these processes first")
    }
}

/// How the machine stands to a mount.
///
/// # Errors
/// As [`beneath::open_dir`].
pub(crate) fn standing(mount: &Mount) -> Result<Standing> {
    let target = target(mount)?;
    let Some(found) = os::mount::on(&mount.at, &target)? else { return Ok(Standing::Free) };
    if !is_it(mount, &found, &target)? {
        return Ok(Standing::Taken(format!("{} from {} is mounted on it", found.fs, found.source)));
    }
    if mount.read_only && !found.read_only {
        return Ok(Standing::Taken(format!("{} is mounted on it, but not read-only", mount.fs.name())));
    }
    Ok(Standing::Mounted)
}

fn is_it(mount: &Mount, found: &Mounted, target: &OwnedFd) -> Result<bool> {
    match &mount.fs {
        MountFs::Null { source } | MountFs::File { source } => os::mount::shows(source, found, target),
        MountFs::Disk { file, fs } => Ok(found.fs == fs.name() && os::mount::shows_disk(file, found)?),
        // The name of a data set is no path, and nothing else is called so.
        MountFs::Zfs { dataset } => Ok(found.source == *dataset),
        other => Ok(found.fs == os::mount::type_name(other)),
    }
}
