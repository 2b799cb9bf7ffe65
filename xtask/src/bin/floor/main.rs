//! The least that the kernel needs for what qchroot does: the same system calls and nothing around them.
//! Measurements of qchroot are ratios to this, taken in the same run.
//!
//! `floor exec ROOT` enters ROOT in a mount namespace of its own and runs /bin/true there.
//! `floor disk IMAGE ROOT` attaches the ext4 in a file to a loop device, which goes with its mount, and mounts it.
//! `floor start FILE ROOT OVERLAY` starts a sandbox with namespaces of its own and writes its process number to FILE.
//! `floor join FILE` runs /bin/true in the last one that FILE tells of.
//! `floor many FILE COUNT ABOVE BASE` starts COUNT sandboxes in ABOVE/1 and so on.
//! `floor mounts ROOT FS:TARGET:OPTIONS…` mounts each beneath ROOT, runs /bin/true in ROOT, and unmounts.

mod sandbox;

use std::error::Error;
use std::ffi::CString;
use std::fs::OpenOptions;
use std::os::fd::AsRawFd;
use std::process::ExitCode;

use nix::errno::Errno;
use nix::libc;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, chdir, chroot, execv, fork};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const NONE: Option<&str> = None;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["exec", root] => in_child(|| enter_own_namespace(root)),
        ["disk", image, root] => mount_disk(image, root),
        ["start", file, root, overlay] => sandbox::start(file, root, overlay),
        ["join", file] => sandbox::join(file),
        ["many", file, count, above, base] => {
            count.parse().map_err(Into::into).and_then(|count| sandbox::many(file, count, above, base))
        }
        ["mounts", root, ref mounts @ ..] => around_mounts(root, mounts),
        _ => Err("usage: see the first lines of its source".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&*error),
    }
}

#[expect(clippy::print_stderr, reason = "a program for a terminal")]
fn fail(error: &dyn Error) -> ExitCode {
    eprintln!("floor: {error}");
    ExitCode::FAILURE
}

/// Runs `work`, which does not return when it succeeds, in a child, and waits for it.
fn in_child(work: impl FnOnce() -> Result<()>) -> Result<()> {
    // SAFETY: this program has one thread, so the child may do everything its parent may.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => match waitpid(child, None)? {
            WaitStatus::Exited(_, 0) => Ok(()),
            status => Err(format!("the child ended with {status:?}").into()),
        },
        ForkResult::Child => {
            let code = work().err().map_or(ExitCode::SUCCESS, |error| fail(&*error));
            std::process::exit(i32::from(code != ExitCode::SUCCESS));
        }
    }
}

fn enter_own_namespace(root: &str) -> Result<()> {
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE)?;
    mount(Some(root), root, NONE, MsFlags::MS_BIND, NONE)?;
    run_true(root)
}

fn run_true(root: &str) -> Result<()> {
    chroot(root)?;
    chdir("/")?;
    let program = CString::new("/bin/true")?;
    execv(&program, std::slice::from_ref(&program)).map(drop).map_err(Into::into)
}

fn around_mounts(root: &str, mounts: &[&str]) -> Result<()> {
    let mut made = Vec::new();
    let mut done = mounts.iter().try_for_each(|wish| {
        made.push(mount_one(root, wish)?);
        Ok(())
    });
    if done.is_ok() {
        done = in_child(|| run_true(root));
    }
    for target in made.iter().rev() {
        umount2(target.as_str(), MntFlags::empty()).map_err(|e| format!("cannot unmount {target}: {e}"))?;
    }
    done
}

/// loop(4): a free device, the file, and the flag that detaches it after its last use.
fn mount_disk(image: &str, root: &str) -> Result<()> {
    const LOOP_SET_FD: libc::c_ulong = 0x4C00;
    const LOOP_SET_STATUS64: libc::c_ulong = 0x4C04;
    const LOOP_CTL_GET_FREE: libc::c_ulong = 0x4C82;
    let (read_write, control) =
        (|path: &str| OpenOptions::new().read(true).write(true).open(path), "/dev/loop-control");
    let (control, file) = (read_write(control)?, read_write(image)?);
    // SAFETY: a request without an argument.
    let number = Errno::result(unsafe { libc::ioctl(control.as_raw_fd(), LOOP_CTL_GET_FREE) })?;
    let device = format!("/dev/loop{number}");
    let disk = read_write(&device)?;
    // SAFETY: the argument is an open descriptor.
    Errno::result(unsafe { libc::ioctl(disk.as_raw_fd(), LOOP_SET_FD, file.as_raw_fd()) })?;
    // `struct loop_info64` of <linux/loop.h>: 232 bytes, with LO_FLAGS_AUTOCLEAR in `lo_flags` at 52.
    let mut info = [0_u64; 29];
    info[6] = 4 << 32;
    // SAFETY: the argument is as long as the structure that the request reads.
    Errno::result(unsafe { libc::ioctl(disk.as_raw_fd(), LOOP_SET_STATUS64, info.as_ptr()) })?;
    mount(Some(device.as_str()), root, Some("ext4"), MsFlags::empty(), NONE)?;
    Ok(())
}

fn mount_one(root: &str, wish: &str) -> Result<String> {
    let mut parts = wish.splitn(3, ':');
    let (Some(fs), Some(target)) = (parts.next(), parts.next()) else {
        return Err(format!("{wish}: not FS:TARGET:OPTIONS").into());
    };
    let target = if target.is_empty() { root.to_owned() } else { format!("{root}/{target}") };
    mount(Some(fs), target.as_str(), Some(fs), MsFlags::empty(), parts.next())
        .map_err(|e| format!("cannot mount {fs} on {target}: {e}"))?;
    Ok(target)
}
