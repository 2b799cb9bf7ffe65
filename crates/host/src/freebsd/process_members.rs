//! Processes and their roots, from sysctl(3): `kern.proc.proc`, and for those in no jail `kern.proc.filedesc`, in which
//! the kernel spells the path of the root directory's vnode. Who is in a jail has the jail's root, wherever it went by
//! chroot(2) inside.

use std::ffi::CStr;
use std::mem::{offset_of, size_of};
use std::ptr;

use camino::{Utf8Path, Utf8PathBuf};
use nix::errno::Errno;
use nix::libc::{self, KERN_PROC_ARGS, KERN_PROC_FILEDESC, KERN_PROC_PROC, kinfo_file, kinfo_proc};
use qchroot_api::{Process, Result};

use crate::errors::OrError;
use crate::os::jails;

/// The state of a dead process that waits for its parent: SZOMB of sys/proc.h.
const ZOMBIE: u8 = 5;

/// All processes; the root of one that has ended or may not be looked at is empty.
pub(crate) fn list(below: &Utf8Path) -> Result<Vec<Process>> {
    let bytes = ask(&[KERN_PROC_PROC, 0]).or_error(|| "cannot list processes".into())?;
    let jails = jails::roots();
    let page = u64::try_from(rustix::param::page_size()).unwrap_or(4096);
    Ok(bytes
        .chunks_exact(size_of::<kinfo_proc>())
        // SAFETY: the kernel fills in an array of this structure of numbers; the size of a chunk is its own.
        .map(|chunk| unsafe { ptr::read_unaligned(chunk.as_ptr().cast::<kinfo_proc>()) })
        .map(|info| describe(&info, jails.get(&info.ki_jid), page))
        .filter(|process| process.root.starts_with(below))
        .collect())
}

fn describe(info: &kinfo_proc, jail: Option<&Utf8PathBuf>, page: u64) -> Process {
    // SAFETY: the kernel ends the name with a zero byte.
    let name = unsafe { CStr::from_ptr(info.ki_comm.as_ptr()) }.to_string_lossy();
    Process {
        pid: info.ki_pid,
        ppid: info.ki_ppid,
        uid: info.ki_uid,
        root: jail.cloned().or_else(|| root_of(info.ki_pid)).unwrap_or_default(),
        command: command(info.ki_pid).unwrap_or_else(|| format!("[{name}]")),
        started: u64::try_from(info.ki_start.tv_sec).unwrap_or(0),
        zombie: info.ki_stat as u8 == ZOMBIE,
        cpu_millis: info.ki_runtime / 1000,
        memory_bytes: u64::try_from(info.ki_rssize).unwrap_or(0) * page,
    }
}

fn command(pid: i32) -> Option<String> {
    let words = ask(&[KERN_PROC_ARGS, pid]).ok()?;
    let end = words.iter().rposition(|&byte| byte != 0)? + 1;
    let spaced: Vec<u8> = words[..end].iter().map(|&byte| if byte == 0 { b' ' } else { byte }).collect();
    Some(String::from_utf8_lossy(&spaced).into_owned())
}

/// The records are of different lengths, each with its own at the front.
fn root_of(pid: i32) -> Option<Utf8PathBuf> {
    let bytes = ask(&[KERN_PROC_FILEDESC, pid]).ok()?;
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

fn number(bytes: &[u8], at: usize) -> Option<i32> {
    Some(i32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// The answer to `kern.proc.…`, asked again when it has grown meanwhile.
fn ask(what: &[i32; 2]) -> std::result::Result<Vec<u8>, Errno> {
    let name = [libc::CTL_KERN, libc::KERN_PROC, what[0], what[1]];
    let words = if what[0] == KERN_PROC_PROC { 3 } else { 4 };
    loop {
        let mut size = 0;
        // SAFETY: with no buffer the kernel only says how much there is.
        let asked = unsafe { libc::sysctl(name.as_ptr(), words, ptr::null_mut(), &mut size, ptr::null(), 0) };
        Errno::result(asked)?;
        size += size / 8 + 1024;
        let mut bytes = vec![0; size];
        // SAFETY: the buffer has the size that is said; it is cut to what was written.
        let asked = unsafe {
            libc::sysctl(name.as_ptr(), words, bytes.as_mut_ptr().cast(), &mut size, ptr::null(), 0)
        };
        match Errno::result(asked) {
            Ok(_) => {
                bytes.truncate(size);
                return Ok(bytes);
            }
            Err(Errno::ENOMEM) => {}
            Err(errno) => return Err(errno),
        }
    }
}
