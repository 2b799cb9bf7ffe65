//! File systems of the kernel's own, made and attached by descriptor. It does not know where they belong.

use camino::Utf8Path;
use qchroot_api::{Error, ErrorKind, Result};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, ResolveFlags, StatxAttributes, StatxFlags, fstat, openat2, statx,
};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, fsconfig_create,
    fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen, move_mount, open_tree,
};

use crate::beneath::describe;
use crate::errors::OrError;
use crate::linux::mount::{set_attributes, with_log};

/// No set-id bits, no programs, no devices.
pub(super) const RESTRICTED: MountAttrFlags = MountAttrFlags::MOUNT_ATTR_NOSUID
    .union(MountAttrFlags::MOUNT_ATTR_NOEXEC)
    .union(MountAttrFlags::MOUNT_ATTR_NODEV);

/// A new file system; an option without a value is a flag. `None` where the kernel does not have it.
pub(super) fn new(
    kind: &str,
    options: &[(&str, &str)],
    attributes: MountAttrFlags,
) -> Result<Option<OwnedFd>> {
    let failed = || format!("cannot make file system {kind}");
    let context = match fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC) {
        Err(Errno::NODEV) => return Ok(None),
        context => context.or_error(failed)?,
    };
    let set = |&(key, value): &(&str, &str)| match value {
        "" => fsconfig_set_flag(&context, key),
        value => fsconfig_set_string(&context, key, value),
    };
    let tree = fsconfig_set_string(&context, "source", kind)
        .and_then(|()| options.iter().try_for_each(set))
        .and_then(|()| fsconfig_create(&context))
        .and_then(|()| fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes));
    tree.map(Some).map_err(|error| with_log(&context, Error::from_io(&error.into(), failed())))
}

/// The same, of a kind that every kernel with namespaces has.
pub(super) fn needed(kind: &str, options: &[(&str, &str)], attributes: MountAttrFlags) -> Result<OwnedFd> {
    new(kind, options, attributes)?.ok_or_else(|| {
        Error::new(ErrorKind::Unavailable, format!("this kernel does not have file system {kind}"))
    })
}

/// Names what is at a path beneath `root`, with its type; no component may be a link. `None` when nothing is there.
pub(super) fn name(root: BorrowedFd<'_>, path: &Utf8Path) -> Result<Option<(OwnedFd, FileType)>> {
    let failed = || format!("cannot use {path} inside");
    let inside = path.strip_prefix("/").unwrap_or(path);
    let inside = if inside.as_str().is_empty() { Utf8Path::new(".") } else { inside };
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_SYMLINKS;
    let named = loop {
        match openat2(root, inside.as_str(), OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), resolve) {
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP) => {
                return Err(Error::new(ErrorKind::Exists, failed()).cause("a link is in the way"));
            }
            Err(Errno::AGAIN | Errno::INTR) => {}
            named => break named.or_error(failed)?,
        }
    };
    let kind = FileType::from_raw_mode(fstat(&named).or_error(failed)?.st_mode);
    Ok(Some((named, kind)))
}

/// Names the directory at a path beneath `root`.
pub(super) fn directory(root: BorrowedFd<'_>, path: &str) -> Result<OwnedFd> {
    match name(root, Utf8Path::new(path))? {
        Some((named, FileType::Directory)) => Ok(named),
        Some((_, other)) => {
            let what = format!("cannot use {path} inside: it is {}, not a directory", describe(other));
            Err(Error::new(ErrorKind::Exists, what))
        }
        None => Err(Error::new(ErrorKind::NotFound, format!("there is no directory {path} inside"))),
    }
}

/// Attaches a tree; `path` names its place in an error.
pub(super) fn attach(tree: &OwnedFd, target: impl AsFd, path: &str) -> Result<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    move_mount(tree, "", target, "", flags).or_error(|| format!("cannot mount on {path} inside"))
}

/// A second view of what is there and, where it is a directory, of all that is mounted below.
pub(super) fn second_view(of: impl AsFd, is_directory: bool, path: &str) -> Result<OwnedFd> {
    let mut flags =
        OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_EMPTY_PATH;
    flags.set(OpenTreeFlags::AT_RECURSIVE, is_directory);
    open_tree(of, "", flags).or_error(|| format!("cannot mount {path} a second time inside"))
}

/// Whether this is where something is mounted.
pub(super) fn is_mount(named: impl AsFd) -> Result<bool> {
    let stat = statx(named, "", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID)
        .or_error(|| "cannot look at a mount".into())?;
    Ok(stat.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

/// Forbids writing through a mount, and through those below it.
pub(super) fn forbid_writes(tree: &OwnedFd, below: bool, path: &str) -> Result<()> {
    set_attributes(tree, MountAttrFlags::MOUNT_ATTR_RDONLY, below)
        .or_error(|| format!("cannot make {path} read-only inside"))
}
