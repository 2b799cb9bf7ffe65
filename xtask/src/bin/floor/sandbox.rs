//! The least that a container in namespaces of its own takes: made, entered, and many of them.

use std::ffi::CString;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::{FromRawFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::libc;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::stat::{Mode, SFlag, makedev, mknod, umask};
use nix::unistd::{
    ForkResult, chdir, dup2_stderr, dup2_stdin, dup2_stdout, execv, fork, pipe2, pivot_root, setsid,
};

use crate::{NONE, Result, in_child, run_true};

/// What a container in namespaces has of its own.
fn all() -> CloneFlags {
    CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWUTS
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWCGROUP
        | CloneFlags::CLONE_NEWNET
}

/// Starts `/bin/busybox sleep` in a sandbox with an overlay for a root, and writes its process number to `file`, one
/// line each.
pub(crate) fn start(file: &str, root: &str, overlay: &str) -> Result<()> {
    let (read, write) = pipe2(OFlag::O_CLOEXEC)?;
    let mut write = Some(File::from(write));
    in_child(|| {
        unshare(all())?;
        // SAFETY: this program has one thread.
        match unsafe { fork() }? {
            ForkResult::Parent { child } => {
                let mut numbers = OpenOptions::new().create(true).append(true).open(file)?;
                writeln!(numbers, "{child}")?;
                Ok(())
            }
            ForkResult::Child => live(root, overlay),
        }
    })?;
    write.take();
    // Its end is the program's beginning: the other side is closed by execve(2).
    let mut words = String::new();
    File::from(read).read_to_string(&mut words)?;
    if words.is_empty() { Ok(()) } else { Err(words.into()) }
}

fn live(root: &str, overlay: &str) -> Result<()> {
    setsid()?;
    // Whoever waits for this program's output must not wait for the sandbox.
    let null = OpenOptions::new().read(true).write(true).open("/dev/null")?;
    dup2_stdin(&null)?;
    dup2_stdout(&null)?;
    dup2_stderr(&null)?;
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE)?;
    mount(Some("overlay"), root, Some("overlay"), MsFlags::empty(), Some(overlay))?;
    chdir(root)?;
    devices()?;
    let plain = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("proc"), "proc", Some("proc"), plain, NONE)?;
    pivot_root(".", ".")?;
    umount2(".", MntFlags::MNT_DETACH)?;
    chdir("/")?;
    nix::unistd::sethostname("floor")?;
    let words = ["/bin/busybox", "sleep", "1000000"].map(CString::new);
    let words: Vec<CString> = words.into_iter().collect::<std::result::Result<_, _>>()?;
    execv(&words[0], &words).map(drop).map_err(Into::into)
}

fn devices() -> Result<()> {
    mount(Some("tmpfs"), "dev", Some("tmpfs"), MsFlags::MS_NOSUID, Some("mode=755,size=64k"))?;
    umask(Mode::empty());
    let nodes = [("null", 3), ("zero", 5), ("full", 7), ("random", 8), ("urandom", 9)];
    for (name, minor) in nodes {
        mknod(&*format!("dev/{name}"), SFlag::S_IFCHR, Mode::from_bits_truncate(0o666), makedev(1, minor))?;
    }
    mknod("dev/tty", SFlag::S_IFCHR, Mode::from_bits_truncate(0o666), makedev(5, 0))?;
    for name in ["dev/pts", "dev/shm"] {
        nix::unistd::mkdir(name, Mode::from_bits_truncate(0o755))?;
    }
    let plain = MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC;
    mount(Some("devpts"), "dev/pts", Some("devpts"), plain, Some("newinstance,ptmxmode=0666"))?;
    mount(Some("shm"), "dev/shm", Some("tmpfs"), plain | MsFlags::MS_NODEV, Some("mode=1777,size=64m"))?;
    umask(Mode::from_bits_truncate(0o022));
    Ok(())
}

/// Runs /bin/true in the sandbox whose first process is the last in `file`.
pub(crate) fn join(file: &str) -> Result<()> {
    let numbers = std::fs::read_to_string(file)?;
    let pid: libc::pid_t = numbers.lines().last().ok_or("no sandbox")?.parse()?;
    // SAFETY: takes plain numbers.
    let fd = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) })?;
    // SAFETY: just made, and owned by nobody else.
    let fd = unsafe { OwnedFd::from_raw_fd(i32::try_from(fd)?) };
    in_child(|| {
        setns(&fd, all())?;
        in_child(|| run_true("/"))
    })
}

/// Starts `count` sandboxes in the directories `above/1` … with the layers `base`.
pub(crate) fn many(file: &str, count: u32, above: &str, base: &str) -> Result<()> {
    (1..=count).try_for_each(|number| {
        let dir = format!("{above}/{number}");
        start(
            file,
            &format!("{dir}/root"),
            &format!("lowerdir={base},upperdir={dir}/upper,workdir={dir}/work"),
        )
    })
}
