//! Disks on memory devices, md(4). A device stays when the process that attached it dies; it is known by its label and by
//! nobody holding its file's lock any more. This does not know how a device is made, what is in a file system, nor what a
//! container is.

use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use nix::mount::{MntFlags, unmount};
use qchroot_api::{DiskFs, Error, ErrorKind, Mount, MountFs, Place, Result};
use rustix::fd::AsFd;
use rustix::fs::{FlockOperation, OFlags, flock, fsync};
use rustix::io::Errno;

use super::memory_device::{all, showing};
use super::{memory_device, mount};
use crate::disk::claim::{self, claim};
use crate::disk::content;
use crate::errors::OrError;
use crate::mdconfig::Shown;
use crate::{beneath, clock, os};

/// Where disks are mounted that no container has; only the superuser gets there.
const PRIVATE: &str = "/var/run/qchroot-disks";

/// How long something that looks around may keep a private mount in use.
const PATIENCE: Duration = Duration::from_secs(2);

/// The devices that show a file.
pub(crate) fn attached(file: impl AsFd) -> Result<Vec<String>> {
    Ok(names(showing(file)?))
}

/// The devices that show a file and are in use: one that a dead process left is not. The descriptor is of an open file
/// of its own, since its lock is tried.
pub(crate) fn in_use(file: impl AsFd) -> Result<Vec<String>> {
    let showing = showing(&file)?;
    if !showing.iter().any(|shown| shown.ours) || !is_free(&file)? {
        return Ok(names(showing));
    }
    let mounts = Mounts::read()?;
    Ok(names(showing.into_iter().filter(|shown| !shown.ours || mounts.has_outside(shown)).collect()))
}

fn names(devices: Vec<Shown>) -> Vec<String> {
    devices.into_iter().map(|shown| shown.name).collect()
}

/// Whether nobody of ours is at work on a file.
fn is_free(file: impl AsFd) -> Result<bool> {
    let message = || "cannot try the lock of a disk".to_owned();
    match flock(&file, FlockOperation::NonBlockingLockShared) {
        Err(Errno::WOULDBLOCK) => Ok(false),
        taken => {
            taken.or_error(message)?;
            flock(&file, FlockOperation::Unlock).or_error(message)?;
            Ok(true)
        }
    }
}

/// How a person sees who shows a file.
pub(crate) fn who_shows(file: &Utf8Path) -> String {
    format!("see `mdconfig -lv -f {file}`, and `mount -p` for who has it mounted")
}

/// Where devices are mounted.
struct Mounts {
    table: Vec<qchroot_api::Mounted>,
    /// [`PRIVATE`] as the kernel spells it.
    private: Utf8PathBuf,
}

impl Mounts {
    fn read() -> Result<Self> {
        let private = Utf8Path::new(PRIVATE).canonicalize_utf8().unwrap_or_else(|_| PRIVATE.into());
        Ok(Self { table: mount::table()?, private })
    }

    /// Whether a device is mounted where a container has it, or anybody else.
    fn has_outside(&self, shown: &Shown) -> bool {
        self.of(shown).any(|at| !at.starts_with(&self.private))
    }

    fn of<'a>(&'a self, shown: &Shown) -> impl Iterator<Item = &'a Utf8Path> + use<'a> {
        let node = shown.node();
        self.table
            .iter()
            .filter(move |mounted| mounted.source == node.as_str())
            .map(|mounted| mounted.at.as_path())
    }
}

/// Frees the devices of a file that a dead process left, and those whose file is gone. Whoever calls this holds the
/// file's lock, so that what attached them is gone.
///
/// # Errors
/// What umount(2) and mdconfig(8) say.
pub(crate) fn forget_left(file: impl AsFd) -> Result<()> {
    let mounts = Mounts::read()?;
    showing(file)?.iter().filter(|shown| shown.ours).try_for_each(|shown| forget(shown, &mounts))?;
    // Its container was deleted meanwhile, and nobody will ask for it.
    let is_lost = |shown: &&Shown| {
        let is_gone =
            fs::symlink_metadata(&shown.file).is_err_and(|e| e.kind() == std::io::ErrorKind::NotFound);
        shown.ours && is_gone && mounts.of(shown).next().is_none()
    };
    for shown in all()?.iter().filter(is_lost) {
        // Another one who looks at the same moment may be faster, and this file is not theirs.
        let _ = memory_device::detach(&shown.name);
    }
    Ok(())
}

