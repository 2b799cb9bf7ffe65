//! A disk's file opened for this process alone. It does not know what the file is wanted for, nor how it is shown as a
//! device.

use std::fs::File;
use std::thread;
use std::time::Duration;

use camino::Utf8Path;
use qchroot_api::{Error, ErrorKind, Result};
use rustix::fs::{FlockOperation, Mode, OFlags, flock, fstat};
use rustix::io::Errno;

use crate::errors::OrError;
use crate::{beneath, clock, os};

/// A device that was free a moment ago can hold its file for as long as the kernel takes to close it.
const LETTING_GO: Duration = Duration::from_millis(200);

/// Opens a disk's file, holding it against every other process of ours until the last descriptor of it is closed; a
/// device that shows the file holds it as well. It is a regular file of the superuser's with one name, that nobody
/// else can write, reached without following a link, and no device shows it.
///
/// # Errors
/// `Exists` for what is no regular file, `Permission` for one that others can change, `Busy` for one that is in use,
/// the device named.
pub(crate) fn claim(file: &Utf8Path, read_only: bool) -> Result<File> {
    let access = if read_only { OFlags::RDONLY } else { OFlags::RDWR };
    take(file, access, FlockOperation::NonBlockingLockExclusive)
}

/// As [`claim`], to read it together with others that only read it.
///
/// # Errors
/// As [`claim`].
pub(crate) fn share(file: &Utf8Path) -> Result<File> {
    take(file, OFlags::RDONLY, FlockOperation::NonBlockingLockShared)
}

fn take(file: &Utf8Path, access: OFlags, lock: FlockOperation) -> Result<File> {
    let named = beneath::open_strictly(file)?;
    let opened = os::resolve::reopen(&named, access).or_error(|| format!("cannot open disk {file}"))?;
    refuse_shared(file, &File::from(named))?;
    let opened = File::from(opened);
    let locked = locked(&opened, lock).or_error(|| format!("cannot lock disk {file}"))?;
    if locked {
        os::disk::forget_left(&opened)
            .map_err(|error| error.while_doing(format!("cannot free disk {file}")))?;
    }
    let devices = os::disk::attached(&opened)?;
    match devices.first() {
        None if locked => Ok(opened),
        None => Err(Error::new(ErrorKind::Busy, format!("another process is at work on disk {file}"))),
        Some(device) => {
            let message = format!("disk {file} is attached already: {device} shows it");
            let error = Error::new(ErrorKind::Busy, message).with("device", device);
            Err(error.hint(os::disk::who_shows(file)))
        }
    }
}

/// Takes the lock, if nobody has it; flock(2).
pub(crate) fn locked(file: &File, lock: FlockOperation) -> Result<bool, Errno> {
    let end = clock::steady() + LETTING_GO;
    loop {
        match flock(file, lock) {
            Ok(()) => return Ok(true),
            Err(Errno::INTR) => {}
            Err(Errno::WOULDBLOCK) if clock::steady() < end => thread::sleep(Duration::from_millis(5)),
            Err(Errno::WOULDBLOCK) => return Ok(false),
            Err(error) => return Err(error),
        }
    }
}

/// What others can write, or reach by another name, is nothing to give to the kernel.
fn refuse_shared(path: &Utf8Path, file: &File) -> Result<()> {
    let stat = fstat(file).or_error(|| format!("cannot look at disk {path}"))?;
    let refuse = |why: String, hint: String| {
        let message = format!("cannot use disk {path}: {why}");
        Err(Error::new(ErrorKind::Permission, message).hint(hint))
    };
    let writable = Mode::from_raw_mode(stat.st_mode).intersects(Mode::WGRP | Mode::WOTH);
    if stat.st_uid != 0 {
        let why = format!("it belongs to user {}, not to the superuser", stat.st_uid);
        return refuse(why, format!("`chown 0 {path}`, if its content can be trusted"));
    }
    if writable {
        let hint = format!("`chmod go-w {path}`, if its content can be trusted");
        return refuse("others than the superuser can write it".into(), hint);
    }
    if stat.st_nlink != 1 {
        let hint = format!("remove the others; `find / -xdev -samefile {path}` tells them");
        return refuse(format!("it has {} names", stat.st_nlink), hint);
    }
    Ok(())
}
