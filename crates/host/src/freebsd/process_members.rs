//! Processes and their roots, from sysctl(3): `kern.proc.proc`, and for those in no jail `kern.proc.filedesc`, in which
//! the kernel spells the path of the root directory's vnode. Who is in a jail has the jail's root, wherever it went by
//! chroot(2) inside.

use std::ffi::CStr;
use std::mem::{offset_of, size_of};
use std::ptr;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use nix::errno::Errno;
use nix::libc::{
    self, KERN_PROC_ARGS, KERN_PROC_FILEDESC, KERN_PROC_PID, KERN_PROC_PROC, kinfo_file, kinfo_proc,
};
use qchroot_api::{Process, Result};

use crate::errors::OrError;
use crate::os::jails;

/// The root is among the first of a process' records: after those of its trace, program, terminal and directory. What
/// has no room is left out without a word.
const FIRST_RECORDS: usize = 6 * size_of::<kinfo_file>();

/// While a process executes a program, its files cannot be looked at: so often it is tried again, after such a pause.
const TRIES: (u32, Duration) = (500, Duration::from_millis(1));

/// All processes whose root is `below` or lies below it, without the kernel's own. One that has ended has its jail's root,
/// or none.
pub(crate) fn list(below: &Utf8Path) -> Result<Vec<Process>> {
    let processes = all()?;
    let jails = jails::roots_of_all();
    let members = processes.iter().filter_map(|info| {
        let root = jails.get(&info.ki_jid).cloned().or_else(|| root_of(info.ki_pid)).unwrap_or_default();
        root.starts_with(below).then(|| describe(info, root))
    });
    Ok(members.collect())
}

/// One process, with its root.
pub(super) fn find(pid: i32) -> Option<Process> {
    let info = records(&ask(&[KERN_PROC_PID, pid], size_of::<kinfo_proc>()).ok()?).pop()?;
    let root = jails::roots_of_all().remove(&info.ki_jid).or_else(|| root_of(pid))?;
    Some(describe(&info, root))
}

/// What the kernel tells of every process but its own.
pub(super) fn all() -> Result<Vec<kinfo_proc>> {
    let bytes = ask(&[KERN_PROC_PROC], 256 << 10).or_error(|| "cannot list processes".into())?;
    let is_kernels = |info: &kinfo_proc| info.ki_flag & libc::c_long::from(libc::P_KPROC) != 0;
    Ok(records(&bytes).into_iter().filter(|info| !is_kernels(info)).collect())
}

fn records(bytes: &[u8]) -> Vec<kinfo_proc> {
    bytes
        .chunks_exact(size_of::<kinfo_proc>())
        // SAFETY: the kernel fills in an array of this structure of numbers; the size of a chunk is its own.
        .map(|chunk| unsafe { ptr::read_unaligned(chunk.as_ptr().cast::<kinfo_proc>()) })
        .collect()
}

fn describe(info: &kinfo_proc, root: Utf8PathBuf) -> Process {
    // SAFETY: the kernel ends the name with a zero byte.
    let name = unsafe { CStr::from_ptr(info.ki_comm.as_ptr()) }.to_string_lossy();
    let page = u64::try_from(rustix::param::page_size()).unwrap_or(4096);
    Process {
        pid: info.ki_pid,
        ppid: info.ki_ppid,
        uid: info.ki_uid,
        root,
        command: command(info.ki_pid).unwrap_or_else(|| format!("[{name}]")),
        started: u64::try_from(info.ki_start.tv_sec).unwrap_or(0),
        zombie: info.ki_stat == libc::SZOMB,
        cpu_millis: info.ki_runtime / 1000,
        memory_bytes: u64::try_from(info.ki_rssize).unwrap_or(0) * page,
    }
}

fn command(pid: i32) -> Option<String> {
    let words = ask(&[KERN_PROC_ARGS, pid], 4 << 10).ok()?;
    let end = words.iter().rposition(|&byte| byte != 0)? + 1;
    let spaced: Vec<u8> = words[..end].iter().map(|&byte| if byte == 0 { b' ' } else { byte }).collect();
    Some(String::from_utf8_lossy(&spaced).into_owned())
}

/// The records are of different lengths, each with its own at the front.
fn root_of(pid: i32) -> Option<Utf8PathBuf> {
    let bytes = first_records(pid).ok()?;
    let mut rest = bytes.as_slice();
    while let Some(length) = number(rest, offset_of!(kinfo_file, kf_structsize)).filter(|&length| length > 0)
    {
        let record = rest.get(..usize::try_from(length).ok()?)?;
        if number(record, offset_of!(kinfo_file, kf_fd)) == Some(libc::KF_FD_TYPE_ROOT) {
            let path = CStr::from_bytes_until_nul(record.get(offset_of!(kinfo_file, kf_path)..)?).ok()?;
            return Some(path.to_str().ok()?.into());
        }
        rest = &rest[record.len()..];
    }
    None
}

fn first_records(pid: i32) -> std::result::Result<Vec<u8>, Errno> {
    for _ in 1..TRIES.0 {
        match ask(&[KERN_PROC_FILEDESC, pid], FIRST_RECORDS) {
            Err(Errno::EBUSY) => std::thread::sleep(TRIES.1),
            answer => return answer,
        }
    }
    ask(&[KERN_PROC_FILEDESC, pid], FIRST_RECORDS)
}

fn number(bytes: &[u8], at: usize) -> Option<i32> {
    Some(i32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// The answer to `kern.proc.…`, for which there is `room` at first, in bytes.
fn ask(what: &[i32], mut room: usize) -> std::result::Result<Vec<u8>, Errno> {
    let name = [&[libc::CTL_KERN, libc::KERN_PROC], what].concat();
    let words = u32::try_from(name.len()).unwrap_or(0);
    loop {
        let (mut bytes, mut size) = (vec![0; room], room);
        // SAFETY: name and buffer have the sizes that are said; the buffer is cut to what was written.
        let asked = unsafe {
            libc::sysctl(name.as_ptr(), words, bytes.as_mut_ptr().cast(), &mut size, ptr::null(), 0)
        };
        match Errno::result(asked) {
            Ok(_) => {
                bytes.truncate(size);
                return Ok(bytes);
            }
            Err(Errno::ENOMEM) => room *= 2,
            Err(errno) => return Err(errno),
        }
    }
}
