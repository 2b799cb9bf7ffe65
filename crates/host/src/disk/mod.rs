//! Disks: file systems in files. What can be done to one, and how the machine stands to it. How a file is shown as a
//! device is the operating system's own module's business.

mod beside;
mod btrfs;
mod check;
pub(crate) mod claim;
mod clone;
pub(crate) mod content;
mod ext4;
mod file_system;
mod grow;
mod identity;
mod look;
mod make;
mod measure;
mod mend;
mod populate;
mod rebuild;
mod record;
mod space;
mod tools;
mod ufs;
mod xfs;

pub(crate) use look::look;
#[cfg(target_os = "freebsd")]
pub(crate) use ufs::growfs;

use camino::Utf8Path;
use qchroot_api::{DiskInfo, DiskStep, Error, ErrorKind, Result};
use qchroot_engine::Probe;

use crate::own;
use check::Check;
use clone::Clone;
use grow::Grow;
use populate::Content;

/// Carries out one step.
pub(crate) fn apply(step: &DiskStep) -> Result<()> {
    match step {
        DiskStep::Template { at, fs, tree, dirs, links } => {
            make::make(at, *fs, &Content { tree, need: measure::tree(tree)?, dirs, links })
        }
        DiskStep::Clone { from, to, fs, size, reserve } => {
            clone::clone(&Clone { from, to, fs: *fs, size: *size, reserve: *reserve })
        }
        DiskStep::Rebuild { from, to, fs, size, reserve } => {
            rebuild::rebuild(&Clone { from, to, fs: *fs, size: *size, reserve: *reserve })
        }
        DiskStep::Grow { at, fs, from, to, reserve, mounted } => {
            let (from, to, reserve, mounted) = (*from, *to, *reserve, mounted.as_ref());
            grow::grow(&Grow { at, fs: *fs, from, to, reserve, mounted })
        }
        DiskStep::Check { at, fs, how, log } => check::check(&Check { at, fs: *fs, how: *how, log }),
        DiskStep::Remove { at } => {
            beside::sweep(at)?;
            own::remove(at)?;
            match own::sync_directory_of(at) {
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
                synced => synced,
            }
        }
        other => Err(Error::new(ErrorKind::Internal, format!("not a step for the machine: {other}"))),
    }
}

/// How the machine stands to a step before it is carried out.
pub(crate) fn probe(step: &DiskStep) -> Result<Probe> {
    Ok(match step {
        DiskStep::Template { at, .. } if exists(at) => Probe::Present,
        DiskStep::Clone { to, .. } | DiskStep::Rebuild { to, .. } if exists(to) => {
            Probe::Conflict(format!("{to} exists already"))
        }
        DiskStep::Grow { at, to, reserve, .. } => match look(at)? {
            None => Probe::Conflict(format!("disk {at} does not exist")),
            Some(info) => size(&info, *to, *reserve),
        },
        // What cannot be looked at is for the check itself to tell, with what to do about it.
        DiskStep::Check { at, fs, how, .. } => match look(at) {
            Ok(Some(info)) if check::is_in_order(&info, *fs, *how) => Probe::Present,
            _ => Probe::Absent,
        },
        DiskStep::Remove { at } if !exists(at) && !beside::leftovers(at).iter().any(|left| exists(left)) => {
            Probe::Present
        }
        _ => Probe::Absent,
    })
}

fn size(info: &DiskInfo, to: u64, reserve: bool) -> Probe {
    match info.length {
        length if length > to => Probe::Conflict(format!("it has {length} bytes already, more than {to}")),
        length if length < to || info.fs_length < to => Probe::Absent,
        _ if reserve && info.allocated < to => Probe::Absent,
        _ => Probe::Present,
    }
}

/// Whether there is something at a path, not followed.
fn exists(at: &Utf8Path) -> bool {
    at.as_std_path().symlink_metadata().is_ok()
}
