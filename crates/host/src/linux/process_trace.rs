//! Which files a program asks for that are not there: ptrace(2), from outside of the container. What a program
//! says is data; nothing it names is opened, and it does not matter here what the names are good for.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::IoSliceMut;
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;
use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill, raise};
use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;
use qchroot_api::Result;

use crate::errors::OrError;

/// More names than this are no list that anybody reads.
const MOST: usize = 20_000;

/// The longest path with its end; PATH_MAX of limits.h.
const LONGEST: usize = 4096;

const PAGE: u64 = 4096;

/// `PTRACE_EVENT_STOP` of ptrace(2).
const EVENT_STOP: i32 = 128;

/// Kinds of stops at system calls: `PTRACE_SYSCALL_INFO_ENTRY` and `PTRACE_SYSCALL_INFO_EXIT` of ptrace(2).
const ENTRY: u8 = 1;
const EXIT: u8 = 2;

/// Calls that name a file: their number, and which argument the path is; a directory it is relative to stands
/// before it, where it is not the first.
#[rustfmt::skip]
const CALLS: &[(libc::c_long, usize)] = &[
    (libc::SYS_openat, 1), (libc::SYS_openat2, 1), (libc::SYS_newfstatat, 1), (libc::SYS_statx, 1),
    (libc::SYS_faccessat, 1), (libc::SYS_faccessat2, 1), (libc::SYS_readlinkat, 1), (libc::SYS_execveat, 1),
    (libc::SYS_execve, 0),
    #[cfg(target_arch = "x86_64")] (libc::SYS_open, 0),
    #[cfg(target_arch = "x86_64")] (libc::SYS_stat, 0),
    #[cfg(target_arch = "x86_64")] (libc::SYS_lstat, 0),
    #[cfg(target_arch = "x86_64")] (libc::SYS_access, 0),
    #[cfg(target_arch = "x86_64")] (libc::SYS_readlink, 0),
];

/// A call under way: where its path is in memory, and the directory it is relative to.
type Call = Option<(u64, Option<i32>)>;

/// The processes of one program, and what they asked for in vain.
#[derive(Default)]
pub(super) struct Tracer {
    tracees: BTreeMap<i32, Call>,
    missing: BTreeSet<PathBuf>,
}

/// In the child, before it becomes the program: waits until it is traced.
pub(super) fn wait_for_tracer() -> Result<()> {
    raise(Signal::SIGSTOP).or_error(|| "cannot wait for the tracer".into())
}

impl Tracer {
    /// A tracer of nothing yet.
    pub(super) fn new() -> Result<Self> {
        Ok(Self::default())
    }

    /// Begins with a child that waits for it, and goes along until it has become the program. One that ends
    /// before is left to whoever waits for its end.
    pub(super) fn begin(&mut self, child: Pid) -> Result<()> {
        let failed = || "cannot trace the program".to_owned();
        if has_ended(child).or_error(failed)? {
            return Ok(());
        }
        let options = Options::PTRACE_O_TRACESYSGOOD
            | Options::PTRACE_O_TRACEFORK
            | Options::PTRACE_O_TRACEVFORK
            | Options::PTRACE_O_TRACECLONE
            | Options::PTRACE_O_TRACEEXEC;
        ptrace::seize(child, options).or_error(failed)?;
        kill(child, Signal::SIGCONT).or_error(failed)?;
        while !has_ended(child).or_error(failed)? {
            let Some(status) = look(child.as_raw(), 0).or_error(failed)? else { continue };
            self.tracees.entry(child.as_raw()).or_default();
            self.stopped(child.as_raw(), status).or_error(failed)?;
            if status >> 16 == libc::PTRACE_EVENT_EXEC {
                return Ok(());
            }
        }
        self.tracees.clear();
        Ok(())
    }

    /// Lets every process go on that has stopped for the tracer; the status of `child` when that has ended.
    pub(super) fn turn(&mut self, child: Pid) -> nix::Result<Option<i32>> {
        loop {
            let mut quiet = true;
            for pid in self.tracees.keys().copied().collect::<Vec<_>>() {
                let Some(status) = look(pid, libc::WNOHANG)? else { continue };
                quiet = false;
                if !libc::WIFSTOPPED(status) {
                    self.tracees.remove(&pid);
                    if pid == child.as_raw() {
                        return Ok(Some(ended(status)));
                    }
                    continue;
                }
                self.stopped(pid, status)?;
            }
            if quiet {
                // Without a tracee the child has ended before it was traced.
                let is_traced = self.tracees.contains_key(&child.as_raw());
                return if is_traced { Ok(None) } else { super::fork::try_wait(child) };
            }
        }
    }

    fn stopped(&mut self, pid: i32, status: i32) -> nix::Result<()> {
        let (signal, event) = (libc::WSTOPSIG(status), status >> 16);
        let resumed = match event {
            EVENT_STOP if signal != libc::SIGTRAP => resume(libc::PTRACE_LISTEN as _, pid, 0),
            0 if signal == libc::SIGTRAP | 0x80 => {
                self.call(pid);
                resume(libc::PTRACE_SYSCALL as _, pid, 0)
            }
            0 => resume(libc::PTRACE_SYSCALL as _, pid, signal),
            libc::PTRACE_EVENT_FORK | libc::PTRACE_EVENT_VFORK | libc::PTRACE_EVENT_CLONE => {
                let new = ptrace::getevent(Pid::from_raw(pid)).ok().and_then(|new| i32::try_from(new).ok());
                self.tracees.extend(new.map(|new| (new, None)));
                resume(libc::PTRACE_SYSCALL as _, pid, 0)
            }
            _ => resume(libc::PTRACE_SYSCALL as _, pid, 0),
        };
        match resumed {
            Err(Errno::ESRCH) => Ok(()), // killed meanwhile; its end is told of next
            resumed => resumed,
        }
    }

