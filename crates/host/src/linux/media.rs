//! Images of removable media, shown through a loop device (loop(4)) and a mount that is attached nowhere
//! (fsmount(2)): no mount table ever has it, and it vanishes with the last descriptor, whatever way the process
//! ends. It does not know what is on an image.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Error, ErrorKind, Result};
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, openat};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsconfig_set_flag, fsconfig_set_string,
    fsmount, fsopen,
};

use super::loop_device::{self, Loop, Shape};
use crate::errors::OrError;

/// Makes `image` readable, with no set-id, device and program in force: the mount, which ends with the descriptor,
/// and the path of its root for as long as that is open in this process.
///
/// # Errors
/// `Unavailable` where this kernel has no loop devices or does not know the file system, `BadData` for what is no
/// image.
pub(crate) fn open(image: &Utf8Path) -> Result<(OwnedFd, Utf8PathBuf)> {
    let message = || format!("cannot open image {image}");
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = openat(CWD, image.as_str(), flags, Mode::empty()).or_error(message)?;
    let stat = fstat(&file).or_error(message)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(Error::new(ErrorKind::BadData, format!("image {image} is not a regular file")));
    }
    let mut file = File::from(file);
    let kinds = file_systems(&mut file).or_error(message)?;
    if kinds.is_empty() {
        let message = format!("{image} has no file system that media have: iso9660, udf or squashfs");
        return Err(Error::new(ErrorKind::BadData, message));
    }
    let shape = Shape { read_only: true, sector: 0, direct: false, seen: false };
    let shown = loop_device::attach(&file, shape).map_err(|error| error.while_doing(message()))?;
    let mut refused = None;
    for kind in kinds {
        match mount(kind, &shown) {
            Ok(tree) => {
                let path = format!("/proc/self/fd/{}", tree.as_raw_fd()).into();
                return Ok((tree, path));
            }
            Err(error) => refused = refused.or(Some(error.while_doing(format!("cannot mount {image}")))),
        }
    }
    Err(refused.unwrap_or_else(|| Error::new(ErrorKind::Internal, message())))
}

/// The file systems that an image has by its magic numbers; sources: ECMA-119 8, ECMA-167 2/9.1, squashfs_fs.h.
fn file_systems(image: &mut File) -> std::io::Result<Vec<&'static str>> {
    let mut start = [0; 4];
    let mut descriptors = vec![0; 16 * 2048];
    let _ = image.read(&mut start)?;
    image.seek(SeekFrom::Start(16 * 2048))?;
    let mut length = 0;
    while let n @ 1.. = image.read(&mut descriptors[length..])? {
        length += n;
    }
    let names: Vec<&[u8]> = descriptors[..length].chunks_exact(2048).map(|block| &block[1..6]).collect();
    let kinds = [
        ("squashfs", &start == b"hsqs"),
        ("iso9660", names.first().is_some_and(|name| name == b"CD001")),
        ("udf", names.iter().any(|name| name == b"NSR02" || name == b"NSR03")),
    ];
    Ok(kinds.iter().filter_map(|&(name, found)| found.then_some(name)).collect())
}

fn mount(kind: &str, shown: &Loop) -> Result<OwnedFd> {
    let context = match fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC) {
        Err(Errno::NODEV) => {
            let message = format!("this kernel does not have the file system {kind}");
            return Err(Error::new(ErrorKind::Unavailable, message));
        }
        context => context.or_error(|| format!("cannot open file system {kind}"))?,
    };
    let message = || format!("the kernel cannot read it as {kind}");
    fsconfig_set_string(&context, "source", shown.path().as_str()).or_error(message)?;
    fsconfig_set_flag(&context, "ro").or_error(message)?;
    fsconfig_create(&context).or_error(message).map_err(|error| error.of_kind(ErrorKind::BadData))?;
    let restrictions = MountAttrFlags::MOUNT_ATTR_RDONLY
        | MountAttrFlags::MOUNT_ATTR_NOSUID
        | MountAttrFlags::MOUNT_ATTR_NODEV
        | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, restrictions).or_error(message)
}
