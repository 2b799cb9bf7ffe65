//! A `/dev` that holds what programs need and nothing of the host's hardware.

use qchroot_api::{Error, Result};
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::fs::{FileType, Mode, OFlags, makedev, mkdirat, mknodat, openat, symlinkat};
use rustix::mount::MountAttrFlags;

use super::file_system::{RESTRICTED, attach, directory, needed, new};
use crate::errors::OrError;

/// Character devices: name and numbers; the kernel's list of allocated devices.
const NODES: [(&str, u32, u32); 6] =
    [("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0)];

/// Names for what is elsewhere.
const LINKS: [(&str, &str); 5] = [
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
];

/// Where others are mounted.
const DIRECTORIES: [&str; 3] = ["pts", "shm", "mqueue"];

/// What the directory itself may take, whose files are names only; sockets such as `/dev/log` have their place.
const SIZE: &str = "1m";

/// Mounts it beneath `root`, with so many bytes of shared memory.
pub(super) fn mount(root: BorrowedFd<'_>, shared_memory: u64) -> Result<()> {
    let exec = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    let dev = needed("tmpfs", &[("size", SIZE), ("mode", "755")], exec)?;
    fill(&dev).map_err(|error| error.while_doing("cannot make /dev inside"))?;
    attach(&dev, directory(root, "/dev")?, "/dev")?;
    // Group 5 is `tty` in every Linux userland; grantpt(3) wants its terminals so.
    let options = [("newinstance", ""), ("ptmxmode", "0666"), ("mode", "620"), ("gid", "5")];
    attach(&needed("devpts", &options, exec)?, directory(root, "/dev/pts")?, "/dev/pts")?;
    let size = shared_memory.to_string();
    let memory = needed("tmpfs", &[("size", &size), ("mode", "1777")], RESTRICTED)?;
    attach(&memory, directory(root, "/dev/shm")?, "/dev/shm")?;
    match new("mqueue", &[], RESTRICTED)? {
        Some(queues) => attach(&queues, directory(root, "/dev/mqueue")?, "/dev/mqueue"),
        None => Ok(()),
    }
}

/// Nobody sees it yet.
fn fill(dev: &OwnedFd) -> Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let dev = openat(dev, ".", flags, Mode::empty()).or_error(|| "cannot open it".into())?;
    rustix::process::umask(Mode::empty());
    for (name, major, minor) in NODES {
        let mode = Mode::from_raw_mode(0o666);
        mknodat(&dev, name, FileType::CharacterDevice, mode, makedev(major, minor))
            .map_err(|error| without_nodes(error, name))?;
    }
    for (name, target) in LINKS {
        symlinkat(target, &dev, name).or_error(|| format!("cannot make link {name}"))?;
    }
    for name in DIRECTORIES {
        mkdirat(&dev, name, Mode::from_raw_mode(0o755))
            .or_error(|| format!("cannot make directory {name}"))?;
    }
    Ok(())
}

fn without_nodes(error: rustix::io::Errno, name: &str) -> Error {
    Error::from_io(&error.into(), format!("cannot make device {name}"))
        .hint("it takes CAP_MKNOD; inside another container, that one must be allowed to make devices")
}
