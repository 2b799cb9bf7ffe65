//! One member of the archive: its headers and the map of its holes, as bytes. It reads nothing.
//!
//! POSIX ustar with pax extended headers where that is too narrow (pax(1)), names as the bytes they are; sparse files in
//! GNU's format 1.0 (tar(5)); attributes and flags as `SCHILY.xattr.*` and `SCHILY.fflags`.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use qchroot_api::{Error, ErrorKind, Node, NodeKind, Result};
use tar::{EntryType, Header};

/// Length of a block in bytes.
pub(crate) const BLOCK: u64 = 512;
/// What fits into the fields of a header: tar(5).
const NAME: usize = 100;
const ID: u64 = 0o777_7777;
const SIZE: u64 = 0o777_7777_7777;

/// Offsets and lengths of a file's data.
pub(crate) type Extents<'a> = &'a [(u64, u64)];

/// Everything that stands before the data of `node`, which is called `path`.
pub(crate) fn before_data(path: &[u8], node: &Node, data: Extents<'_>) -> Result<Vec<u8>> {
    let mut out = vec![];
    let map = map(node, data);
    let size =
        map.as_ref().map_or(0, |map| map.len() as u64) + data.iter().map(|extent| extent.1).sum::<u64>();
    let mut records = Records::default();
    let mut name = path;
    if let (Some(_), NodeKind::File { size }) = (&map, &node.kind) {
        records.add("GNU.sparse.major", b"1");
        records.add("GNU.sparse.minor", b"0");
        records.name("GNU.sparse.name", path);
        records.add("GNU.sparse.realsize", size.to_string().as_bytes());
        name = b"GNUSparseFile.0/file";
    }
    let mut header = header(node, size, &mut records)?;
    fit(&mut field(&mut header).name, "path", name, &mut records);
    if let NodeKind::Symlink { to } | NodeKind::HardLink { to } = &node.kind {
        fit(&mut field(&mut header).linkname, "linkpath", bytes(to), &mut records);
    }
    extras(node, &mut records);
    records.write(&mut out);
    header.set_cksum();
    out.extend_from_slice(header.as_bytes());
    out.extend(map.unwrap_or_default());
    Ok(out)
}

/// A file of the archive's own.
pub(crate) fn text(name: &str, text: &str) -> Result<Vec<u8>> {
    let kind = NodeKind::File { size: text.len() as u64 };
    let node = Node {
        path: name.into(),
        kind,
        mode: 0o600,
        uid: 0,
        gid: 0,
        mtime: (0, 0),
        xattrs: vec![],
        flags: None,
    };
    let mut out = before_data(name.as_bytes(), &node, &[(0, text.len() as u64)])?;
    out.extend_from_slice(text.as_bytes());
    pad(&mut out);
    Ok(out)
}

/// Zeros up to the next block.
pub(crate) fn padding(length: u64) -> &'static [u8] {
    const ZEROS: [u8; BLOCK as usize] = [0; BLOCK as usize];
    &ZEROS[..usize::try_from(length.next_multiple_of(BLOCK) - length).unwrap_or(0)]
}

fn pad(out: &mut Vec<u8>) {
    let zeros = padding(out.len() as u64);
    out.extend_from_slice(zeros);
}

pub(crate) fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}

/// The map of a file with holes: numbers one a line, in whole blocks. A hole at the end is told by an empty piece.
fn map(node: &Node, data: Extents<'_>) -> Option<Vec<u8>> {
    let NodeKind::File { size } = node.kind else { return None };
    let end = data.last().map_or(0, |(offset, length)| offset + length);
    if size == 0 || data == [(0, size)] {
        return None;
    }
    let last = (end < size).then_some((size, 0));
    let mut text = format!("{}\n", data.len() + usize::from(last.is_some()));
    for (offset, length) in data.iter().chain(last.iter()) {
        text.push_str(&format!("{offset}\n{length}\n"));
    }
    let mut map = text.into_bytes();
    pad(&mut map);
    Some(map)
}

fn header(node: &Node, size: u64, records: &mut Records) -> Result<Header> {
    let mut header = Header::new_ustar();
    header.set_entry_type(match &node.kind {
        NodeKind::Directory => EntryType::Directory,
        NodeKind::File { .. } => EntryType::Regular,
        NodeKind::Symlink { .. } => EntryType::Symlink,
        NodeKind::HardLink { .. } => EntryType::Link,
        NodeKind::Device { block: true, .. } => EntryType::Block,
        NodeKind::Device { block: false, .. } => EntryType::Char,
        NodeKind::Fifo => EntryType::Fifo,
    });
    header.set_mode(node.mode & 0o7777);
    header.set_uid(records.number("uid", node.uid.into(), ID));
    header.set_gid(records.number("gid", node.gid.into(), ID));
    header.set_size(records.number("size", size, SIZE));
    header.set_mtime(records.time(node.mtime));
    if let NodeKind::Device { major, minor, .. } = node.kind {
        let wide =
            || Error::new(ErrorKind::BadData, format!("device {major}:{minor} does not fit into an archive"));
        if u64::from(major.max(minor)) > ID {
            return Err(wide());
        }
        header.set_device_major(major).and_then(|()| header.set_device_minor(minor)).map_err(|_| wide())?;
    }
    Ok(header)
}

