//! Seals a sandbox: mounts what the kernel shows a container, covers what it must not see, and makes its root the root
//! of everything in it. It runs in a process inside, and decides nothing.

use std::os::fd::{AsFd, OwnedFd};

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Error, ErrorKind, Result, SealStep};
use qchroot_engine::Probe;
use rustix::fs::{FileType, statfs};
use rustix::io::Errno;
use rustix::mount::{MountAttrFlags, UnmountFlags, unmount};
use rustix::process::{chdir, fchdir, pivot_root};

use super::file_system::{
    RESTRICTED, attach, directory, forbid_writes, is_mount, name, needed, new, second_view,
};
use super::{Door, Sandbox, dev, find};
use crate::errors::OrError;
use crate::process::channel::{Received, channel};
use crate::process::fork;

/// Magic number of a control group file system of version 2; statfs(2).
const CGROUP2_MAGIC: i64 = 0x6367_7270;

/// How the machine stands to a seal.
pub(crate) fn probe(root: &Utf8Path) -> Result<Probe> {
    Ok(match find::at(root)? {
        Some(sandbox) if sandbox.is_sealed()? => Probe::Present,
        // Only half of it was done by somebody who has died.
        Some(sandbox) if has_begun(&sandbox)? => Probe::Unknown,
        _ => Probe::Absent,
    })
}

fn has_begun(sandbox: &Sandbox) -> Result<bool> {
    let dev = sandbox.root().join("dev");
    Ok(sandbox.mounts()?.iter().any(|line| line.mounted.at == dev))
}

/// Seals the sandbox. What its init is held to needs no telling: that keeps no capability in any case, and executes
/// nothing.
///
/// # Errors
/// Busy without a sandbox; `Exists`, naming it, where a link or something else is in the place of a directory.
pub(crate) fn seal(step: &SealStep) -> Result<()> {
    let failed = || format!("cannot seal the sandbox of {}", step.container);
    let sandbox = find::at(&step.root)?
        .ok_or_else(|| Error::new(ErrorKind::Busy, failed()).cause("it does not run"))?;
    if sandbox.is_sealed()? {
        return Ok(());
    }
    let door = Door::of(sandbox, &step.root)?;
    let (sender, mut receiver) = channel::<Error>()?;
    let child = door.fork(|| {
        let done = door.join().and_then(|()| close(step, &door));
        done.map_or_else(|error| sender.send(&error), |()| ());
        0
    })?;
    drop(sender);
    let told = receiver.receive(None);
    let status = fork::wait(child).or_error(failed)?;
    match told? {
        Received::Message(error) => Err(error.while_doing(failed())),
        _ if status != 0 => Err(Error::new(ErrorKind::System, failed()).cause("it ended on the way")),
        _ => Ok(()),
    }
}

/// In a process that sees what the init sees, and still has the host's root.
fn close(step: &SealStep, door: &Door) -> Result<()> {
    let root = own_mount(door, &step.root)?;
    dev::mount(root.as_fd(), step.shared_memory)?;
    attach(&needed("proc", &[], RESTRICTED)?, directory(root.as_fd(), "/proc")?, "/proc")?;
    if step.sys {
        show_sys(&root)?;
    }
    step.read_only.iter().try_for_each(|path| keep_from_writing(&root, path))?;
    let null = directory_or_file(&root, "/dev/null")?;
    step.masked.iter().try_for_each(|path| mask(&root, path, &null))?;
    turn(&root).map_err(|error| stuck(error, &step.root))
}

/// The root, which has to be a mount of its own.
fn own_mount(door: &Door, path: &Utf8Path) -> Result<OwnedFd> {
    let root = directory(door.root(), "/")?;
    if is_mount(&root)? {
        return Ok(root);
    }
    let view = second_view(&root, true, path.as_str())?;
    attach(&view, &root, path.as_str())?;
    Ok(view)
}

fn directory_or_file(root: &OwnedFd, path: &str) -> Result<OwnedFd> {
    let found = name(root.as_fd(), Utf8Path::new(path))?;
    found
        .map(|(named, _)| named)
        .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("there is no {path} inside")))
}

/// The kernel's view of devices and, where one tree has them all, of the container's own control group.
fn show_sys(root: &OwnedFd) -> Result<()> {
    let attributes = RESTRICTED | MountAttrFlags::MOUNT_ATTR_RDONLY;
    attach(&needed("sysfs", &[], attributes)?, directory(root.as_fd(), "/sys")?, "/sys")?;
    let path = "/sys/fs/cgroup";
    if !statfs(path).is_ok_and(|found| found.f_type == CGROUP2_MAGIC) {
        return Ok(());
    }
    match new("cgroup2", &[], attributes)? {
        Some(groups) => attach(&groups, directory(root.as_fd(), path)?, path),
        None => Ok(()),
    }
}

/// Lets nobody write to a path, nor to what is mounted below; what is not there is passed over.
fn keep_from_writing(root: &OwnedFd, path: &Utf8PathBuf) -> Result<()> {
    let Some((named, kind)) = name(root.as_fd(), path)? else { return Ok(()) };
    if path == "/" {
        return forbid_writes(&named, false, path.as_str());
    }
    let view = second_view(&named, kind == FileType::Directory, path.as_str())?;
    forbid_writes(&view, true, path.as_str())?;
    attach(&view, &named, path.as_str())
}

/// Covers a path, so that nothing is seen of it; what is not there is passed over.
fn mask(root: &OwnedFd, path: &Utf8PathBuf, null: &OwnedFd) -> Result<()> {
    match name(root.as_fd(), path)? {
        None => Ok(()),
        Some((named, FileType::Directory)) => {
            let attributes = RESTRICTED | MountAttrFlags::MOUNT_ATTR_RDONLY;
            let options = [("size", "0"), ("nr_inodes", "1"), ("mode", "555")];
            attach(&needed("tmpfs", &options, attributes)?, &named, path.as_str())
        }
        Some((named, _)) => attach(&second_view(null, false, "/dev/null")?, &named, path.as_str()),
    }
}

/// Makes `root` the root of all processes here; the old one, stacked on it for a moment, is gone then. See "pivot_root
/// without a directory" in pivot_root(2).
fn turn(root: &OwnedFd) -> Result<(), Errno> {
    fchdir(root)?;
    pivot_root(".", ".")?;
    unmount(".", UnmountFlags::DETACH)?;
    chdir("/")
}

fn stuck(error: Errno, root: &Utf8Path) -> Error {
    let built = Error::from_io(&error.into(), format!("cannot make {root} the root"));
    match error {
        Errno::INVAL => built.hint("pivot_root(2) needs a host that does not run from its first memory disk"),
        _ => built,
    }
}
