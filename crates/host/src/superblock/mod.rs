//! Recognises the file system at the start of a disk by its superblock, and reads its figures. Pure: it opens nothing,
//! believes no number before it was compared with the others, and never says more than the superblock does.

mod btrfs;
mod ext4;
mod fields;
mod foreign;
mod ufs;
mod xfs;

use qchroot_api::DiskFs;

/// How many bytes of a disk's start have all that is looked at here.
pub(crate) const REACH: usize = (64 << 10) + (8 << 10);

/// What the start of a disk says is on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// A file system that is known, with a superblock that is in order.
    Sound(Superblock),
    /// It was this file system, but its superblock is not in order; the text says how.
    Damaged(DiskFs, &'static str),
    /// Something else, by its name.
    Foreign(&'static str),
    /// Nothing that is known.
    Unknown,
}

/// What a superblock says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Superblock {
    /// Its file system.
    pub(crate) fs: DiskFs,
    /// Length of the file system in bytes.
    pub(crate) length: u64,
    /// Bytes that are not taken; the kernel brings this up to date when it unmounts.
    pub(crate) free: u64,
    /// Of these, what no file can have: the kernel keeps it for itself, though statfs(2) says that it is free.
    pub(crate) kept: u64,
    /// Whether it was unmounted in order and knows of no error; true where it does not say.
    pub(crate) clean: bool,
    /// The largest sector in bytes, 512 to 4096, that its device can have.
    pub(crate) sector: u32,
}

/// What is on a disk that starts with these bytes: [`REACH`] of them, or all that it has.
pub(crate) fn recognise(start: &[u8]) -> Content {
    [ext4::read, xfs::read, btrfs::read, ufs::read]
        .iter()
        .find_map(|read| read(start))
        .or_else(|| foreign::name(start).map(Content::Foreign))
        .unwrap_or(Content::Unknown)
}

/// A superblock that is in order, or how it is not.
fn judged(fs: DiskFs, superblock: Result<Superblock, &'static str>) -> Content {
    superblock.map_or_else(|why| Content::Damaged(fs, why), Content::Sound)
}

/// The checksum of all file systems here: CRC-32C.
fn crc32c(parts: &[&[u8]]) -> u32 {
    let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISCSI);
    let mut digest = crc.digest();
    parts.iter().for_each(|part| digest.update(part));
    digest.finalize()
}

/// Bytes in `blocks`, where they can be counted.
fn bytes(blocks: u64, block: u32) -> Result<u64, &'static str> {
    blocks.checked_mul(block.into()).filter(|&bytes| bytes > 0).ok_or("its length is impossible")
}

/// A block size, if it is a power of two in these bounds.
fn block_size(size: u32, least: u32, most: u32) -> Result<u32, &'static str> {
    let fits = size.is_power_of_two() && (least..=most).contains(&size);
    fits.then_some(size).ok_or("its block size is impossible")
}

#[cfg(test)]
mod tests;