/// Frees a device unless it is mounted where a container has it.
fn forget(shown: &Shown, mounts: &Mounts) -> Result<()> {
    if mounts.has_outside(shown) {
        return Ok(());
    }
    mounts.of(shown).try_for_each(leave)?;
    memory_device::detach(&shown.name)
}

/// Unmounts a private mount and removes its directory.
fn leave(at: &Utf8Path) -> Result<()> {
    let end = clock::steady() + PATIENCE;
    loop {
        match unmount(at.as_str(), MntFlags::empty()) {
            Err(nix::Error::EBUSY) if clock::steady() < end => thread::sleep(Duration::from_millis(20)),
            done => {
                done.or_error(|| format!("cannot unmount {at}"))?;
                return fs::remove_dir(at).or_error(|| format!("cannot remove {at}"));
            }
        }
    }
}

/// Whether a device that a dead process left shows the disk of a container that does not have it mounted.
pub(super) fn is_left(file: &Utf8Path) -> Result<bool> {
    let devices = match beneath::open_strictly(file) {
        Ok(named) => showing(&named)?,
        Err(error) if is_replaced(&error) => all()?.into_iter().filter(|shown| shown.file == file).collect(),
        Err(error) => return Err(error),
    };
    let mounts = Mounts::read()?;
    Ok(devices.iter().any(|shown| shown.ours && !mounts.has_outside(shown)))
}

/// A file shown as a block device while this lives.
#[derive(Debug)]
pub(crate) struct Device {
    /// Holds the file's lock.
    file: File,
    name: String,
    path: Utf8PathBuf,
    /// Whether this is still to be detached.
    here: bool,
}

impl Device {
    /// The device's node.
    pub(crate) fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Writes what is still to be written and detaches.
    ///
    /// # Errors
    /// What mdconfig(8) says.
    pub(crate) fn close(mut self) -> Result<()> {
        self.here = false;
        memory_device::detach(&self.name)?;
        fsync(&self.file).or_error(|| format!("cannot write the file of {}", self.name))
    }

    /// Leaves the device to the mount that was made of it.
    pub(super) fn keep(mut self) {
        self.here = false;
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        if self.here {
            // Nobody is left to be told; the next one who wants the file tries again.
            let _ = memory_device::detach(&self.name);
        }
    }
}

/// Shows a file as a device for programs that want one; what is in it does not matter.
///
/// # Errors
/// As [`claim`]; `Unavailable` where there are no memory devices.
pub(crate) fn device(file: &Utf8Path, read_only: bool) -> Result<Device> {
    attach(file, claim(file, read_only)?, read_only)
}

/// Shows a disk as a device that its mount is to keep.
///
/// # Errors
/// As [`device`]; bad data where the file system is not what it should be.
pub(super) fn shown(file: &Utf8Path, fs: DiskFs, read_only: bool) -> Result<Device> {
    if fs != DiskFs::Ufs {
        let message = format!("cannot mount disk {file}: {fs} is Linux's");
        return Err(Error::new(ErrorKind::Unavailable, message).hint("FreeBSD's disks have `fs = ufs`"));
    }
    let claimed = claim(file, read_only)?;
    content::verify(file, &claimed, fs)?;
    attach(file, claimed, read_only)
}

/// mdconfig(8) takes a path and follows links, so what it took is looked at afterwards.
fn attach(path: &Utf8Path, file: File, read_only: bool) -> Result<Device> {
    let name = memory_device::attach(path, read_only)?;
    let node = Utf8Path::new("/dev").join(&name);
    let device = Device { file, name, path: node, here: true };
    let showing = attached(&device.file)?;
    if showing == [device.name.as_str()] {
        return Ok(device);
    }
    let why = match showing.contains(&device.name) {
        true => "another program attached it at the same moment",
        false => "mdconfig -lv does not show it under the name of its file; a path of plain letters helps",
    };
    Err(Error::new(ErrorKind::Busy, format!("cannot attach disk {path}")).cause(why))
}

