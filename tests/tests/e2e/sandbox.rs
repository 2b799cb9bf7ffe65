//! Sandboxes, as the kernel shows them to the host: who holds the lock beside a container's root, and who shares his
//! process namespace.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;

/// The init of the sandbox with this lock file.
pub fn holder(lock: &Path) -> Option<i32> {
    let file = File::open(lock).ok()?;
    let mut asked = libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    };
    fcntl(&file, FcntlArg::F_GETLK(&mut asked)).unwrap();
    (asked.l_type != libc::F_UNLCK as libc::c_short).then_some(asked.l_pid)
}

/// The process namespaces of the sandboxes of containers in `lib`.
pub fn namespaces(lib: &Path) -> Vec<PathBuf> {
    let containers = fs::read_dir(lib).into_iter().flatten().flatten();
    containers.filter_map(|entry| namespace(holder(&entry.path().join("root.init"))?)).collect()
}

/// The process namespace of a process.
pub fn namespace(pid: i32) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/ns/pid")).ok()
}
