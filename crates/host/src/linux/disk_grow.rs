//! Has the kernel grow mounted file systems, and devices follow the length of their files. It does not know what a disk
//! is for.

use std::fs::File;

use camino::Utf8Path;
use nix::errno::Errno;
use qchroot_api::{DiskFs, Error, ErrorKind, Result};
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::fs::fstatvfs;

use super::{disk, loop_device};
use crate::disk::content;
use crate::superblock::Content;

/// `struct xfs_fsop_geom_v1` of xfs_fs.h.
#[repr(C)]
#[derive(Default)]
struct XfsGeometry {
    block_size: u32,
    /// Realtime extent, allocation groups' size and count, log, sector, inode.
    sizes: [u32; 6],
    inodes_percent: u32,
    blocks: [u64; 4],
    uuid: [u8; 16],
    rest: [u32; 8],
}

/// `struct xfs_growfs_data` of xfs_fs.h.
#[repr(C)]
struct XfsGrow {
    blocks: u64,
    inodes_percent: u32,
}

/// `struct btrfs_ioctl_vol_args` of linux/btrfs.h.
#[repr(C)]
struct BtrfsArguments {
    fd: i64,
    name: [u8; 4088],
}

const _: () = assert!(
    size_of::<XfsGeometry>() == 112 && size_of::<XfsGrow>() == 16 && size_of::<BtrfsArguments>() == 4096
);

nix::ioctl_write_ptr!(ext4_resize, b'f', 16, u64);
nix::ioctl_read!(xfs_geometry, b'X', 100, XfsGeometry);
nix::ioctl_write_ptr!(xfs_grow, b'X', 110, XfsGrow);
nix::ioctl_write_ptr!(btrfs_resize, 0x94, 3, BtrfsArguments);

/// Number of `CAP_SYS_RESOURCE`, without which the kernel grows no ext4; capabilities(7).
const SYS_RESOURCE: u32 = 24;

/// Whether this process may have the kernel grow a file system of this kind.
pub(crate) fn may(fs: DiskFs) -> bool {
    let status = || std::fs::read_to_string("/proc/self/status").ok();
    let effective = |status: String| {
        let line = status.lines().find_map(|line| line.strip_prefix("CapEff:").map(str::to_owned))?;
        u64::from_str_radix(line.trim(), 16).ok()
    };
    match fs {
        DiskFs::Ext4 => status().and_then(effective).is_some_and(|bits| bits >> SYS_RESOURCE & 1 == 1),
        DiskFs::Xfs | DiskFs::Btrfs => true,
        _ => false,
    }
}

/// Mounts a disk where nobody sees it and grows its file system to the length of its file.
pub(crate) fn offline(file: &Utf8Path, fs: DiskFs, length: u64) -> Result<()> {
    let disk = disk::open(file, fs, false)?;
    let grown = grow(disk.root(), fs, length);
    let closed = disk.close();
    grown.and(closed)
}

/// Grows the file system that is mounted on `root` to the new length of its disk's file.
pub(crate) fn online(file: &File, fs: DiskFs, root: &OwnedFd, length: u64) -> Result<()> {
    follow(file)?;
    grow(root, fs, length)
}

/// Bytes of the file system that is mounted on `root` from `device`: after it was grown, its superblock follows when
/// the kernel sees fit.
pub(crate) fn length(fs: DiskFs, root: &OwnedFd, device: &Utf8Path) -> Option<u64> {
    match fs {
        DiskFs::Ext4 => match content::read(device, &File::open(device).ok()?).ok()? {
            Content::Sound(superblock) => Some(superblock.length),
            _ => None,
        },
        DiskFs::Xfs => {
            let geometry = geometry(root.as_raw_fd()).ok()?;
            Some(geometry.blocks[0] * u64::from(geometry.block_size))
        }
        DiskFs::Btrfs => fstatvfs(root).ok().map(|space| space.f_blocks * space.f_frsize),
        _ => None,
    }
}

/// Has the devices that show a file notice its length.
pub(crate) fn follow(file: &File) -> Result<()> {
    loop_device::showing(file)?.into_iter().try_for_each(loop_device::follow_length)
}

fn grow(root: &OwnedFd, fs: DiskFs, length: u64) -> Result<()> {
    let fd = root.as_raw_fd();
    let grown = match fs {
        DiskFs::Ext4 => ext4(fd, length),
        DiskFs::Xfs => xfs(fd, length),
        DiskFs::Btrfs => btrfs(fd),
        _ => Err(Errno::EOPNOTSUPP),
    };
    grown.map_err(|error| refused(fs, error))
}

fn ext4(fd: i32, length: u64) -> Result<(), Errno> {
    let blocks = length / 4096;
    // SAFETY: EXT4_IOC_RESIZE_FS reads one number, which lives until it returns.
    unsafe { ext4_resize(fd, &raw const blocks) }.map(drop)
}

fn geometry(fd: i32) -> Result<XfsGeometry, Errno> {
    let mut geometry = XfsGeometry::default();
    // SAFETY: XFS_IOC_FSGEOMETRY_V1 fills one `struct xfs_fsop_geom_v1`, which lives until it returns.
    unsafe { xfs_geometry(fd, &raw mut geometry) }?;
    Ok(geometry)
}

fn xfs(fd: i32, length: u64) -> Result<(), Errno> {
    let geometry = geometry(fd)?;
    let blocks = length / u64::from(geometry.block_size.max(1));
    let wanted = XfsGrow { blocks, inodes_percent: geometry.inodes_percent };
    // SAFETY: XFS_IOC_FSGROWFSDATA reads one `struct xfs_growfs_data`, which lives until it returns.
    unsafe { xfs_grow(fd, &raw const wanted) }.map(drop)
}

fn btrfs(fd: i32) -> Result<(), Errno> {
    let mut arguments = BtrfsArguments { fd: 0, name: [0; 4088] };
    arguments.name[..3].copy_from_slice(b"max");
    // SAFETY: BTRFS_IOC_RESIZE reads one `struct btrfs_ioctl_vol_args`, which lives until it returns.
    unsafe { btrfs_resize(fd, &raw const arguments) }.map(drop)
}

fn refused(fs: DiskFs, error: Errno) -> Error {
    let built =
        Error::from_io(&error.into(), format!("the kernel does not grow this {fs} while it is mounted"));
    match (fs, error) {
        (DiskFs::Ext4, Errno::EPERM) => built
            .of_kind(ErrorKind::Permission)
            .cause("it grows an ext4 for processes with CAP_SYS_RESOURCE only")
            .with("capability", "CAP_SYS_RESOURCE")
            .hint("stop the container, then resize it: that needs no such capability"),
        _ => built,
    }
}
