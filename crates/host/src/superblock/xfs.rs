//! XFS' superblock; source: `struct xfs_dsb` in fs/xfs/libxfs/xfs_format.h of Linux. It does not say whether it was
//! unmounted in order: its log does, and the kernel replays that.

use qchroot_api::DiskFs;

use super::fields::Fields;
use super::{Content, Superblock, block_size, bytes, crc32c, judged};

const MAGIC: &[u8] = b"XFSB";
/// Where `sb_crc` is: the only number in it that is little-endian.
const CHECKSUM: usize = 224;

/// What the start of a disk says if it is XFS.
pub(super) fn read(start: &[u8]) -> Option<Content> {
    start.starts_with(MAGIC).then(|| judged(DiskFs::Xfs, parse(Fields(start))))
}

fn parse(fields: Fields<'_>) -> Result<Superblock, &'static str> {
    const SHORT: &str = "it is cut short";
    let sector = fields.be16(102).ok_or(SHORT)?;
    let sector = block_size(sector.into(), 512, 32768)?;
    if fields.be16(100).ok_or(SHORT)? & 0xF == 5 && fields.le32(CHECKSUM) != checksum(fields, sector) {
        return Err("its checksum is wrong");
    }
    let block = block_size(fields.be32(4).ok_or(SHORT)?, 512, 65536)?;
    let (blocks, free) = (fields.be64(8).ok_or(SHORT)?, fields.be64(144).ok_or(SHORT)?);
    if free > blocks || sector > block {
        return Err("its figures contradict each other");
    }
    Ok(Superblock {
        fs: DiskFs::Xfs,
        length: bytes(blocks, block)?,
        free: free.saturating_sub(reserve_blocks(blocks)).saturating_mul(block.into()),
        kept: 0,
        clean: true,
        sector: sector.min(4096),
    })
}

/// `xfs_default_resblks()` in fs/xfs/xfs_mount.c: what the kernel takes for itself at each mount, 5 %, at most 8192.
fn reserve_blocks(blocks: u64) -> u64 {
    (blocks / 20).min(8192)
}

/// Of the sector, the sum's own field taken as zero.
fn checksum(fields: Fields<'_>, sector: u32) -> Option<u32> {
    let sector = fields.slice(0, usize::try_from(sector).ok()?)?;
    let (before, after) = (sector.get(..CHECKSUM)?, sector.get(CHECKSUM + 4..)?);
    Some(crc32c(&[before, &[0; 4], after]))
}
