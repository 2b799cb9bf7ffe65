//! ext4 by the programs of e2fsprogs, which work on the file itself: no device is needed.

use std::fs::File;
use std::os::unix::fs::FileExt;

use camino::Utf8Path;
use crc::{CRC_32_ISCSI, Crc};
use qchroot_api::Result;

use super::file_system::FileSystem;
use super::measure::Need;
use super::{identity, tools};
use crate::errors::OrError;

const MIB: u64 = 1 << 20;

/// Bytes that one group of blocks covers.
const GROUP: u64 = 128 * MIB;

/// Inodes of a group: one for each 8 KiB. Groups that are added by growing have as many as the first.
const INODES: u64 = 16384;

/// Room is kept for the block descriptors of a disk of this size, so that growing up to it moves nothing.
const GROWS_TO: u64 = 1 << 40;

/// What is not left to the host's mke2fs.conf(5). With a seed of its own for checksums, another UUID costs nothing.
const FEATURES: &str = "none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,64bit,flex_bg,sparse_super,\
     large_file,huge_file,dir_nlink,extra_isize,metadata_csum,metadata_csum_seed";

/// See the module.
pub(super) struct Ext4;

impl FileSystem for Ext4 {
    fn length_for(&self, need: &Need) -> u64 {
        let content = need.bytes + need.bytes / 20 + 2 * MIB;
        let tables = content / 24 + need.files * 256 + 2 * MIB;
        (content + tables + journal(content + tables)).next_multiple_of(MIB)
    }

    fn make(&self, new: &Utf8Path, length: u64, need: &Need) -> Result<()> {
        let inodes = inodes(length).max(need.files + need.files / 16 + 64);
        let (journal, inodes) = (format!("size={}", journal(length) / MIB), inodes.to_string());
        // A file of holes needs no zeros: what mkfs puts off, the kernel punches out again where nothing is.
        let extended = format!(
            "nodiscard,lazy_itable_init=1,lazy_journal_init=1,root_owner=0:0,resize={}",
            GROWS_TO.max(2 * length) / 4096
        );
        let words = [
            "mkfs.ext4",
            "-q",
            "-F",
            "-b",
            "4096",
            "-I",
            "256",
            "-m",
            "0",
            "-N",
            &inodes,
            "-J",
            &journal,
            "-O",
            FEATURES,
            "-E",
            &extended,
            new.as_str(),
        ];
        tools::run_well(&tools::command(&words)).map(drop)
    }

    fn renew(&self, copy: &Utf8Path, grows: bool) -> Result<()> {
        // Growing writes the other copies of the superblock anew.
        if grows && set_uuid(copy)? {
            return Ok(());
        }
        tools::run_well(&tools::command(&["tune2fs", "-U", "random", copy.as_str()])).map(drop)
    }

    fn grow(&self, file: &Utf8Path, _length: u64, reserve: bool) -> Result<()> {
        // It refuses disks that were mounted after they were last looked at by e2fsck(8), unless forced to.
        let mut command = tools::command(&["resize2fs", "-f", file.as_str()]);
        if reserve {
            // Otherwise the kernel fills new tables with zeros when it is first mounted, by giving space back.
            command.env.push(("RESIZE2FS_FORCE_ITABLE_INIT".into(), "1".into()));
        }
        tools::run_well(&command)
            .map(drop)
            .map_err(|error| error.while_doing(format!("cannot grow the file system of {file}")))
    }

    fn grows_in_place(&self) -> bool {
        false
    }
}

/// Bytes of the journal: what is given to a container is first of all for its files.
fn journal(length: u64) -> u64 {
    match length / MIB {
        0..64 => 4 * MIB,
        64..512 => 8 * MIB,
        512..2048 => 16 * MIB,
        2048..16384 => 64 * MIB,
        _ => 256 * MIB,
    }
}

fn inodes(length: u64) -> u64 {
    match length / GROUP {
        // A small disk has as many in its one group as it would have in a whole one, where there is room.
        0 => INODES.min(length / 2048),
        groups => (groups + 1) * INODES,
    }
}

/// Where the superblock is, and its fields; ext4(5) and the kernel's documentation of its disk layout.
const SUPERBLOCK: u64 = 1024;
const MAGIC: usize = 0x38;
const INCOMPATIBLE: usize = 0x60;
const UUID: usize = 0x68;
const CHECKSUM: usize = 0x3FC;
const CHECKSUM_SEED: u32 = 0x2000;

/// Writes a new UUID into the first superblock; false where other checksums depend on it.
fn set_uuid(name: &Utf8Path) -> Result<bool> {
    let message = || format!("cannot give {name} a UUID");
    let file = File::options().read(true).write(true).open(name).or_error(message)?;
    let mut block = [0_u8; 1024];
    file.read_exact_at(&mut block, SUPERBLOCK).or_error(message)?;
    let incompatible = u32::from_le_bytes([0, 1, 2, 3].map(|n| block[INCOMPATIBLE + n]));
    if block[MAGIC..MAGIC + 2] != [0x53, 0xEF] || incompatible & CHECKSUM_SEED == 0 {
        return Ok(false);
    }
    block[UUID..UUID + 16].copy_from_slice(&identity::uuid(message)?);
    // The kernel's crc32c is not inverted at its end.
    let checksum = !Crc::<u32>::new(&CRC_32_ISCSI).checksum(&block[..CHECKSUM]);
    block[CHECKSUM..].copy_from_slice(&checksum.to_le_bytes());
    file.write_all_at(&block, SUPERBLOCK).or_error(message)?;
    Ok(true)
}
