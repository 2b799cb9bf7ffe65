//! Disks appear whole or not at all: they are worked on under another name beside their place. It does not know what
//! is in them.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind as Io;
use std::os::unix::fs::OpenOptionsExt;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Error, Place, Result};

use crate::errors::OrError;
use crate::{beneath, os, own};

/// Where a disk is worked on that is to be `at`.
pub(super) fn name(at: &Utf8Path) -> Utf8PathBuf {
    at.with_file_name(format!(".{}.qchroot-new", at.file_name().unwrap_or("disk")))
}

/// Has `work` make a file and puts that, flushed, where nothing is. What a process that died left goes first.
pub(super) fn make(at: &Utf8Path, work: impl FnOnce(&Utf8Path) -> Result<()>) -> Result<()> {
    let put = |new: &Utf8Path| {
        let (old, new) = (beneath::parent(&Place::host(new))?, beneath::parent(&Place::host(at))?);
        os::files::rename_to_new(&old, &new).or_error(|| format!("cannot make disk {at}"))
    };
    worked(at, work, put)
}

/// Has `work` make a file and puts that, flushed, into the place of another.
pub(super) fn replace(at: &Utf8Path, work: impl FnOnce(&Utf8Path) -> Result<()>) -> Result<()> {
    let put = |new: &Utf8Path| fs::rename(new, at).or_error(|| format!("cannot replace disk {at}"));
    worked(at, work, put)
}

fn worked(
    at: &Utf8Path,
    work: impl FnOnce(&Utf8Path) -> Result<()>,
    put: impl FnOnce(&Utf8Path) -> Result<()>,
) -> Result<()> {
    let new = name(at);
    sweep(at)?;
    let done = work(&new).and_then(|()| flush(&new)).and_then(|()| put(&new));
    if done.is_err() {
        // The error that is reported is the first one.
        let _ = sweep(at);
    }
    done.and_then(|()| own::sync_directory_of(at))
}

/// Removes what a process that died left beside `at`.
pub(super) fn sweep(at: &Utf8Path) -> Result<()> {
    leftovers(at).iter().try_for_each(|left| own::remove(left))
}

/// The names under which something may be left.
pub(super) fn leftovers(at: &Utf8Path) -> [Utf8PathBuf; 2] {
    [scratch(&name(at)), name(at)]
}

/// A second file for the work on a first one; it goes with that.
pub(super) fn scratch(new: &Utf8Path) -> Utf8PathBuf {
    format!("{new}.source").into()
}

/// A new file for the superuser alone.
pub(super) fn create(new: &Utf8Path, length: u64) -> Result<File> {
    let message = || format!("cannot make {new}");
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(new);
    let file = file.or_error(message)?;
    set_length(&file, new, length)?;
    Ok(file)
}

/// Gives a file another length; what is new is a hole.
pub(super) fn set_length(file: &File, name: &Utf8Path, length: u64) -> Result<()> {
    file.set_len(length).map_err(|error| {
        let built = Error::from_io(&error, format!("cannot give {name} a length of {length} bytes"));
        match error.kind() {
            Io::FileTooLarge | Io::InvalidInput => {
                built.hint("the host's file system has no files of that length; choose less")
            }
            _ => built,
        }
    })
}

/// Returns when a file is on disk.
pub(super) fn flush(name: &Utf8Path) -> Result<()> {
    File::open(name).and_then(|file| file.sync_all()).or_error(|| format!("cannot flush {name}"))
}
