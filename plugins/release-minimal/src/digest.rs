//! The digest over everything that decides the content: paths, owners, modes, the targets of links and the content
//! of files. What is mounted is the host's as it is then, so only its path counts.

use std::fmt::Write;
use std::io::{self, Read};

use qchroot_api::camino::Utf8Path;
use qchroot_api::{Observe, Place, Stat};
use sha2::{Digest as _, Sha256};

use crate::selection::Selection;
use crate::tree::Entry;

/// Bytes of a file that are read at a time.
const PIECE: usize = 1 << 20;

/// The digest as far as entries were added, which come in the selection's order.
pub(crate) struct Digest(Sha256);

impl Digest {
    pub(crate) fn new(selection: &Selection) -> Self {
        let mut digest = Self(Sha256::new());
        digest.field(&format!("minimal 1 {:?} {}", selection.mode, selection.shell));
        selection.host_dirs.iter().for_each(|dir| digest.field(dir.as_str()));
        digest
    }

    /// Adds an entry; `content` is read for files only.
    pub(crate) fn add(&mut self, path: &Utf8Path, entry: &Entry, content: &mut dyn Read) -> io::Result<()> {
        self.field(path.as_str());
        match entry {
            Entry::Directory(stat) => self.field(&format!("directory {}", attributes(stat))),
            Entry::Link(to) => self.field(&format!("link {to}")),
            Entry::File(stat) => {
                let content = sha256(content)?;
                self.field(&format!("file {} {content}", attributes(stat)));
            }
        }
        Ok(())
    }

    /// In hexadecimal digits.
    pub(crate) fn finish(self) -> String {
        hex(&self.0.finalize())
    }

    /// No path has a zero byte in it.
    fn field(&mut self, text: &str) {
        self.0.update(text);
        self.0.update(b"\0");
    }
}

fn attributes(stat: &Stat) -> String {
    format!("{:o} {} {}", stat.mode, stat.uid, stat.gid)
}

fn sha256(content: &mut dyn Read) -> io::Result<String> {
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; PIECE]);
    loop {
        match content.read(&mut buffer)? {
            0 => return Ok(hex(&hash.finalize())),
            length => hash.update(&buffer[..length]),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// A file of the host's, read through the view that sources have of it.
pub(crate) struct HostFile<'a> {
    host: &'a dyn Observe,
    place: Place,
    pub(crate) at: u64,
}

impl<'a> HostFile<'a> {
    pub(crate) fn new(host: &'a dyn Observe, path: &Utf8Path) -> Self {
        Self { host, place: Place::host(path), at: 0 }
    }
}

impl Read for HostFile<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.host.bytes(&self.place, self.at, buffer.len() as u64).map_err(io::Error::other)?;
        let length = bytes.len().min(buffer.len());
        buffer[..length].copy_from_slice(&bytes[..length]);
        self.at += length as u64;
        Ok(length)
    }
}
