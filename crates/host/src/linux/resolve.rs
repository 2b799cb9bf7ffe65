//! Paths resolved beneath a root by openat2(2). It does not know what the root is.

use camino::Utf8Path;
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags, ResolveFlags, openat, openat2};
use rustix::io::Errno;

/// Finds `path` as a process whose root is `root` would, without magic links.
pub(crate) fn in_root(root: &OwnedFd, path: &Utf8Path, follow_last: bool) -> Result<OwnedFd, Errno> {
    let nofollow = if follow_last { OFlags::empty() } else { OFlags::NOFOLLOW };
    let flags = OFlags::PATH | OFlags::CLOEXEC | nofollow;
    loop {
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        match openat2(root, path.as_str(), flags, Mode::empty(), resolve) {
            // A rename somewhere on the machine met a `..` on the way; openat2(2) says to try again.
            Err(Errno::AGAIN | Errno::INTR) => {}
            result => return result,
        }
    }
}

/// Opens the file that a descriptor made with `O_PATH` names.
pub(crate) fn reopen(fd: &OwnedFd, flags: OFlags) -> Result<OwnedFd, Errno> {
    use rustix::fd::AsRawFd;
    openat(
        rustix::fs::CWD,
        format!("/proc/self/fd/{}", fd.as_raw_fd()),
        flags | OFlags::CLOEXEC,
        Mode::empty(),
    )
}
