//! Files kept between installs, named by their SHA-256. It knows files and digests, not where they come from.
//!
//! ```text
//! sha256/<digest>     whole files; they appear by rename, after the digest was found right
//! partial/<name>      files on their way; locked by whoever writes them
//! ```
//!
//! Nothing in it is trusted: a file is hashed again before it is used.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::sync::Arc;
use std::time::Duration;

use qchroot_api::camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Error, Result};
use sha2::{Digest, Sha256};

use crate::net::Stop;

/// How often somebody else's lock is tried.
const GLANCE: Duration = Duration::from_millis(50);

/// A directory of files by digest.
#[derive(Debug, Clone)]
pub(crate) struct Cache {
    root: Utf8PathBuf,
}

/// A file on its way, locked.
#[derive(Debug)]
pub(crate) struct Partial {
    pub(crate) file: Arc<File>,
    path: Utf8PathBuf,
}

impl Cache {
    pub(crate) fn new(root: &Utf8Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Where the file with this digest lies if it is there.
    pub(crate) fn entry(&self, sha256: &str) -> Utf8PathBuf {
        self.root.join("sha256").join(sha256)
    }

    /// The file with this digest, and its length. One that is damaged is removed.
    pub(crate) fn find(&self, sha256: &str, stop: &Stop) -> Result<Option<(File, u64)>> {
        let path = self.entry(sha256);
        let Ok(file) = File::open(&path) else { return Ok(None) };
        let hashed = digest_of(&file, stop).map(|(hash, length)| (hex(hash), length));
        match hashed {
            Ok((digest, length)) if digest == sha256 => return Ok(Some((file, length))),
            _ => stop.check()?,
        }
        self.forget(sha256);
        Ok(None)
    }

    /// Removes the file with this digest.
    pub(crate) fn forget(&self, sha256: &str) {
        // One that cannot be removed is found damaged again.
        let _ = fs::remove_file(self.entry(sha256));
    }

    /// Opens the partial file `name` when nobody else has it any more.
    pub(crate) fn partial(&self, name: &str, stop: &Stop) -> Result<Partial> {
        let path = self.root.join("partial").join(name);
        let told = |e: &io::Error| Error::from_io(e, format!("cannot write {path}"));
        for dir in [&self.root, &self.root.join("partial"), &self.root.join("sha256")] {
            DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|e| told(&e))?;
        }
        loop {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false).mode(0o600);
            let file = options.open(&path).map_err(|e| told(&e))?;
            lock(&file, stop).map_err(|e| told(&e))?;
            stop.check()?;
            // Whoever had the lock may have finished the file: then the name is free, or another file's.
            if is_still_at(&file, &path) {
                return Ok(Partial { file: Arc::new(file), path });
            }
        }
    }

    /// Makes a finished file visible. Its digest has been compared.
    pub(crate) fn keep(&self, partial: &Partial, sha256: &str) -> Result<Utf8PathBuf> {
        let entry = self.entry(sha256);
        let renamed = fs::rename(&partial.path, &entry).and_then(|()| partial.file.unlock());
        renamed.map_err(|e| Error::from_io(&e, format!("cannot keep {entry}"))).map(|()| entry)
    }
}

impl Partial {
    /// Removes it. The file stays readable for those who have it open.
    pub(crate) fn discard(&self) {
        // What is left behind is hashed before anybody uses it.
        let _ = fs::remove_file(&self.path);
        let _ = self.file.unlock();
    }

    /// Leaves it for the next attempt.
    pub(crate) fn release(&self) {
        let _ = self.file.unlock();
    }
}

/// The hash of the whole file, and how many bytes there are.
pub(crate) fn digest_of(file: &File, stop: &Stop) -> io::Result<(Sha256, u64)> {
    let (mut hash, mut at) = (Sha256::new(), 0);
    let mut buffer = vec![0; 256 << 10];
    loop {
        stop.check().map_err(io::Error::other)?;
        match file.read_at(&mut buffer, at) {
            Ok(0) => return Ok((hash, at)),
            Ok(n) => {
                hash.update(&buffer[..n]);
                at += n as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// In lower-case hex.
pub(crate) fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn lock(file: &File, stop: &Stop) -> io::Result<()> {
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => stop.check().map_err(io::Error::other)?,
            Err(TryLockError::Error(error)) => return Err(error),
        }
        std::thread::sleep(GLANCE);
    }
}

fn is_still_at(file: &File, path: &Utf8Path) -> bool {
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(held), Ok(there)) => (held.dev(), held.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}
