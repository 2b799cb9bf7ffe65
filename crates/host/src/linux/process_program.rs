//! This program's own file, in a form that a container cannot change. Whoever executes a script that names
//! `/proc/self/exe` as its interpreter holds that very file for a moment, with all the rights that root has inside: it
//! could be given a set-id bit, or other contents later. It does not know what runs inside.

use std::convert::Infallible;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use nix::libc;
use rustix::fs::{AtFlags, CWD, StatVfsMountFlags, fstatvfs};
use rustix::mount::{OpenTreeFlags, open_tree};

/// By this name a process opens the file that it was executed from.
const OWN: &str = "/proc/self/exe";

/// This program's file, to be executed for as long as this is kept.
pub(crate) struct OwnProgram(Option<OwnedFd>);

impl OwnProgram {
    /// On a mount of its own that cannot be written through, where this kernel makes such: open_tree(2) since Linux
    /// 5.2, mount_setattr(2) since 5.12.
    pub(crate) fn find() -> Self {
        Self(read_only().ok())
    }

    /// As it lies there: for what lets no container's program run.
    pub(crate) fn as_it_is() -> Self {
        Self(None)
    }

    /// A path for execve(2) in this process and its children.
    pub(crate) fn path(&self) -> PathBuf {
        self.0.as_ref().map_or(OWN.into(), |file| format!("/proc/self/fd/{}", file.as_raw_fd()).into())
    }
}

fn read_only() -> io::Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let file = open_tree(CWD, OWN, flags)?;
    // SAFETY: a structure of four numbers, for which zero means: nothing is changed.
    let mut attributes: libc::mount_attr = unsafe { std::mem::zeroed() };
    attributes.attr_set = libc::MOUNT_ATTR_RDONLY;
    // SAFETY: the path is empty and ends in a zero byte; the structure lives until the call returns.
    let set = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            file.as_raw_fd(),
            c"".as_ptr(),
            AtFlags::EMPTY_PATH.bits(),
            &raw const attributes,
            size_of::<libc::mount_attr>(),
        )
    };
    nix::errno::Errno::result(set)?;
    if is_read_only(&file)? { Ok(file) } else { Err(io::ErrorKind::Unsupported.into()) }
}

fn is_read_only(file: &OwnedFd) -> io::Result<bool> {
    Ok(fstatvfs(file)?.f_flag.contains(StatVfsMountFlags::RDONLY))
}

/// Executes this program again, from a file that cannot be changed through it, with the same words and environment;
/// returns where that was done before, or cannot be done.
pub(crate) fn protect() -> io::Result<()> {
    let own = File::open(OWN)?;
    if is_read_only(&own.into())? {
        return Ok(());
    }
    let file = read_only()?;
    let Err(error) = again(&OwnProgram(Some(file)));
    Err(error)
}

fn again(program: &OwnProgram) -> io::Result<Infallible> {
    let mut words = std::env::args_os();
    #[expect(clippy::disallowed_methods, reason = "this program itself, by its own file")]
    let mut command = Command::new(program.path());
    if let Some(own) = words.next() {
        command.arg0(own);
    }
    Err(command.args(words).exec())
}
