//! Mounts by descriptor: fsopen(2), open_tree(2), mount_setattr(2), move_mount(2). Restrictions are set before
//! the mount can be seen anywhere. It does not know what a container is.

use nix::libc;
use qchroot_api::{Error, ErrorKind, Mount, MountFs, Mounted, Place, Result};
use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, StatxAttributes, StatxFlags, fstat, openat, statx};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags, fsconfig_create,
    fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen, move_mount, open_tree,
};

use super::{disk, mountinfo, overlay, zfs};
use crate::beneath;
use crate::errors::OrError;
use crate::process::sandbox;

pub(crate) use super::holders::holders;

/// The kernel's mount table in the order of mounting.
pub(crate) fn table() -> Result<Vec<Mounted>> {
    Ok(mountinfo::read()?.into_iter().map(|line| line.mounted).collect())
}

/// The mount that the directory `dir`, opened at a place, is the root of, if it is one.
pub(crate) fn on(at: &Place, dir: &OwnedFd) -> Result<Option<Mounted>> {
    root_id(dir)?.map_or(Ok(None), |id| by_id(at, id))
}

/// A mount at a place or above it, by its id, from the table that has it.
fn by_id(at: &Place, id: u64) -> Result<Option<Mounted>> {
    match sandbox::of(at)? {
        Some(sandbox) => sandbox.mounted(id),
        None => Ok(mountinfo::read()?.into_iter().find(|line| line.id == id).map(|line| line.mounted)),
    }
}

fn root_id(dir: &OwnedFd) -> Result<Option<u64>> {
    let stat = statx(dir, "", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID)
        .or_error(|| "cannot look at a mount".into())?;
    Ok(stat.stx_attributes.contains(StatxAttributes::MOUNT_ROOT).then_some(stat.stx_mnt_id))
}

/// Something that differs between any two mounts.
pub(crate) fn id(file: impl AsFd) -> Result<u64> {
    let stat = statx(file, "", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID)
        .or_error(|| "cannot look at a mount".into())?;
    Ok(stat.stx_mnt_id)
}

/// The kernel's name of the type of the file system that a file, opened at a place, is on.
pub(crate) fn fs_of(at: &Place, file: &OwnedFd) -> Result<String> {
    Ok(by_id(at, id(file)?)?.map_or_else(|| "unknown".to_owned(), |mounted| mounted.fs))
}

/// Whether a mount's root `target` is the directory `source` seen a second time.
pub(crate) fn shows(source: &camino::Utf8Path, _found: &Mounted, target: &OwnedFd) -> Result<bool> {
    let source = match open_source(source, OFlags::empty()) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        source => source?,
    };
    let identity =
        |fd: &OwnedFd| fstat(fd).map(|s| (s.st_dev, s.st_ino)).or_error(|| "cannot look at a mount".into());
    Ok(identity(&source)? == identity(target)?)
}

/// The kernel's name of a file system type.
pub(crate) fn type_name(fs: &MountFs) -> &str {
    fs.name()
}

/// Whether a place is in a sandbox, whose mounts end with it.
pub(crate) fn ends_with_sandbox(at: &Place) -> Result<bool> {
    Ok(sandbox::of(at)?.is_some())
}

/// Makes the mount and attaches it to the directory `target`, in the sandbox that the place is in, if it is in one.
pub(crate) fn attach(mount: &Mount, target: &OwnedFd) -> Result<()> {
    let sandbox = sandbox::of(&mount.at)?;
    let tree = match mount.fs {
        MountFs::Zfs { .. } => None,
        _ => Some(make(mount, target)?),
    };
    let show = || match (&tree, &mount.fs) {
        (None, MountFs::Zfs { dataset }) => set_private(&zfs::mount(dataset, mount)?, mount),
        (tree, _) => tree.as_ref().map_or(Ok(()), |tree| place(tree, mount, target)),
    };
    match sandbox {
        Some(sandbox) => sandbox.in_its_mounts(show),
        None => show(),
    }
}

