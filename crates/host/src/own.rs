//! Files of qchroot's own: journals, indexes, locks. It does not know what is written in them.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};

use camino::Utf8Path;
use qchroot_api::{Error, ErrorKind, Result};
use qchroot_engine::Held;
use rustix::fs::{FlockOperation, OFlags, flock, fstat, stat};
use rustix::io::Errno;

use crate::errors::OrError;

/// `None` where an error only says that nothing is there.
fn unless_missing<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The whole file, or `None` when it does not exist.
pub(crate) fn read(at: &Utf8Path) -> Result<Option<Vec<u8>>> {
    unless_missing(fs::read(at)).or_error(|| format!("cannot read {at}"))
}

/// Appends in one write; makes the file with mode 0644. A write cut short by a full disk is taken back.
pub(crate) fn append(at: &Utf8Path, bytes: &[u8], durable: bool) -> Result<()> {
    let message = || format!("cannot append to {at}");
    let is_new = !at.as_std_path().exists();
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o644)
        .custom_flags(OFlags::NOFOLLOW.bits() as i32)
        .open(at)
        .or_error(message)?;
    let before = file.metadata().or_error(message)?.len();
    if let Err(error) = write_once(&mut file, bytes) {
        // What cannot be taken back either is a torn last line, which a journal's reader must bear anyway.
        let _ = file.set_len(before);
        return Err(Error::from_io(&error, message()));
    }
    if durable {
        file.sync_all().or_error(message)?;
        if is_new {
            sync_directory_of(at)?;
        }
    }
    Ok(())
}

fn write_once(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    if file.write(bytes)? == bytes.len() { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
}

/// Makes names made in, or gone from, the directory of `at` outlive a power cut.
pub(crate) fn sync_directory_of(at: &Utf8Path) -> Result<()> {
    let dir = at.parent().filter(|dir| !dir.as_str().is_empty()).unwrap_or(Utf8Path::new("."));
    File::open(dir).and_then(|dir| dir.sync_all()).or_error(|| format!("cannot flush {dir}"))
}

/// Removes a file; one that is gone is fine.
pub(crate) fn remove(at: &Utf8Path) -> Result<()> {
    unless_missing(fs::remove_file(at)).or_error(|| format!("cannot remove {at}")).map(drop)
}

/// Names in a directory, sorted, those that are not UTF-8 left out; none when it does not exist.
pub(crate) fn list(at: &Utf8Path) -> Result<Vec<String>> {
    let message = || format!("cannot list {at}");
    let Some(entries) = unless_missing(fs::read_dir(at)).or_error(message)? else { return Ok(vec![]) };
    let mut names = vec![];
    for entry in entries {
        names.extend(entry.or_error(message)?.file_name().into_string().ok());
    }
    names.sort();
    Ok(names)
}

/// Makes a directory with its parents.
pub(crate) fn make_dir(at: &Utf8Path) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(at)
        .or_error(|| format!("cannot make directory {at}"))
}

/// Takes the exclusive lock on a file. It is shared with forked processes and not passed on by exec; see
/// flock(2).
pub(crate) fn lock(at: &Utf8Path, wait: bool) -> Result<Option<Held>> {
    let operation =
        if wait { FlockOperation::LockExclusive } else { FlockOperation::NonBlockingLockExclusive };
    take(at, operation)
}

/// Takes the lock on a file together with others, waiting for who has it alone.
pub(crate) fn share(at: &Utf8Path) -> Result<Held> {
    take(at, FlockOperation::LockShared)?
        .ok_or_else(|| Error::new(ErrorKind::Internal, format!("{at} was not waited for")))
}

fn take(at: &Utf8Path, operation: FlockOperation) -> Result<Option<Held>> {
    let message = || format!("cannot lock {at}");
    loop {
        let file = open_lock(at).or_error(message)?;
        match flock(&file, operation) {
            Ok(()) if is_still_at(&file, at) => return Ok(Some(Held::new(file))),
            // Somebody removed the file while we waited: the next one counts.
            Ok(()) | Err(Errno::INTR) => {}
            Err(Errno::WOULDBLOCK) => return Ok(None),
            Err(error) => return Err(error).or_error(message),
        }
    }
}

fn open_lock(at: &Utf8Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW.bits() as i32;
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(flags)
        .open(at)
}

fn is_still_at(file: &File, at: &Utf8Path) -> bool {
    match (fstat(file), stat(at.as_str())) {
        (Ok(held), Ok(there)) => (held.st_dev, held.st_ino) == (there.st_dev, there.st_ino),
        _ => false,
    }
}
