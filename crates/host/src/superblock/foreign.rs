//! Names what else a file can hold than a disk of ours, for a message. It is sure of nothing more than the name.

use super::fields::Fields;

/// Name, offset and the bytes that are there; sources: each format's own description.
const KNOWN: [(&str, usize, &[u8]); 13] = [
    ("a qcow2 image", 0, b"QFI\xfb"),
    ("a VMDK image", 0, b"KDMV"),
    ("a LUKS volume", 0, b"LUKS\xba\xbe"),
    ("squashfs", 0, b"hsqs"),
    ("a gzip archive", 0, b"\x1f\x8b"),
    ("an xz archive", 0, b"\xfd7zXZ\0"),
    ("a zstd archive", 0, b"\x28\xb5\x2f\xfd"),
    ("NTFS", 3, b"NTFS    "),
    ("a tar archive", 257, b"ustar"),
    ("a GPT partition table", 512, b"EFI PART"),
    ("f2fs", 1024, b"\x10\x20\xf5\xf2"),
    ("swap space", 4086, b"SWAPSPACE2"),
    ("iso9660", 32769, b"CD001"),
];

/// What a file starts with, if it is something well-known.
pub(super) fn name(start: &[u8]) -> Option<&'static str> {
    let fields = Fields(start);
    let is_there =
        |(_, offset, bytes): &&(_, usize, &[u8])| fields.slice(*offset, bytes.len()) == Some(*bytes);
    let known = KNOWN.iter().find(is_there).map(|(name, ..)| *name);
    known.or_else(|| boot_sector(fields))
}

/// A FAT file system names itself in its boot sector; what else ends in this signature is a table of partitions.
fn boot_sector(fields: Fields<'_>) -> Option<&'static str> {
    (fields.slice(510, 2)? == b"\x55\xaa").then(|| match (fields.slice(54, 3), fields.slice(82, 3)) {
        (Some(b"FAT"), _) | (_, Some(b"FAT")) => "FAT",
        _ => "an MBR partition table",
    })
}