/// The mount, attached nowhere.
fn make(mount: &Mount, target: &OwnedFd) -> Result<OwnedFd> {
    let tree = match &mount.fs {
        MountFs::Null { source } => second_view(&open_source(source, OFlags::DIRECTORY)?, source, target)?,
        MountFs::File { source } => second_view(&open_source(source, OFlags::empty())?, source, target)?,
        MountFs::Dev { .. } | MountFs::Fdesc { .. } | MountFs::LinuxProc | MountFs::LinuxSys => {
            return Err(not_here(&mount.fs, "it is FreeBSD's"));
        }
        MountFs::Foreign { .. } => return Err(not_here(&mount.fs, "somebody else made it")),
        MountFs::Disk { file, fs } => disk::seen(file, *fs, mount.read_only)?,
        other => fresh(other)?,
    };
    let restrictions = restrictions(mount);
    set_attributes(&tree, restrictions, false).or_error(|| format!("cannot restrict {mount}"))?;
    Ok(tree)
}

fn place(tree: &OwnedFd, mount: &Mount, target: &OwnedFd) -> Result<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    move_mount(tree, "", target, "", flags).or_error(|| format!("cannot mount {mount}"))?;
    set_private(tree, mount)
}

/// Attached to a shared mount it became shared too; see mount_namespaces(7).
fn set_private(tree: &OwnedFd, mount: &Mount) -> Result<()> {
    set_attributes(tree, MountAttrFlags::empty(), false)
        .or_error(|| format!("cannot make {} private", mount.at))
}

fn restrictions(mount: &Mount) -> MountAttrFlags {
    let mut flags = MountAttrFlags::empty();
    flags.set(MountAttrFlags::MOUNT_ATTR_RDONLY, mount.read_only);
    flags.set(MountAttrFlags::MOUNT_ATTR_NOSUID, mount.nosuid);
    flags.set(MountAttrFlags::MOUNT_ATTR_NODEV, mount.nodev);
    flags.set(MountAttrFlags::MOUNT_ATTR_NOEXEC, mount.noexec);
    flags
}

/// Adds attributes to a mount, and to those below it if wished, and makes it private.
pub(crate) fn set_attributes(tree: &OwnedFd, flags: MountAttrFlags, below: bool) -> std::io::Result<()> {
    let recursive = if below { libc::AT_RECURSIVE } else { 0 };
    let attributes = libc::mount_attr {
        attr_set: flags.bits().into(),
        attr_clr: 0,
        propagation: libc::MS_PRIVATE,
        userns_fd: 0,
    };
    // SAFETY: mount_setattr(2) reads `size_of::<mount_attr>()` bytes of `attributes` and a terminated empty
    // path; both live until it returns, and it writes nothing.
    let status = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            tree.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH | recursive,
            &raw const attributes,
            size_of::<libc::mount_attr>(),
        )
    };
    if status == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}

/// Names a directory or file of the host's; links to it are followed.
fn open_source(source: &camino::Utf8Path, flags: OFlags) -> Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::CLOEXEC | flags;
    openat(CWD, source.as_str(), flags, Mode::empty()).or_error(|| format!("cannot open {source}"))
}

/// What is to be mounted a second time.
fn second_view(from: &OwnedFd, source: &camino::Utf8Path, target: &OwnedFd) -> Result<OwnedFd> {
    let (from_path, to_path) = (mountinfo::path_of(from)?, mountinfo::path_of(target)?);
    if to_path.starts_with(&from_path) {
        let message = format!("cannot mount {source} on {to_path}: the target lies inside the source");
        return Err(Error::new(ErrorKind::Config, message));
    }
    let flags =
        OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_EMPTY_PATH;
    open_tree(from, "", flags).or_error(|| format!("cannot mount {source} a second time"))
}

/// A file system that is made by mounting it.
fn fresh(fs: &MountFs) -> Result<OwnedFd> {
    let context = open(fs)?;
    configure(&context, fs)?;
    fsconfig_create(&context).map_err(|error| refused(&context, fs, error))?;
    fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())
        .map_err(|error| refused(&context, fs, error))
}

fn open(fs: &MountFs) -> Result<OwnedFd> {
    match fsopen(fs.name(), FsOpenFlags::FSOPEN_CLOEXEC) {
        Err(Errno::NODEV) => Err(not_here(fs, "this kernel does not have it")),
        result => {
            result.or_error(|| format!("cannot open file system {}", fs.name())).map_err(without_capability)
        }
    }
}

fn without_capability(error: Error) -> Error {
    match error.kind() {
        ErrorKind::Permission => error.hint(
            "mounting takes root with CAP_SYS_ADMIN; inside another container, that one must be privileged",
        ),
        _ => error,
    }
}

