//! What a disk looks like, by its file, its superblock, and the mount that shows it. It changes nothing and waits for
//! nobody.

use std::fs::File;
use std::os::unix::fs::MetadataExt;

use camino::Utf8Path;
use qchroot_api::{DiskFs, DiskInfo, ErrorKind, Mounted, Place, Result};
use rustix::fs::{OFlags, StatVfs, fstatvfs};

use crate::disk::content;
use crate::errors::OrError;
use crate::process::sandbox;
use crate::superblock::{Content, Superblock};
use crate::{beneath, mount, os};

/// What to do about a disk that is another one, or none.
pub(super) const REPLACED: &str = "somebody replaced the file: bring the old one back, or a snapshot";

/// What the disk in the file `at` looks like; none when there is no file.
///
/// # Errors
/// `Exists` for what is no regular file, or a link on the way.
pub(crate) fn look(at: &Utf8Path) -> Result<Option<DiskInfo>> {
    let named = match beneath::open_strictly(at) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == ErrorKind::Exists => return Err(error.hint(REPLACED)),
        named => named?,
    };
    let message = || format!("cannot look at disk {at}");
    let file = File::from(os::resolve::reopen(&named, OFlags::RDONLY).or_error(message)?);
    let stat = file.metadata().or_error(message)?;
    let mut info = DiskInfo {
        length: stat.len(),
        allocated: stat.blocks() * 512,
        fs: None,
        fs_length: 0,
        used: 0,
        free: 0,
        clean: false,
        attached: os::disk::in_use(&file)?,
    };
    match content::read(at, &file)? {
        Content::Sound(superblock) => describe(at, &mut info, &superblock)?,
        Content::Damaged(fs, _) => info.fs = Some(fs),
        Content::Foreign(_) | Content::Unknown => {}
    }
    Ok(Some(info))
}

fn describe(at: &Utf8Path, info: &mut DiskInfo, superblock: &Superblock) -> Result<()> {
    let live = mounted(at, &info.attached, superblock.fs)?;
    let (space, length) = live.unzip();
    let unused = space.as_ref().map_or(superblock.free, |space| space.f_bfree.saturating_mul(space.f_frsize));
    info.fs = Some(superblock.fs);
    info.fs_length = length.flatten().unwrap_or(superblock.length);
    info.used = info.fs_length.saturating_sub(unused);
    info.free = match space {
        // It alone tells here what can be written; with others the difference to what is free is the superuser's.
        Some(space) if superblock.fs == DiskFs::Btrfs => space.f_bavail.saturating_mul(space.f_frsize),
        _ => unused.saturating_sub(superblock.kept),
    };
    info.clean = superblock.clean;
    Ok(())
}

/// What the kernel says about the file system that is mounted from one of these devices, where it can be reached, and
/// its length, where it tells. A disk lies beside the root of the sandbox that has it mounted.
fn mounted(at: &Utf8Path, devices: &[String], fs: DiskFs) -> Result<Option<(StatVfs, Option<u64>)>> {
    if devices.is_empty() {
        return Ok(None);
    }
    let from = |mount: &Mounted| devices.iter().any(|device| mount.source == format!("/dev/{device}"));
    let seen = mount::table()?.into_iter().map(|mount| (Place::host(&mount.at), mount));
    let hidden = sandbox::mounts_below(at.parent().unwrap_or(at))?;
    Ok(seen.chain(hidden).filter(|(_, mount)| from(mount)).find_map(|(at, mount)| space_of(&at, &mount, fs)))
}

fn space_of(at: &Place, mount: &Mounted, fs: DiskFs) -> Option<(StatVfs, Option<u64>)> {
    let dir = beneath::open_dir(at).ok()?;
    // Something else can cover it.
    let found = os::mount::on(at, &dir).ok()??;
    if found.source != mount.source {
        return None;
    }
    Some((fstatvfs(&dir).ok()?, os::disk_grow::length(fs, &dir, mount.source.as_ref())))
}