    /// Looks at a call that begins or ends.
    fn call(&mut self, pid: i32) {
        let Ok(info) = ptrace::syscall_info(Pid::from_raw(pid)) else { return };
        match info.op {
            ENTRY => {
                // SAFETY: `op` says which member the kernel has filled.
                let entry = unsafe { info.u.entry };
                self.tracees.insert(pid, named(info.arch, entry.nr, &entry.args));
            }
            EXIT => {
                // SAFETY: as above.
                let value = unsafe { info.u.exit }.sval;
                let call = self.tracees.insert(pid, None).flatten();
                if let Some((address, dir)) = call.filter(|_| value == -i64::from(libc::ENOENT)) {
                    self.note(pid, address, dir);
                }
            }
            _ => {}
        }
    }

    fn note(&mut self, pid: i32, address: u64, dir: Option<i32>) {
        let path = text(pid, address).and_then(|path| absolute(pid, &path, dir));
        if let Some(path) = path.filter(|_| self.missing.len() < MOST) {
            self.missing.insert(path);
        }
    }

    /// Lets all go that still run, and tells what was missing.
    pub(super) fn end(mut self) -> Vec<PathBuf> {
        for (pid, _) in std::mem::take(&mut self.tracees) {
            let _ = ptrace::interrupt(Pid::from_raw(pid));
            if let Ok(Some(status)) = look(pid, 0) {
                let signal = if status >> 16 == 0 { libc::WSTOPSIG(status) & 0x7f } else { 0 };
                let signal = if signal == libc::SIGTRAP { 0 } else { signal };
                if libc::WIFSTOPPED(status) {
                    let _ = resume(libc::PTRACE_DETACH as _, pid, signal);
                }
            }
        }
        self.missing.into_iter().collect()
    }
}

/// Waits until a child has stopped or ended, and says which; it is not taken notice of.
fn has_ended(child: Pid) -> nix::Result<bool> {
    let flags = WaitPidFlag::WSTOPPED | WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
    loop {
        match waitid(Id::Pid(child), flags) {
            Err(Errno::EINTR) => {}
            status => return Ok(matches!(status?, WaitStatus::Exited(..) | WaitStatus::Signaled(..))),
        }
    }
}

/// The state of a tracee that has changed; `None` when it has not, or when it is somebody else's.
fn look(pid: i32, flags: i32) -> nix::Result<Option<i32>> {
    let mut status = 0;
    // SAFETY: the status lives for the call. The kernel's own numbers are wanted: signals may have no name.
    match Errno::result(unsafe { libc::waitpid(pid, &raw mut status, flags | libc::__WALL) }) {
        Ok(0) | Err(Errno::ECHILD | Errno::EINTR) => Ok(None),
        Ok(_) => Ok(Some(status)),
        Err(error) => Err(error),
    }
}

fn ended(status: i32) -> i32 {
    if libc::WIFSIGNALED(status) { 128 + libc::WTERMSIG(status) } else { libc::WEXITSTATUS(status) }
}

/// Lets a stopped tracee go on, with a signal or without one.
fn resume(request: libc::c_uint, pid: i32, signal: i32) -> nix::Result<()> {
    let none = std::ptr::null_mut::<libc::c_void>();
    // SAFETY: these requests touch no memory of ours.
    Errno::result(unsafe { libc::ptrace(request, pid, none, libc::c_long::from(signal)) }).map(drop)
}

/// Whether a call names a file, by this program's own table: that of another word size is another one.
fn named(arch: u32, number: u64, args: &[u64; 6]) -> Call {
    let native = match std::env::consts::ARCH {
        "x86_64" => 0xc000_003e,
        "aarch64" => 0xc000_00b7,
        "riscv64" => 0xc000_00f3,
        _ => arch,
    };
    let (_, at) = CALLS.iter().find(|(call, _)| u64::try_from(*call) == Ok(number) && arch == native)?;
    let dir = at.checked_sub(1).map(|before| args[before] as i32);
    Some((args[*at], dir))
}

/// The text at an address of a tracee, read page by page: the next one may not be there.
fn text(pid: i32, mut address: u64) -> Option<Vec<u8>> {
    let mut text = vec![];
    while text.len() < LONGEST {
        let length = usize::try_from(PAGE - address % PAGE).ok()?;
        let mut page = vec![0; length];
        let remote = [RemoteIoVec { base: usize::try_from(address).ok()?, len: length }];
        let read = process_vm_readv(Pid::from_raw(pid), &mut [IoSliceMut::new(&mut page)], &remote).ok()?;
        let end = page[..read].iter().position(|&byte| byte == 0);
        text.extend_from_slice(&page[..end.unwrap_or(read)]);
        if end.is_some() || read == 0 {
            return end.map(|_| text);
        }
        address = address.checked_add(read as u64)?;
    }
    None
}

/// A path as it is inside, from the root of the process, without `.` and `..`.
fn absolute(pid: i32, path: &[u8], dir: Option<i32>) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt;
    let path = Path::new(std::ffi::OsStr::from_bytes(path));
    if path.as_os_str().is_empty() {
        return None;
    }
    let mut whole = PathBuf::from("/");
    if path.is_relative() {
        let at = match dir {
            Some(fd) if fd != libc::AT_FDCWD => format!("fd/{fd}"),
            _ => "cwd".into(),
        };
        let link = |name: &str| fs::read_link(format!("/proc/{pid}/{name}")).ok();
        whole.push(link(&at)?.strip_prefix(link("root")?).ok()?);
    }
    for component in path.components() {
        match component {
            Component::Normal(name) => whole.push(name),
            Component::ParentDir => drop(whole.pop()),
            _ => {}
        }
    }
    Some(whole)
}
