//! What was found, written down so that exactly that is taken: by path, with the digest of each file. It reads
//! files and does not know how they are found.

use std::collections::BTreeMap;
use std::fmt::Write;

use qchroot_api::camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Error, ErrorKind, Observe, Place, Result, Stat};
use sha2::{Digest, Sha256};

use crate::Mode;
use crate::tree::{Entry, Tree};

/// The pin that holds the shell of the superuser; all others are absolute paths.
pub(crate) const SHELL: &str = "shell";

/// Bytes of a file that are read at a time.
const PIECE: u64 = 4 << 20;

/// One file, link or directory to take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pin<'a> {
    Directory,
    /// With its size and the SHA-256 of its content.
    File(u64, &'a str),
    Link(&'a str),
}

impl<'a> Pin<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        match text.split_once(' ') {
            None if text == "directory" => Some(Self::Directory),
            Some(("link", to)) => Some(Self::Link(to)),
            Some(("file", rest)) => {
                let (size, digest) = rest.split_once(' ')?;
                Some(Self::File(size.parse().ok()?, digest))
            }
            _ => None,
        }
    }
}

/// The pins, and the digest over everything that decides the content: paths, owners, modes, the targets of links
/// and the content of files. What is mounted is the host's as it is then, so only its path counts.
pub(crate) fn of(
    tree: &Tree<'_>,
    mode: Mode,
    host_dirs: &[Utf8PathBuf],
    shell: &str,
) -> Result<(BTreeMap<String, String>, String)> {
    let mut hash = Sha256::new();
    let mut add = |text: &str| hash.update([text.as_bytes(), b"\0"].concat());
    add(&format!("minimal 1 {mode:?} {shell}"));
    host_dirs.iter().for_each(|dir| add(dir.as_str()));
    let mut pins = BTreeMap::from([(SHELL.to_owned(), shell.to_owned())]);
    for (path, entry) in &tree.entries {
        let pin = pin(path, entry, tree.host)?;
        add(path.as_str());
        add(&attributes(entry));
        add(&pin);
        pins.insert(path.to_string(), pin);
    }
    Ok((pins, hex(&hash.finalize())))
}

fn pin(path: &Utf8Path, entry: &Entry, host: &dyn Observe) -> Result<String> {
    Ok(match entry {
        Entry::Directory(_) => "directory".into(),
        Entry::Link(to) => format!("link {to}"),
        Entry::File(_) => {
            let (size, digest) = digest(path, host)?;
            format!("file {size} {digest}")
        }
    })
}

fn attributes(entry: &Entry) -> String {
    match entry {
        Entry::Directory(Stat { mode, uid, gid, .. }) | Entry::File(Stat { mode, uid, gid, .. }) => {
            format!("{mode:o} {uid} {gid}")
        }
        Entry::Link(_) => String::new(),
    }
}

fn digest(path: &Utf8Path, host: &dyn Observe) -> Result<(u64, String)> {
    let (place, mut hash, mut size) = (Place::host(path), Sha256::new(), 0);
    loop {
        let bytes = host.bytes(&place, size, PIECE)?;
        hash.update(&bytes);
        size += bytes.len() as u64;
        if (bytes.len() as u64) < PIECE {
            return Ok((size, hex(&hash.finalize())));
        }
    }
}

/// What is to be taken, parents first.
pub(crate) fn read(pins: &BTreeMap<String, String>) -> Result<BTreeMap<&Utf8Path, Pin<'_>>> {
    let paths = pins.iter().filter(|(path, _)| path.starts_with('/'));
    paths
        .map(|(path, text)| {
            let pin = Pin::parse(text);
            let pin = pin.ok_or_else(|| Error::new(ErrorKind::Internal, format!("bad pin {text:?}")))?;
            Ok((Utf8Path::new(path), pin))
        })
        .collect()
}

/// Bytes in hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