/// Whether the device that a mount comes from shows this very file; where it is gone, or something else is in its place,
/// whether it did.
pub(super) fn shows(file: &Utf8Path, source: &str) -> Result<bool> {
    let from = |shown: &&Shown| shown.node() == source;
    match beneath::open_strictly(file) {
        Ok(named) if showing(&named)?.iter().any(|shown| from(&shown)) => Ok(true),
        Err(error) if !is_replaced(&error) => Err(error),
        _ => Ok(all()?.iter().filter(from).any(|shown| shown.file == file)),
    }
}

fn is_replaced(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Exists)
}

/// Frees the device of a disk that is not mounted any more, unless it is in use or somebody else attached it. Whose the
/// file is, and who can write it, does not matter for that.
///
/// # Errors
/// As [`forget_left`].
pub(super) fn release(file: &Utf8Path) -> Result<()> {
    let named = match beneath::open_strictly(file) {
        Err(error) if is_replaced(&error) => {
            let mounts = Mounts::read()?;
            let was = |shown: &&Shown| shown.ours && shown.file == file;
            return all()?.iter().filter(was).try_for_each(|shown| forget(shown, &mounts));
        }
        named => named?,
    };
    let message = || format!("cannot open disk {file}");
    let opened = File::from(os::resolve::reopen(&named, OFlags::RDONLY).or_error(message)?);
    match claim::locked(&opened, FlockOperation::NonBlockingLockExclusive).or_error(message)? {
        true => forget_left(&opened),
        false => Ok(()),
    }
}

/// A disk that is mounted in a private directory.
#[derive(Debug)]
pub(crate) struct OpenDisk {
    /// None once it is unmounted.
    device: Option<Device>,
    path: Utf8PathBuf,
}

impl OpenDisk {
    /// The root of its file system.
    pub(crate) fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Unmounts, which writes everything, and detaches. What this process still has open in it must be closed before.
    ///
    /// # Errors
    /// `Busy` when something still holds it; what mdconfig(8) says.
    pub(crate) fn close(mut self) -> Result<()> {
        self.unmount()
    }

    fn unmount(&mut self) -> Result<()> {
        let Some(device) = self.device.take() else { return Ok(()) };
        if let Err(error) = leave(&self.path) {
            device.keep();
            return Err(error);
        }
        device.close()
    }
}

impl Drop for OpenDisk {
    fn drop(&mut self) {
        // As for a device: the next one who wants the file tries again.
        let _ = self.unmount();
    }
}

/// Mounts a disk in a private directory, with no set-id bit in force.
///
/// # Errors
/// As [`device`]; bad data where the file system is not what it should be.
pub(crate) fn open(file: &Utf8Path, fs: DiskFs, read_only: bool) -> Result<OpenDisk> {
    let device = shown(file, fs, read_only)?;
    let path = private_dir()?;
    let mut mount = Mount::new(Place::host(&path), MountFs::Disk { file: file.to_owned(), fs });
    (mount.nosuid, mount.read_only) = (true, read_only);
    let mounted = beneath::open_root(&path).and_then(|target| mount::place_disk(&mount, &target, &device));
    if let Err(error) = mounted {
        let _ = fs::remove_dir(&path);
        return Err(error);
    }
    Ok(OpenDisk { device: Some(device), path })
}

/// A new directory, such as `/var/run/qchroot-disks/812-0`. One that a dead process of the same number left is not
/// taken: something may be mounted there.
fn private_dir() -> Result<Utf8PathBuf> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let message = |path: &Utf8Path| format!("cannot make directory {path}");
    let above = Utf8Path::new(PRIVATE);
    DirBuilder::new().recursive(true).mode(0o700).create(above).or_error(|| message(above))?;
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = above.join(format!("{}-{number}", std::process::id()));
        match DirBuilder::new().mode(0o700).create(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            made => return made.or_error(|| message(&path)).map(|()| path),
        }
    }
}
