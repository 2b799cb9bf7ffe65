//! A file that is written part by part, and perhaps not in one go. It does not know what is written.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;

use camino::Utf8Path;
use qchroot_api::{Error, ErrorKind, Part, Result};
use rustix::fs::{FileType, FlockOperation, Mode, OFlags, fchmod, flock, fstat};
use rustix::io::Errno;

use crate::beneath::describe;
use crate::errors::OrError;
use crate::own;

/// Opens the file, made when missing, for nobody else's eyes.
pub(crate) fn open(at: &Utf8Path) -> Result<Box<dyn Part>> {
    let message = || format!("cannot write {at}");
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600).custom_flags(flags.bits() as i32);
    let file = options.open(at).or_error(message)?;
    let stat = fstat(&file).or_error(message)?;
    let kind = FileType::from_raw_mode(stat.st_mode);
    if kind != FileType::RegularFile || stat.st_uid != rustix::process::geteuid().as_raw() {
        let what = if kind == FileType::RegularFile { "somebody else's" } else { describe(kind) };
        return Err(Error::new(ErrorKind::Exists, format!("{}: it is {what}", message())));
    }
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK) => {
            return Err(Error::new(ErrorKind::Busy, format!("{}: another qchroot writes to it", message())));
        }
        locked => locked.or_error(message)?,
    }
    fchmod(&file, Mode::RUSR | Mode::WUSR).or_error(message)?;
    own::sync_directory_of(at)?;
    Ok(Box::new(Opened(file)))
}

struct Opened(File);

impl Read for Opened {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Opened {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Part for Opened {
    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.0.set_len(length)?;
        self.0.seek(SeekFrom::Start(length)).map(drop)
    }

    fn settle(&mut self) -> io::Result<()> {
        self.0.sync_all()
    }
}
