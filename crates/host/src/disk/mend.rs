//! Puts file systems in order, each by its own programs and its own rules about which repairs are harmless.

use camino::Utf8Path;
use qchroot_api::{Command, DiskCheck, DiskFs, Error, ErrorKind, Result};

use super::check::{Found, damaged};
use super::look::look;
use super::record::Record;
use super::tools::{command, ended};
use super::{beside, claim, clone};
use crate::os;

/// What e2fsck(8) says, before its summary, of a disk that lacks only this: they are made without.
const NO_LOST_AND_FOUND: &str = ": /lost+found not found.  CREATED.";

/// Puts a disk in order.
///
/// # Errors
/// Bad data, with the program's last words, where that takes more than `how` allows.
pub(super) fn mend(at: &Utf8Path, fs: DiskFs, how: DiskCheck, record: &mut Record) -> Result<Found> {
    match fs {
        DiskFs::Ext4 => ext4(at, how, record),
        DiskFs::Xfs => xfs(at, how, record),
        DiskFs::Btrfs => btrfs(at, how, record),
        DiskFs::Ufs => ufs(at, how, record),
        other => Err(Error::new(ErrorKind::Unavailable, format!("disks with {other} cannot be checked"))),
    }
}

/// A repair is repeated until there was nothing left to do. Statuses of e2fsck(8): 1 errors put right, 2 put right and to be mounted anew, 4 errors left, 8 and more: its own.
fn ext4(at: &Utf8Path, how: DiskCheck, record: &mut Record) -> Result<Found> {
    let path = at.as_str();
    let check = match how {
        DiskCheck::Full => command(&["e2fsck", "-f", "-p", path]),
        DiskCheck::Repair => command(&["e2fsck", "-f", "-y", path]),
        _ => command(&["e2fsck", "-p", path]),
    };
    for found in [Found::Clean, Found::Repaired, Found::Repaired, Found::Repaired] {
        match record.run(&check)? {
            0 => return Ok(found),
            status if status & !3 == 0 => {
                if how != DiskCheck::Repair {
                    let said = record.tail();
                    let is_nothing = said.len() == 2 && said[0].ends_with(NO_LOST_AND_FOUND);
                    return Ok(if is_nothing { Found::Clean } else { Found::Repaired });
                }
            }
            status if status & !15 == 0 => return Err(damaged(at, how, record)),
            status => return Err(ended(&check, status)),
        }
    }
    Err(damaged(at, how, record))
}

/// The kernel replays the journal when it mounts, and that is all that is harmless: fsck.xfs(8) does nothing.
/// Statuses of xfs_repair(8): 1 damage was found, or it failed; 2 the journal must be replayed first.
fn xfs(at: &Utf8Path, how: DiskCheck, record: &mut Record) -> Result<Found> {
    let mounted = mount(at, DiskFs::Xfs, record);
    if !matches!(how, DiskCheck::Full | DiskCheck::Repair) {
        return mounted.map(|()| Found::Clean);
    }
    let look = command(&["xfs_repair", "-f", "-n", at.as_str()]);
    if mounted.is_ok() && record.run(&look)? == 0 {
        return Ok(Found::Clean);
    }
    if how == DiskCheck::Full {
        return Err(mounted.err().unwrap_or_else(|| damaged(at, how, record)));
    }
    let mut status = record.run(&command(&["xfs_repair", "-f", at.as_str()]))?;
    if status == 2 {
        record.remark("the journal cannot be replayed: what it holds is dropped");
        status = record.run(&command(&["xfs_repair", "-f", "-L", at.as_str()]))?;
    }
    if status != 0 || record.run(&look)? != 0 {
        return Err(damaged(at, how, record));
    }
    mount(at, DiskFs::Xfs, record).map(|()| Found::Repaired)
}

/// Its manual page warns of `btrfs check --repair`, so that is done to a copy, which takes the place of the disk only
/// when it is found to be in order.
fn btrfs(at: &Utf8Path, how: DiskCheck, record: &mut Record) -> Result<Found> {
    let mounted = mount(at, DiskFs::Btrfs, record);
    if !matches!(how, DiskCheck::Full | DiskCheck::Repair) {
        return mounted.map(|()| Found::Clean);
    }
    let look =
        |path: &Utf8Path| command(&["btrfs", "check", "--readonly", "--check-data-csum", path.as_str()]);
    if mounted.is_ok() && record.run(&look(at))? == 0 {
        return Ok(Found::Clean);
    }
    if how == DiskCheck::Full {
        return Err(mounted.err().unwrap_or_else(|| damaged(at, how, record)));
    }
    let source = claim::claim(at, true)?;
    let length = source.metadata().map_or(0, |meta| meta.len());
    beside::replace(at, |new| {
        clone::copy(&source, at, new, length)?;
        for words in [
            ["btrfs", "rescue", "super-recover", "-y"].as_slice(),
            &["btrfs", "rescue", "zero-log"],
            &["btrfs", "check", "--repair", "--force"],
        ] {
            // Whether they did any good is what the look after them tells.
            record.run(&command(&[words, &[new.as_str()]].concat()))?;
        }
        if record.run(&look(new))? != 0 {
            return Err(damaged(at, how, record));
        }
        mount(new, DiskFs::Btrfs, record)
    })
    .map(|()| Found::Repaired)
}

/// Has the kernel mount a disk where nobody sees it, which puts in order what its journal can.
fn mount(at: &Utf8Path, fs: DiskFs, record: &mut Record) -> Result<()> {
    record.remark(&format!("the kernel mounts {at} to replay its journal"));
    let mounted = os::disk::open(at, fs, false).and_then(os::disk::OpenDisk::close);
    if let Err(error) = &mounted {
        record.remark(&format!("it cannot: {error}"));
    }
    mounted.map_err(|error| match error.kind() {
        ErrorKind::BadData | ErrorKind::Io | ErrorKind::System => {
            let built = damaged(at, DiskCheck::Preen, &Record::nowhere()).cause(error.message());
            error.causes().iter().fold(built, Error::cause)
        }
        _ => error,
    })
}

/// Statuses of fsck_ffs(8): 0 in order, now if not before, or it says `PLEASE RERUN FSCK`, for which newer ones have 16; 3 no
/// superblock; 8 a choice is needed.
fn ufs(at: &Utf8Path, how: DiskCheck, record: &mut Record) -> Result<Found> {
    const AGAIN: i32 = 16;
    for found in [Found::Clean, Found::Repaired, Found::Repaired, Found::Repaired] {
        let device = os::disk::device(at, false)?;
        let status = record.run(&ufs_command(device.path().as_str(), how));
        let closed = device.close();
        match status? {
            0 | AGAIN => closed?,
            _ => return Err(damaged(at, how, record)),
        }
        if look(at)?.is_some_and(|info| info.clean) {
            let was_modified = record.tail().iter().any(|line| line.contains("FILE SYSTEM WAS MODIFIED"));
            return Ok(if was_modified { Found::Repaired } else { found });
        }
    }
    Err(damaged(at, how, record))
}

fn ufs_command(device: &str, how: DiskCheck) -> Command {
    match how {
        DiskCheck::Full => command(&["fsck_ffs", "-f", "-p", device]),
        DiskCheck::Repair => command(&["fsck_ffs", "-f", "-y", device]),
        _ => command(&["fsck_ffs", "-p", device]),
    }
}
