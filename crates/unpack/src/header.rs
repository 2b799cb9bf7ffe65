//! One header block and what extends it, as a [`Node`]. It knows the fields (tar(5)) and reads no stream.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use qchroot_api::{Error, ErrorKind, Node, NodeKind, Result};
use tar::{EntryType, Header};

use crate::attributes::{self, Origin};
use crate::pax::Records;

/// Bytes of a path that a message shows.
const SHOWN: usize = 500;

/// What came before a header and belongs to it.
#[derive(Default)]
pub(crate) struct Extensions {
    pub(crate) long_name: Option<Vec<u8>>,
    pub(crate) long_link: Option<Vec<u8>>,
    pub(crate) records: Records,
}

/// Refuses a block that is no header.
pub(crate) fn check_sum(header: &Header) -> Result<()> {
    let bytes = header.as_bytes();
    let others = bytes[..148].iter().chain(&bytes[156..]);
    let sum = others.fold(8 * u32::from(b' '), |sum, &byte| sum + u32::from(byte));
    match header.cksum() {
        Ok(expected) if expected == sum => Ok(()),
        _ => Err(bad("what follows is no tar header: its checksum is wrong")),
    }
}

/// Bytes stored behind the header.
pub(crate) fn stored(header: &Header, records: &Records) -> Result<u64> {
    let size = records.number("size")?.map_or_else(|| number(header.entry_size()), Ok)?;
    // No file system holds more; a bound here keeps sums from overflowing.
    if size > i64::MAX.cast_unsigned() {
        Err(bad(format!("a size of {size} bytes cannot be")))
    } else {
        Ok(size)
    }
}

/// The entry's path as the archive spells it.
pub(crate) fn path(header: &Header, extensions: &Extensions) -> PathBuf {
    let records = &extensions.records;
    let named = records.get("GNU.sparse.name").or_else(|| records.get("path"));
    let named = named.map(<[u8]>::to_vec).or_else(|| extensions.long_name.clone());
    PathBuf::from(OsString::from_vec(named.unwrap_or_else(|| header.path_bytes().into_owned())))
}

fn link(header: &Header, extensions: &Extensions) -> PathBuf {
    let named =
        extensions.records.get("linkpath").map(<[u8]>::to_vec).or_else(|| extensions.long_link.clone());
    let own = || header.link_name_bytes().map(|bytes| bytes.into_owned()).unwrap_or_default();
    PathBuf::from(OsString::from_vec(named.unwrap_or_else(own)))
}

/// The entry; `size` is the length of a regular file with its holes.
pub(crate) fn node(
    header: &Header,
    extensions: &Extensions,
    path: PathBuf,
    size: u64,
    origin: Origin,
) -> Result<Node> {
    check_path(&path)?;
    let records = &extensions.records;
    let kind = kind(header, extensions, &path, size)?;
    if size > 0 && !matches!(kind, NodeKind::File { .. }) {
        return Err(bad("it is not a regular file and has content all the same"));
    }
    Ok(Node {
        kind,
        path,
        mode: number(header.mode())? & 0o7777,
        uid: id(records.number("uid")?.map_or_else(|| number(header.uid()), Ok)?)?,
        gid: id(records.number("gid")?.map_or_else(|| number(header.gid()), Ok)?)?,
        mtime: match records.mtime()? {
            Some(time) => time,
            None => (number(header.mtime())?.cast_signed(), 0),
        },
        xattrs: attributes::of(records, origin)?,
        flags: flags(records)?,
    })
}

/// File flags, also as a tree on Linux keeps them that came from such an archive.
fn flags(records: &Records) -> Result<Option<String>> {
    let kept = records.text("SCHILY.xattr.trusted.qchroot.fflags")?;
    let Some(flags) = records.text("SCHILY.fflags")?.or(kept) else { return Ok(None) };
    if flags.len() > 256 || !flags.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(bad("its file flags are no names"));
    }
    Ok(Some(flags.to_owned()))
}

fn kind(header: &Header, extensions: &Extensions, path: &Path, size: u64) -> Result<NodeKind> {
    // Before POSIX there was no type for directories: the name ended in a slash.
    let old_directory = header.as_bytes()[156] == 0 && path.as_os_str().as_encoded_bytes().ends_with(b"/");
    Ok(match header.entry_type() {
        EntryType::Directory => NodeKind::Directory,
        EntryType::Regular if old_directory => NodeKind::Directory,
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => NodeKind::File { size },
        EntryType::Symlink => NodeKind::Symlink { to: target(link(header, extensions))? },
        EntryType::Link => {
            let to = link(header, extensions);
            check_path(&to).map_err(|error| error.while_doing("target of the hard link"))?;
            NodeKind::HardLink { to }
        }
        EntryType::Char => device(header, false)?,
        EntryType::Block => device(header, true)?,
        EntryType::Fifo => NodeKind::Fifo,
        other => {
            let letter = char::from(other.as_byte()).escape_default();
            return Err(bad(format!("entries of type '{letter}' are not supported")));
        }
    })
}

fn device(header: &Header, block: bool) -> Result<NodeKind> {
    let (major, minor) = (number(header.device_major())?, number(header.device_minor())?);
    match (major, minor) {
        (Some(major), Some(minor)) => Ok(NodeKind::Device { block, major, minor }),
        _ => Err(bad("device without a number")),
    }
}

/// Refuses a path that leads out of the tree or cannot be one.
fn check_path(path: &Path) -> Result<()> {
    let bytes = path.as_os_str().as_encoded_bytes();
    if bytes.is_empty() || bytes.contains(&0) {
        return Err(bad("its name is empty or has a zero byte"));
    }
    if path.components().any(|part| part == Component::ParentDir) {
        return Err(bad(format!("{} leads out of the tree by \"..\"", shown(path))));
    }
    Ok(())
}

fn target(to: PathBuf) -> Result<PathBuf> {
    let bytes = to.as_os_str().as_encoded_bytes();
    if bytes.is_empty() || bytes.contains(&0) {
        return Err(bad("the target of the link is empty or has a zero byte"));
    }
    Ok(to)
}

/// A path for messages: control characters are spelt out, not sent to the terminal, and the end is left out where
/// nobody would read it.
pub(crate) fn shown(path: &Path) -> String {
    let mut out = String::new();
    for c in path.to_string_lossy().chars() {
        if out.len() > SHOWN {
            return out + "…";
        }
        if c.is_control() { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

fn id(number: u64) -> Result<u32> {
    u32::try_from(number).map_err(|_| bad(format!("user or group {number} is out of range")))
}

fn number<T>(field: std::io::Result<T>) -> Result<T> {
    field.map_err(|error| bad("a field of its header is no number").cause(error))
}

fn bad(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::BadData, message)
}
