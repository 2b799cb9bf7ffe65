//! What a process takes on and gives up on its way inside: root, signals, descriptors; the rest, and the order of all,
//! is in `rules`. It does not know which program it does that for.

use std::os::fd::{AsFd, BorrowedFd};

use camino::Utf8Path;
use nix::libc;
use nix::sys::signal::{SigSet, SigmaskHow, pthread_sigmask};
use qchroot_api::{Error, ErrorKind, Result};
use rustix::fs::{FileType, Mode, OFlags, fstat, open};
use rustix::process::{chdir, chroot, fchdir};

use super::kernel;
use crate::errors::OrError;

/// Makes the directory behind `root` this process' root, and goes to `directory` in it, or to `/`. Where the kernel wants
/// no directory to be open then, only the descriptors `keep` stay open above 2, and whoever owned another must not drop
/// it any more.
pub(super) fn enter_root(root: BorrowedFd<'_>, directory: &Utf8Path, keep: &[i32]) -> Result<()> {
    let failed = || "cannot change the root directory".to_owned();
    fchdir(root).or_error(failed)?;
    kernel::before_chroot(keep)?;
    chroot(".").and_then(|()| chdir("/")).or_error(failed)?;
    let _ = chdir(directory.as_str());
    Ok(())
}

/// All signals do what they do by default.
pub(super) fn default_actions() {
    for signal in 1..=kernel::LAST_SIGNAL {
        // SAFETY: SIG_DFL runs no code of ours. Numbers that cannot be changed are refused and stay as they are.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
}

/// No signal is blocked any more.
pub(super) fn unblock_signals() -> Result<()> {
    pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)
        .or_error(|| "cannot unblock signals".into())
}

/// Moves the descriptors `keep` to 3, 4 … in this order, to be closed by exec(2), and closes all others above 2.
/// Whoever owned one must not drop it any more.
pub(super) fn close_others(keep: &[i32]) -> Result<()> {
    let failed = || "cannot close descriptors".to_owned();
    let first = 3 + i32::try_from(keep.len()).unwrap_or(0);
    let mut high = vec![];
    for &fd in keep {
        // SAFETY: plain descriptor numbers; nothing in this process uses the old ones after this function.
        let moved = unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, first) };
        high.push(nix::errno::Errno::result(moved).or_error(failed)?);
    }
    for (to, from) in (3..).zip(high) {
        // SAFETY: as above.
        let moved = unsafe { libc::dup3(from, to, libc::O_CLOEXEC) };
        nix::errno::Errno::result(moved).or_error(failed)?;
    }
    // SAFETY: as above.
    let closed = unsafe { libc::close_range(first as u32, u32::MAX, 0) };
    nix::errno::Errno::result(closed).or_error(failed).map(drop)
}

/// Closes every descriptor from `first` on but those in `keep`, which stay where they are. Whoever owned another must
/// not use or drop it any more.
pub(super) fn close_all_but(keep: &[i32], mut first: u32) -> Result<()> {
    let mut keep: Vec<u32> = keep.iter().filter_map(|&fd| u32::try_from(fd).ok()).collect();
    keep.sort_unstable();
    for (last, next) in keep.iter().map(|&fd| (fd.checked_sub(1), fd + 1)).chain([(Some(u32::MAX), first)]) {
        if let Some(last) = last.filter(|&last| first <= last) {
            // SAFETY: plain descriptor numbers; nothing in this process uses those that are closed.
            let closed = unsafe { libc::close_range(first, last, 0) };
            nix::errno::Errno::result(closed).or_error(|| "cannot close descriptors".into())?;
        }
        first = first.max(next);
    }
    Ok(())
}

/// Puts descriptors in the place of standard input, output and error; `None` leaves one as it is.
pub(super) fn set_stdio(stdio: [Option<BorrowedFd<'_>>; 3]) -> Result<()> {
    let failed = || "cannot set the standard streams".to_owned();
    let [input, output, error] = stdio;
    input.map_or(Ok(()), rustix::stdio::dup2_stdin).or_error(failed)?;
    output.map_or(Ok(()), rustix::stdio::dup2_stdout).or_error(failed)?;
    error.map_or(Ok(()), rustix::stdio::dup2_stderr).or_error(failed)
}

/// The host's `/dev/null` for all three streams.
pub(super) fn silence() -> Result<()> {
    let null = open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
        .or_error(|| "cannot open /dev/null".into())?;
    set_stdio([Some(null.as_fd()); 3])
}

/// Refuses standard streams through which a program inside could walk out: an open directory is a way out of
/// chroot(2).
pub(super) fn refuse_directories() -> Result<()> {
    let streams = [rustix::stdio::stdin(), rustix::stdio::stdout(), rustix::stdio::stderr()];
    for (number, stream) in streams.into_iter().enumerate() {
        let stat = fstat(stream).or_error(|| format!("cannot look at descriptor {number}"))?;
        if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
            return Err(Error::new(
                ErrorKind::Usage,
                format!("descriptor {number} is a directory of the host's"),
            )
            .hint("a program inside could leave the container through it; redirect from a file"));
        }
    }
    Ok(())
}