fn field(header: &mut Header) -> &mut tar::OldHeader {
    header.as_old_mut()
}

/// A name into its field, and into a record where it is too long.
fn fit(field: &mut [u8; NAME], keyword: &str, name: &[u8], records: &mut Records) {
    let short = &name[..name.len().min(NAME)];
    field[..short.len()].copy_from_slice(short);
    if name.len() > NAME {
        records.name(keyword, name);
    }
}

fn extras(node: &Node, records: &mut Records) {
    for (name, value) in &node.xattrs {
        let mut keyword = b"SCHILY.xattr.".to_vec();
        for &byte in name {
            match byte {
                // A keyword ends at the first of them, and the other one begins what is written so.
                b'=' | b'%' => keyword.extend(format!("%{byte:02X}").into_bytes()),
                _ => keyword.push(byte),
            }
        }
        records.add_bytes(&keyword, value);
    }
    if let Some(flags) = &node.flags {
        records.add("SCHILY.fflags", flags.as_bytes());
    }
}

/// Records of a pax extended header.
#[derive(Default)]
struct Records {
    bytes: Vec<u8>,
    /// A name among them is not UTF-8, as POSIX wants it.
    binary: bool,
}

impl Records {
    fn add(&mut self, keyword: &str, value: &[u8]) {
        self.add_bytes(keyword.as_bytes(), value);
    }

    fn add_bytes(&mut self, keyword: &[u8], value: &[u8]) {
        self.bytes.extend(record(keyword, value));
    }

    fn name(&mut self, keyword: &str, name: &[u8]) {
        self.binary |= std::str::from_utf8(name).is_err();
        self.add(keyword, name);
    }

    /// What the field gets; a number that it cannot hold becomes a record.
    fn number(&mut self, keyword: &str, number: u64, most: u64) -> u64 {
        if number > most {
            self.add(keyword, number.to_string().as_bytes());
        }
        number.min(most)
    }

    /// What the field gets; fractions of seconds, and times that it cannot hold, become a record.
    fn time(&mut self, (seconds, nanos): (i64, u32)) -> u64 {
        let whole = u64::try_from(seconds).unwrap_or(0).min(SIZE);
        if nanos > 0 || whole.cast_signed() != seconds {
            self.add("mtime", decimal(seconds, nanos).as_bytes());
        }
        whole
    }

    fn write(mut self, out: &mut Vec<u8>) {
        if self.bytes.is_empty() {
            return;
        }
        if self.binary {
            let mut all = record(b"hdrcharset", b"BINARY");
            all.append(&mut self.bytes);
            self.bytes = all;
        }
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::XHeader);
        let name = b"PaxHeaders.0/entry";
        field(&mut header).name[..name.len()].copy_from_slice(name);
        header.set_mode(0o600);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(self.bytes.len() as u64);
        header.set_cksum();
        out.extend_from_slice(header.as_bytes());
        out.append(&mut self.bytes);
        pad(out);
    }
}

/// Seconds as a decimal fraction; below zero the fraction goes the other way.
fn decimal(seconds: i64, nanos: u32) -> String {
    if seconds < 0 && nanos > 0 {
        let (whole, part) = (i128::from(seconds) + 1, 1_000_000_000 - nanos);
        return format!("-{}.{part:09}", -whole);
    }
    format!("{seconds}.{nanos:09}")
}

/// `LENGTH KEYWORD=VALUE\n`, where LENGTH counts itself.
fn record(keyword: &[u8], value: &[u8]) -> Vec<u8> {
    let rest = keyword.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    [length.to_string().as_bytes(), b" ", keyword, b"=", value, b"\n"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_counts_its_own_length() {
        assert_eq!(record(b"path", b"good"), b"13 path=good\n");
        for value in 0..2000 {
            let record = record(b"k", &vec![b'x'; value]);
            assert!(record.starts_with(format!("{} ", record.len()).as_bytes()), "{value}");
        }
    }

    #[test]
    fn times_before_the_epoch_have_a_fraction_of_their_own() {
        assert_eq!(decimal(12, 5), "12.000000005");
        assert_eq!(decimal(-1, 750_000_000), "-0.250000000");
        assert_eq!(decimal(-2, 0), "-2.000000000");
    }
}
