//! One entry of a layer: what it says, in the words of whoever writes files. It does not know what becomes of it.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use qchroot_plugin::{Error, ErrorKind, Node, NodeKind, Result};
use tar::EntryType;

/// Extended attributes that say something about the machine that they were set on (xattr(7)).
const LEFT_OUT: [&[u8]; 4] = [b"trusted.", b"security.selinux", b"security.ima", b"security.evm"];
/// How a keyword of an extended attribute begins (image specification, "File Attributes").
const XATTR: &[u8] = b"SCHILY.xattr.";

/// The entry; `None` for what only speaks about others.
pub(crate) fn node<R: Read>(entry: &mut tar::Entry<'_, R>) -> Result<Option<Node>> {
    let name = entry.path_bytes().into_owned();
    let shown = String::from_utf8_lossy(&name).into_owned();
    let bad = |error: io::Error| bad(&shown, &error.to_string());
    let Some(kind) = kind(entry, &name).map_err(bad)? else { return Ok(None) };
    let header = entry.header();
    let mut node = Node {
        path: path(&name),
        kind,
        mode: header.mode().map_err(bad)? & 0o7777,
        uid: small(header.uid().map_err(bad)?).map_err(bad)?,
        gid: small(header.gid().map_err(bad)?).map_err(bad)?,
        mtime: (header.mtime().map_err(bad)?.cast_signed(), 0),
        xattrs: vec![],
        flags: None,
    };
    for extension in entry.pax_extensions().map_err(bad)?.into_iter().flatten() {
        let extension = extension.map_err(bad)?;
        extend(&mut node, extension.key_bytes(), extension.value_bytes());
    }
    Ok(Some(node))
}

fn kind<R: Read>(entry: &tar::Entry<'_, R>, name: &[u8]) -> io::Result<Option<NodeKind>> {
    let header = entry.header();
    let target =
        || entry.link_name_bytes().map(|name| path(&name)).ok_or_else(|| other("a link without a target"));
    let device = |block| {
        let number = |part: io::Result<Option<u32>>| part.map(Option::unwrap_or_default);
        Ok::<_, io::Error>(NodeKind::Device {
            block,
            major: number(header.device_major())?,
            minor: number(header.device_minor())?,
        })
    };
    Ok(Some(match header.entry_type() {
        EntryType::XGlobalHeader => return Ok(None),
        // Before POSIX, this was all that told a directory.
        EntryType::Regular if name.ends_with(b"/") => NodeKind::Directory,
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
            NodeKind::File { size: entry.size() }
        }
        EntryType::Directory => NodeKind::Directory,
        EntryType::Symlink => NodeKind::Symlink { to: target()? },
        EntryType::Link => NodeKind::HardLink { to: target()? },
        EntryType::Char => device(false)?,
        EntryType::Block => device(true)?,
        EntryType::Fifo => NodeKind::Fifo,
        unknown => return Err(other(&format!("the type {:?} is unknown", char::from(unknown.as_byte())))),
    }))
}

fn extend(node: &mut Node, key: &[u8], value: &[u8]) {
    if let Some(name) = key.strip_prefix(XATTR) {
        if !LEFT_OUT.iter().any(|out| name.starts_with(out)) {
            node.xattrs.push((name.to_vec(), value.to_vec()));
        }
        return;
    }
    let Ok(text) = std::str::from_utf8(value) else { return };
    match key {
        b"mtime" => node.mtime = time(text).unwrap_or(node.mtime),
        b"SCHILY.fflags" => node.flags = Some(text.to_owned()),
        _ => {}
    }
}

/// Seconds since the epoch with a fraction (pax(1)).
fn time(text: &str) -> Option<(i64, u32)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: i64 = whole.parse().ok()?;
    let digits: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    let nanos: u32 = digits.parse().ok()?;
    match text.starts_with('-') && nanos > 0 {
        true => Some((seconds - 1, 1_000_000_000 - nanos)),
        false => Some((seconds, nanos)),
    }
}

fn small(id: u64) -> io::Result<u32> {
    u32::try_from(id).map_err(|_| other("its owner has too large a number"))
}

fn path(bytes: &[u8]) -> std::path::PathBuf {
    Path::new(OsStr::from_bytes(bytes)).to_owned()
}

fn other(words: &str) -> io::Error {
    io::Error::other(words)
}

/// An entry that cannot be taken.
pub(crate) fn bad(name: &str, why: &str) -> Error {
    let shown: String = name.chars().take(500).collect();
    Error::new(ErrorKind::BadData, format!("bad entry {shown:?}: {why}"))
        .hint("the image was made wrong, or to do harm; tell whoever made it")
}

#[cfg(test)]
mod tests {
    use super::time;

    #[test]
    fn times_have_fractions_and_may_be_before_the_epoch() {
        for (text, expected) in [("5", (5, 0)), ("5.25", (5, 250_000_000)), ("-1.5", (-2, 500_000_000))] {
            assert_eq!(time(text), Some(expected));
        }
        assert_eq!(time("x"), None);
    }
}
