//! UFS2's superblock; source: `struct fs` in sys/ufs/ffs/fs.h of FreeBSD, on machines that store the lower byte first.

use qchroot_api::DiskFs;

use super::fields::Fields;
use super::{Content, Superblock, block_size, bytes, judged};

/// Where it can be: newfs(8) puts it at the first, makefs(8) at the second.
const OFFSETS: [usize; 2] = [64 << 10, 8 << 10];
const LENGTH: usize = 1376;
const MAGIC: u32 = 0x1954_0119;
/// `fs_flags`: not unmounted in order, and to be checked before it is mounted.
const FLAGS_UNCLEAN: u32 = 0x1 | 0x4;

/// What the start of a disk says if it is UFS2.
pub(super) fn read(start: &[u8]) -> Option<Content> {
    let at = |&offset: &usize| Some((offset, Fields(Fields(start).slice(offset, LENGTH)?)));
    let is_it = |(_, fields): &(usize, Fields<'_>)| fields.le32(1372) == Some(MAGIC);
    let (offset, fields) = OFFSETS.iter().filter_map(at).find(is_it)?;
    Some(judged(DiskFs::Ufs, parse(fields, offset)))
}

fn parse(fields: Fields<'_>, offset: usize) -> Result<Superblock, &'static str> {
    const SHORT: &str = "it is cut short";
    let wide = |at| fields.le64(at).ok_or(SHORT);
    let block = block_size(fields.le32(48).ok_or(SHORT)?, 4096, 65536)?;
    let fragment = block_size(fields.le32(52).ok_or(SHORT)?, 512, block)?;
    let size = wide(1080)?;
    let free = wide(1016)?.saturating_mul((block / fragment).into()).saturating_add(wide(1032)?);
    if wide(1000)? != offset as u64 || free > size || fields.le32(44) == Some(0) {
        return Err("its figures contradict each other");
    }
    let flags = fields.le32(1312).ok_or(SHORT)?;
    Ok(Superblock {
        fs: DiskFs::Ufs,
        length: bytes(size, fragment)?,
        free: free.saturating_mul(fragment.into()),
        kept: 0,
        clean: fields.u8(209).ok_or(SHORT)? != 0 && flags & FLAGS_UNCLEAN == 0,
        sector: fragment.min(4096),
    })
}
