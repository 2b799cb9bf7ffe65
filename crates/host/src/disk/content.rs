//! What is in a disk's file, and whether it is what is expected. It attaches nothing.

use std::fs::File;
use std::os::unix::fs::FileExt;

use camino::Utf8Path;
use qchroot_api::{DiskFs, Error, ErrorKind, Result};

use crate::errors::OrError;
use crate::superblock::{Content, REACH, Superblock, recognise};

/// What a damaged disk wants.
pub(crate) const MEND: &str = "`qchroot check` says what is wrong with it and mends what can be mended";

/// How often a superblock is read that is not in order: the kernel may be about to write it.
const READS: u32 = 3;

/// What is in an open disk `path`.
pub(crate) fn read(path: &Utf8Path, file: &File) -> Result<Content> {
    let mut content = Content::Unknown;
    for _ in 0..READS {
        content = recognise(&start_of(file).or_error(|| format!("cannot read disk {path}"))?);
        if matches!(content, Content::Sound(_)) {
            break;
        }
    }
    Ok(content)
}

fn start_of(file: &File) -> std::io::Result<Vec<u8>> {
    let mut start = vec![0; REACH];
    let mut length = 0;
    loop {
        match file.read_at(&mut start[length..], length as u64) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    start.truncate(length);
    Ok(start)
}

/// The superblock of an open disk that can be mounted: of this file system, in order, and as long as it says.
///
/// # Errors
/// Bad data, saying what is there instead.
pub(crate) fn verify(path: &Utf8Path, file: &File, fs: DiskFs) -> Result<Superblock> {
    let refuse = |message: String| Err(Error::new(ErrorKind::BadData, message));
    let superblock = match read(path, file)? {
        Content::Sound(superblock) if superblock.fs == fs => superblock,
        Content::Sound(other) => return refuse(format!("disk {path} holds {}, not {fs}", other.fs)),
        Content::Foreign(name) => return refuse(format!("disk {path} holds {name}, not {fs}")),
        Content::Unknown => return refuse(format!("disk {path} holds no file system that is known")),
        Content::Damaged(fs, why) => {
            return refuse(format!("the {fs} superblock of disk {path} is damaged: {why}"))
                .map_err(|error| error.hint(MEND));
        }
    };
    let length = file.metadata().or_error(|| format!("cannot look at disk {path}"))?.len();
    if length < superblock.length {
        let message = format!(
            "disk {path} is cut short: the file has {length} bytes, the {fs} in it {}",
            superblock.length
        );
        return refuse(message).map_err(|error| error.hint(MEND));
    }
    Ok(superblock)
}
