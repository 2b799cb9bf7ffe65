//! A new disk with the files of a tree on it. It does not know what the disk is for.

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{DiskFs, Place, Result};
use rustix::fs::statvfs;

use super::measure::Need;
use super::{beside, file_system};
use crate::errors::OrError;
use crate::{beneath, copy, files, os};

/// What goes onto a disk.
pub(super) struct Content<'a> {
    /// A tree, to the root.
    pub(super) tree: &'a Utf8Path,
    /// What it needs.
    pub(super) need: Need,
    /// Directories beside it, relative to the root.
    pub(super) dirs: &'a [Utf8PathBuf],
    /// Links beside it: where, and their targets.
    pub(super) links: &'a [(Utf8PathBuf, Utf8PathBuf)],
}

/// How it ended.
pub(super) enum Filled {
    /// Everything is on the disk.
    Whole,
    /// The disk has room for this alone; nothing was copied.
    TooSmall(Need),
}

/// Makes the file `new`, a file system in it, and copies everything to it.
pub(super) fn fill(new: &Utf8Path, fs: DiskFs, length: u64, content: &Content<'_>) -> Result<Filled> {
    drop(beside::create(new, length)?);
    file_system::of(fs)?.make(new, length, &content.need)?;
    let disk = os::disk::open(new, fs, false)?;
    let filled = copy_in(disk.path(), content);
    let closed = disk.close();
    let filled = filled?;
    closed.map(|()| filled)
}

fn copy_in(root: &Utf8Path, content: &Content<'_>) -> Result<Filled> {
    // The tree brings its own, or e2fsck(8) makes it anew when it has something to put there.
    files::remove_dir(&Place::within(root, "lost+found"))?;
    let room = room(root)?;
    if room.bytes < content.need.bytes || room.files < content.need.files {
        return Ok(Filled::TooSmall(room));
    }
    copy::copy_onto(content.tree, root, &|| true)?;
    content.dirs.iter().try_for_each(|dir| make_dirs(root, dir))?;
    for (at, to) in content.links {
        at.parent().map_or(Ok(()), |above| make_dirs(root, above))?;
        files::link(&Place::within(root, at), to)?;
    }
    Ok(Filled::Whole)
}

/// Bytes and files that the superuser can still write; statvfs(3).
fn room(root: &Utf8Path) -> Result<Need> {
    let stat = statvfs(root.as_str()).or_error(|| format!("cannot look at {root}"))?;
    let files = if stat.f_files == 0 { u64::MAX } else { stat.f_ffree };
    Ok(Need { bytes: stat.f_bavail.saturating_mul(stat.f_frsize), files })
}

/// Makes a directory and those above it that are missing.
fn make_dirs(root: &Utf8Path, path: &Utf8Path) -> Result<()> {
    let mut way = Utf8PathBuf::new();
    for part in path.components() {
        way.push(part);
        let at = Place::within(root, &way);
        let spot = beneath::parent(&at)?;
        if beneath::file_type(&spot.dir, &spot.name)?.is_none() {
            files::make_dir(&at, 0o755)?;
        }
    }
    Ok(())
}
