//! Disks on memory devices, md(4), by mdconfig(8). A device stays when the process that attached it dies; it is known by
//! its label and by nobody holding its file's lock any more. This does not know what is in a file system, nor what a
//! container is.

use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::sync::atomic::{AtomicU32, Ordering};

use camino::{Utf8Path, Utf8PathBuf};
use nix::mount::{MntFlags, unmount};
use qchroot_api::{Command, DiskFs, Error, ErrorKind, Mount, MountFs, Place, Result};
use rustix::fd::AsFd;
use rustix::fs::{fstat, fsync, stat};

use super::mount;
use crate::attributes::identity;
use crate::disk::claim::claim;
use crate::disk::content;
use crate::errors::OrError;
use crate::mdconfig::{self, LABEL, Shown};
use crate::{beneath, command};

/// Where disks are mounted that no container has; only the superuser gets there.
const PRIVATE: &str = "/var/run/qchroot-disks";

/// The devices that show a file.
pub(crate) fn attached(file: impl AsFd) -> Result<Vec<String>> {
    Ok(showing(file)?.into_iter().map(|shown| shown.name).collect())
}

fn showing(file: impl AsFd) -> Result<Vec<Shown>> {
    let wanted = identity(&fstat(file).or_error(|| "cannot look at a file".into())?);
    let is_it = |shown: &Shown| stat(shown.file.as_str()).is_ok_and(|stat| identity(&stat) == wanted);
    Ok(all()?.into_iter().filter(is_it).collect())
}

fn all() -> Result<Vec<Shown>> {
    Ok(mdconfig::listed(&command::run_well(&Command::new(["mdconfig", "-l", "-v"]))?.stdout))
}

/// How a person sees who shows a file.
pub(crate) fn who_shows(file: &Utf8Path) -> String {
    format!("see `mdconfig -lv -f {file}`")
}

/// Frees the devices of a file that a dead process left. Whoever calls this holds the file's lock, so that what attached
/// them is gone.
///
/// # Errors
/// What umount(2) and mdconfig(8) say.
pub(crate) fn forget_left(file: impl AsFd) -> Result<()> {
    showing(file)?.iter().filter(|shown| shown.ours).try_for_each(forget)
}

/// Frees a device unless it is mounted where a container has it.
fn forget(shown: &Shown) -> Result<()> {
    let mounts = mount::table()?.into_iter().filter(|mounted| mounted.source == shown.node().as_str());
    let (private, seen): (Vec<_>, Vec<_>) = mounts.partition(|mounted| mounted.at.starts_with(PRIVATE));
    if !seen.is_empty() {
        return Ok(());
    }
    for mounted in private {
        unmount(mounted.at.as_str(), MntFlags::empty())
            .map_err(std::io::Error::from)
            .or_error(|| format!("cannot unmount {}", mounted.at))?;
        let _ = fs::remove_dir(&mounted.at);
    }
    detach(&shown.name)
}

fn detach(name: &str) -> Result<()> {
    command::run_well(&Command::new(["mdconfig", "-d", "-u", name])).map(drop)
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
        detach(&self.name)?;
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
            let _ = detach(&self.name);
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
    let message = || format!("cannot attach disk {path}");
    let mut argv = vec!["mdconfig", "-a", "-t", "vnode", "-L", LABEL, "-f", path.as_str()];
    if read_only {
        argv.extend(["-o", "readonly"]);
    }
    let output = command::run_well(&Command::new(argv)).map_err(|error| error.while_doing(message()))?;
    let name = mdconfig::attached(&output.stdout)
        .ok_or_else(|| Error::new(ErrorKind::System, message()).cause("mdconfig named no device"))?
        .to_owned();
    let path = Utf8Path::new("/dev").join(&name);
    let device = Device { file, name, path, here: true };
    let showing = attached(&device.file)?;
    if showing == [device.name.as_str()] {
        return Ok(device);
    }
    Err(Error::new(ErrorKind::Busy, message()).cause("another program attached it at the same moment"))
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

/// Frees the device of a disk that is not mounted any more, unless it is in use or somebody else attached it.
///
/// # Errors
/// As [`forget_left`].
pub(super) fn release(file: &Utf8Path) -> Result<()> {
    match claim(file, true) {
        Err(error) if is_replaced(&error) => {
            all()?.iter().filter(|shown| shown.ours && shown.file == file).try_for_each(forget)
        }
        Err(error) if error.kind() == ErrorKind::Busy => Ok(()),
        claimed => claimed.map(drop),
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
        if let Err(error) = unmount(self.path.as_str(), MntFlags::empty()) {
            device.keep();
            return Err(std::io::Error::from(error)).or_error(|| format!("cannot unmount {}", self.path));
        }
        fs::remove_dir(&self.path).or_error(|| format!("cannot remove {}", self.path))?;
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

/// A new directory, such as `/var/run/qchroot-disks/812-0`.
fn private_dir() -> Result<Utf8PathBuf> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let path = Utf8Path::new(PRIVATE).join(format!("{}-{number}", std::process::id()));
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&path)
        .or_error(|| format!("cannot make directory {path}"))?;
    Ok(path)
}
