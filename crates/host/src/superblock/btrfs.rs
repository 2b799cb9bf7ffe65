//! Btrfs' superblock; source: `struct btrfs_super_block` in include/uapi/linux/btrfs_tree.h of Linux. It is replaced as
//! a whole, so it has nothing to say about being unmounted in order.

use qchroot_api::DiskFs;

use super::fields::Fields;
use super::{Content, Superblock, block_size, crc32c, judged};

const OFFSET: usize = 64 << 10;
const LENGTH: usize = 4096;
const MAGIC: &[u8] = b"_BHRfS_M";
/// The first field is the checksum of the rest.
const CHECKSUM_LENGTH: usize = 32;
/// `dev_item.bytes_used`: what was given to files and to tables, taken or not.
const DEVICE_BYTES_USED: usize = 0xC9 + 16;
/// The checksum that mkfs.btrfs(8) chooses.
const CRC32C: u16 = 0;

/// What the start of a disk says if it is Btrfs.
pub(super) fn read(start: &[u8]) -> Option<Content> {
    let fields = Fields(Fields(start).slice(OFFSET, LENGTH)?);
    (fields.slice(0x40, MAGIC.len())? == MAGIC).then(|| judged(DiskFs::Btrfs, parse(fields)))
}

fn parse(fields: Fields<'_>) -> Result<Superblock, &'static str> {
    const SHORT: &str = "it is cut short";
    let sum = fields.0.get(CHECKSUM_LENGTH..).map(|rest| crc32c(&[rest]));
    if fields.le16(0xC4) == Some(CRC32C) && fields.le32(0) != sum {
        return Err("its checksum is wrong");
    }
    if fields.le64(0x88) != Some(1) {
        return Err("it is only one of several devices");
    }
    let sector = block_size(fields.le32(0x90).ok_or(SHORT)?, 4096, 65536)?;
    let (length, used) = (fields.le64(0x70).ok_or(SHORT)?, fields.le64(0x78).ok_or(SHORT)?);
    if length < u64::from(sector) || used > length {
        return Err("its figures contradict each other");
    }
    let idle = fields.le64(DEVICE_BYTES_USED).ok_or(SHORT)?.saturating_sub(used);
    let kept = idle.min(set_apart(length)).min(length - used);
    Ok(Superblock { fs: DiskFs::Btrfs, length, free: length - used, kept, clean: true, sector: 4096 })
}

/// What its own tables are given when it is made, twice: a twentieth within bounds, and 8 MiB for the map of it all.
fn set_apart(length: u64) -> u64 {
    2 * ((length / 20).clamp(32 << 20, 256 << 20) + (8 << 20))
}