fn configure(context: &OwnedFd, fs: &MountFs) -> Result<()> {
    let set = |key: &str, value: &str| {
        fsconfig_set_string(context, key, value).map_err(|error| refused(context, fs, error))
    };
    set("source", fs.name())?;
    match fs {
        MountFs::Overlay { lower, upper, work } => overlay::configure(context, lower, upper, work),
        MountFs::Pts => {
            fsconfig_set_flag(context, "newinstance").map_err(|error| refused(context, fs, error))?;
            // Group 5 is `tty` in every Linux userland; grantpt(3) wants its terminals so.
            [("ptmxmode", "0666"), ("mode", "620"), ("gid", "5")].iter().try_for_each(|&(k, v)| set(k, v))
        }
        MountFs::Tmp { size, mode } => {
            set("size", &size.to_string())?;
            set("mode", &format!("{mode:o}"))
        }
        _ => Ok(()),
    }
}

fn not_here(fs: &MountFs, why: &str) -> Error {
    let error =
        Error::new(ErrorKind::Unavailable, format!("file system {} cannot be mounted: {why}", fs.name()));
    hinted(error, fs)
}

fn hinted(error: Error, fs: &MountFs) -> Error {
    match fs {
        MountFs::Overlay { .. } => error.hint("use --storage nullfs"),
        _ => error,
    }
}

/// The error of a file system context, with what the kernel logged in it.
pub(super) fn refused(context: &OwnedFd, fs: &MountFs, error: Errno) -> Error {
    let built = with_log(context, Error::from_io(&error.into(), format!("cannot mount {}", fs.name())));
    match (fs, error) {
        // What overlayfs answers when the upper file system cannot carry it.
        (MountFs::Overlay { .. }, Errno::INVAL | Errno::OPNOTSUPP | Errno::NOSYS) => {
            hinted(built.of_kind(ErrorKind::Unavailable), fs)
        }
        _ => built,
    }
}

/// An error with what the kernel logged in a file system context, fsopen(2).
pub(crate) fn with_log(context: &OwnedFd, mut error: Error) -> Error {
    let mut buffer = [0_u8; 1024];
    while let Ok(length @ 1..) = rustix::io::read(context, &mut buffer) {
        error = error.cause(String::from_utf8_lossy(&buffer[..length]).trim_end());
    }
    error
}

/// Whether a mount comes from the device that shows this file.
pub(crate) fn shows_disk(file: &camino::Utf8Path, found: &Mounted) -> Result<bool> {
    disk::shows(file, &found.source)
}

/// Whether nothing is left of a mount that is gone: never anything.
#[expect(clippy::unnecessary_wraps, reason = "on FreeBSD it can fail")]
pub(crate) fn is_clear(_mount: &Mount) -> Result<bool> {
    Ok(true)
}

/// Clears away what a mount leaves when nothing is mounted at its place any more: nothing.
#[expect(clippy::unnecessary_wraps, reason = "on FreeBSD it can fail")]
pub(crate) fn clear(_mount: &Mount) -> Result<()> {
    Ok(())
}

/// Unmounts what is on top at a mount's place; what is not mounted is fine. The device of a disk is free then.
///
/// # Errors
/// `Busy`, also when that device is still in use at `end`, a time of the steady clock.
pub(crate) fn detach(mount: &Mount, end: std::time::Duration) -> Result<()> {
    let leaving = match &mount.fs {
        MountFs::Disk { file, .. } => on(&mount.at, &beneath::open_dir(&mount.at)?)?
            .map(|found| disk::leaving(file, &found.source))
            .transpose()?,
        _ => None,
    };
    unmount(&mount.at)?;
    leaving.map_or(Ok(()), |leaving| leaving.wait(end))
}

fn unmount(at: &Place) -> Result<()> {
    let spot = beneath::parent(at)?;
    // The directory is named by its descriptor, so only the last component is looked up, and not followed.
    let path = format!("/proc/thread-self/fd/{}/{}", spot.dir.as_raw_fd(), spot.name);
    match rustix::mount::unmount(path, UnmountFlags::NOFOLLOW) {
        Ok(()) | Err(Errno::INVAL | Errno::NOENT) => Ok(()),
        Err(error) => Err(error).or_error(|| format!("cannot unmount {at}")),
    }
}
