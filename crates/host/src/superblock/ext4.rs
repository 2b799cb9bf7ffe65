//! ext4's superblock; source: `struct ext4_super_block` and the flags beside it in fs/ext4/ext4.h of Linux. ext2 and
//! ext3 have the same and are mounted as ext4.

use qchroot_api::DiskFs;

use super::fields::Fields;
use super::{Content, Superblock, block_size, bytes, crc32c, judged};

const OFFSET: usize = 1024;
const LENGTH: usize = 1024;
const MAGIC: u16 = 0xEF53;
/// Where `s_checksum` is, the last field.
const CHECKSUM: usize = 0x3FC;

const STATE_VALID: u16 = 1;
const STATE_ERROR: u16 = 2;
const INCOMPAT_RECOVER: u32 = 0x4;
const INCOMPAT_JOURNAL_DEVICE: u32 = 0x8;
const INCOMPAT_EXTENTS: u32 = 0x40;
const INCOMPAT_64BIT: u32 = 0x80;
const RO_COMPAT_CHECKSUMS: u32 = 0x400;

/// What the start of a disk says if it is ext4.
pub(super) fn read(start: &[u8]) -> Option<Content> {
    let fields = Fields(Fields(start).slice(OFFSET, LENGTH)?);
    (fields.le16(0x38)? == MAGIC).then(|| judged(DiskFs::Ext4, parse(fields)))
}

fn parse(fields: Fields<'_>) -> Result<Superblock, &'static str> {
    let u32_at = |offset| fields.le32(offset).ok_or("it is cut short");
    let incompatible = u32_at(0x60)?;
    if incompatible & INCOMPAT_JOURNAL_DEVICE != 0 {
        return Err("it is the journal of another file system");
    }
    if u32_at(0x64)? & RO_COMPAT_CHECKSUMS != 0 && u32_at(CHECKSUM)? != checksum(fields.0) {
        return Err("its checksum is wrong");
    }
    let block = block_size(1024_u32.checked_shl(u32_at(0x18)?).unwrap_or(0), 1024, 65536)?;
    let high = |offset| if incompatible & INCOMPAT_64BIT != 0 { u32_at(offset) } else { Ok(0) };
    let wide = |low, upper: usize| Ok::<_, &str>(u64::from(u32_at(low)?) | u64::from(high(upper)?) << 32);
    let (blocks, free) = (wide(0x04, 0x150)?, wide(0x0C, 0x158)?);
    if free > blocks || u32_at(0x20)? == 0 || u32_at(0x28)? == 0 {
        return Err("its figures contradict each other");
    }
    let state = fields.le16(0x3A).ok_or("it is cut short")?;
    let kept = if incompatible & INCOMPAT_EXTENTS != 0 { kept_blocks(blocks).min(free) } else { 0 };
    Ok(Superblock {
        fs: DiskFs::Ext4,
        length: bytes(blocks, block)?,
        free: free.saturating_mul(block.into()),
        kept: kept.saturating_mul(block.into()),
        clean: state & STATE_VALID != 0 && state & STATE_ERROR == 0 && incompatible & INCOMPAT_RECOVER == 0,
        sector: block.min(4096),
    })
}

/// `ext4_calculate_resv_clusters()` in fs/ext4/super.c: 2 %, at most 4096.
fn kept_blocks(blocks: u64) -> u64 {
    (blocks / 50).min(4096)
}

/// The kernel stores the sum without the inversion at its end.
fn checksum(superblock: &[u8]) -> u32 {
    !crc32c(&[superblock.get(..CHECKSUM).unwrap_or_default()])
}
