//! Walks a tree by descriptor, no link followed, and hashes files on a second thread and a third while the walk
//! goes on. It changes nothing and does not know whose tree it is.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Access, Error, ErrorKind, Result};
use qchroot_engine::{Care, Seen, SeenKind};
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, fstat, major, minor, openat, readlinkat, statat};
use rustix::io::Errno;
use sha2::{Digest, Sha256};

use crate::dir::{self, DEEPEST, Entry};
use crate::errors::OrError;
use crate::files::permissions;
use crate::{beneath, os};

/// How many threads hash.
const THREADS: usize = 2;

/// How many open files wait to be hashed.
const WAITING: usize = 64;

/// A file to hash, with its index among all that was seen.
type Job = (usize, File);

/// Everything below `top` that `care` lets it look at, sorted by path; nothing when there is no such tree.
pub(crate) fn survey(top: &Utf8Path, care: &dyn Fn(&Path) -> Care) -> Result<Vec<Seen>> {
    let dir = match beneath::open_root(top) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(vec![]),
        dir => dir?,
    };
    let (jobs, queue) = sync_channel(WAITING);
    let queue = Mutex::new(queue);
    let mut seen = thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS).map(|_| scope.spawn(|| digests(&queue))).collect();
        let mut walk = Walk { care, jobs, seen: vec![], path: PathBuf::new(), shown: top.to_owned() };
        let walked = walk.directory(&dir, 0);
        let Walk { jobs, mut seen, .. } = walk;
        drop(jobs); // the threads end when the queue does
        for worker in workers {
            let hashed = worker.join();
            for (index, digest) in hashed.map_err(|_| Error::new(ErrorKind::Internal, "a thread died"))? {
                set_digest(&mut seen[index], digest, top)?;
            }
        }
        walked.map(|()| seen)
    })?;
    seen.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(seen)
}

fn set_digest(seen: &mut Seen, digest: io::Result<String>, top: &Utf8Path) -> Result<()> {
    let digest = digest.or_error(|| format!("cannot read {top}/{}", seen.path.display()))?;
    if let SeenKind::File { sha256, .. } = &mut seen.kind {
        *sha256 = Some(digest);
    }
    Ok(())
}

/// Hashes until no more files come; a file that cannot be read does not stop the others.
fn digests(queue: &Mutex<Receiver<Job>>) -> Vec<(usize, io::Result<String>)> {
    let mut buffer = vec![0_u8; 1 << 17];
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
    let mut done = vec![];
    while let Ok((index, file)) = next() {
        done.push((index, digest(file, &mut buffer)));
    }
    done
}

fn digest(mut file: File, buffer: &mut [u8]) -> io::Result<String> {
    let mut hash = Sha256::new();
    loop {
        match file.read(buffer) {
            Ok(0) => return Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()),
            Ok(length) => hash.update(&buffer[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

struct Walk<'a> {
    care: &'a dyn Fn(&Path) -> Care,
    jobs: SyncSender<Job>,
    seen: Vec<Seen>,
    /// Where the work is below the top.
    path: PathBuf,
    /// The same, for messages.
    shown: Utf8PathBuf,
}

impl Walk<'_> {
    fn directory(&mut self, dir: &OwnedFd, depth: usize) -> Result<()> {
        if depth > DEEPEST {
            let message = format!("{} is more than {DEEPEST} directories deep", self.shown);
            return Err(Error::new(ErrorKind::BadData, message));
        }
        for entry in dir::entries(dir, self.shown.as_str())? {
            self.path.push(std::ffi::OsStr::from_bytes(entry.name.as_bytes()));
            self.shown.push(entry.shown());
            match (self.care)(&self.path) {
                Care::Skip => {}
                care => self.entry(dir, &entry, care, depth)?,
            }
            self.shown.pop();
            self.path.pop();
        }
        Ok(())
    }

    /// What goes away meanwhile was not there.
    fn entry(&mut self, dir: &OwnedFd, entry: &Entry, care: Care, depth: usize) -> Result<()> {
        let message = |shown: &Utf8PathBuf| format!("cannot look at {shown}");
        let stat = match statat(dir, &entry.name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => return Ok(()),
            stat => stat.or_error(|| message(&self.shown))?,
        };
        let kind = kind(dir, entry, &stat).or_error(|| message(&self.shown))?;
        let is_directory = kind == SeenKind::Directory;
        let is_file = matches!(kind, SeenKind::File { .. });
        self.seen.push(Seen {
            path: self.path.clone(),
            kind,
            access: Access { mode: permissions(&stat), uid: stat.st_uid, gid: stat.st_gid },
            flags: None,
            xattrs: vec![],
        });
        let index = self.seen.len() - 1;
        if is_directory && care != Care::Note {
            let below = dir::open(dir, &entry.name).or_error(|| message(&self.shown))?;
            self.attributes(index, &below, &stat)?;
            self.directory(&below, depth + 1)?;
        } else if is_file && care == Care::Digest {
            let file = open_file(dir, entry).or_error(|| message(&self.shown))?;
            self.attributes(index, &file, &stat)?;
            // Its receiver lives as long as the scope.
            let _ = self.jobs.send((index, File::from(file)));
        }
        Ok(())
    }

    fn attributes(&mut self, index: usize, file: &OwnedFd, stat: &Stat) -> Result<()> {
        let seen = &mut self.seen[index];
        seen.xattrs = os::xattr::all(file).or_error(|| format!("cannot look at {}", self.shown))?;
        seen.flags = os::flags::names(stat, &seen.xattrs);
        Ok(())
    }
}

fn kind(dir: &OwnedFd, entry: &Entry, stat: &Stat) -> Result<SeenKind, Errno> {
    let device = |block| SeenKind::Device { block, major: major(stat.st_rdev), minor: minor(stat.st_rdev) };
    Ok(match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => SeenKind::Directory,
        FileType::Symlink => {
            let target = readlinkat(dir, &entry.name, vec![])?;
            SeenKind::Link { to: std::ffi::OsStr::from_bytes(target.as_bytes()).into() }
        }
        FileType::CharacterDevice => device(false),
        FileType::BlockDevice => device(true),
        FileType::Fifo => SeenKind::Fifo,
        FileType::Socket => SeenKind::Socket,
        _ => SeenKind::File { size: u64::try_from(stat.st_size).unwrap_or(0), sha256: None },
    })
}

/// Opens a file that was regular a moment ago; one that is not any more is an error.
fn open_file(dir: &OwnedFd, entry: &Entry) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = openat(dir, &entry.name, flags, Mode::empty())?;
    match FileType::from_raw_mode(fstat(&file)?.st_mode) {
        FileType::RegularFile => Ok(file),
        _ => Err(Errno::INVAL),
    }
}
