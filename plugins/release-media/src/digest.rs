//! Digests of files and trees on the host, for what no one has published a digest of. It only reads.

use std::io::{self, Read};

use qchroot_api::camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Error, ErrorKind, FileKind, Observe, Place, Result, Stat};
use qchroot_unpack::Limits;
use sha2::{Digest, Sha256};

/// Bytes that are asked for at a time.
const CHUNK: u64 = 4 << 20;

/// A file that is read piece by piece through what shows the host.
pub(crate) struct Pieces<'a> {
    host: &'a dyn Observe,
    at: Place,
    offset: u64,
    piece: io::Cursor<Vec<u8>>,
}

impl<'a> Pieces<'a> {
    pub(crate) fn of(at: Place, host: &'a dyn Observe) -> Self {
        Self { host, at, offset: 0, piece: io::Cursor::default() }
    }
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.piece.read(buffer)?;
        if n > 0 || buffer.is_empty() {
            return Ok(n);
        }
        let piece = self.host.bytes(&self.at, self.offset, CHUNK).map_err(io::Error::other)?;
        self.offset += piece.len() as u64;
        self.piece = io::Cursor::new(piece);
        self.piece.read(buffer)
    }
}

/// SHA-256 of a file, in lower-case hex.
pub(crate) fn of_file(path: &Utf8Path, host: &dyn Observe) -> Result<String> {
    let digest = qchroot_unpack::sha256(Pieces::of(Place::host(path), host));
    digest.map(|(digest, _)| digest).map_err(|error| Error::from_io(&error, format!("cannot read {path}")))
}

/// SHA-256 over names, kinds, owners, modes, targets of links and contents of all that is below a directory.
/// Names that are not UTF-8 and sockets do not count.
pub(crate) fn of_tree(top: &Utf8Path, host: &dyn Observe) -> Result<String> {
    let mut tree = Tree { top, host, hash: Sha256::new(), entries: 0 };
    tree.entry(Utf8Path::new(""))?;
    Ok(tree.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

struct Tree<'a> {
    top: &'a Utf8Path,
    host: &'a dyn Observe,
    hash: Sha256,
    entries: u64,
}

impl Tree<'_> {
    fn entry(&mut self, path: &Utf8Path) -> Result<()> {
        let at = Place::within(self.top, path);
        let Some(stat) = self.host.stat(&at)? else { return Ok(()) };
        self.entries += 1;
        if self.entries > Limits::default().entries {
            let message = format!("{} holds more than is sensible", self.top);
            return Err(Error::new(ErrorKind::BadData, message));
        }
        self.attributes(path, &stat);
        match stat.kind {
            FileKind::Directory => self.children(path, &at),
            FileKind::File => self.content(&at),
            FileKind::Link => {
                let to: Utf8PathBuf = self.host.link(&at)?.unwrap_or_default();
                self.hash.update(to.as_str());
                Ok(())
            }
            FileKind::CharDevice | FileKind::Other => Ok(()),
        }
    }

    /// Every field ends in a zero byte, which no name has.
    fn attributes(&mut self, path: &Utf8Path, stat: &Stat) {
        let Stat { kind, mode, uid, gid, device, .. } = stat;
        self.hash.update(format!("\0{path}\0{kind:?} {mode:o} {uid} {gid} {device:?}\0"));
    }

    fn children(&mut self, path: &Utf8Path, at: &Place) -> Result<()> {
        self.host.list(at)?.iter().try_for_each(|name| self.entry(&path.join(name)))
    }

    fn content(&mut self, at: &Place) -> Result<()> {
        let mut pieces = Pieces::of(at.clone(), self.host);
        let mut hash = Sha256::new();
        io::copy(&mut pieces, &mut Hashing(&mut hash))
            .map_err(|error| Error::from_io(&error, format!("cannot read {at}")))?;
        self.hash.update(hash.finalize());
        Ok(())
    }
}

struct Hashing<'a>(&'a mut Sha256);

impl io::Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
