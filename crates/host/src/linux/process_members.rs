//! Processes by their root, from proc(5), and those of sandboxes by their process namespace. Membership is what the
//! kernel says of a process at that moment; names and pid files mean nothing here.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::time::SystemTime;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Process, Result};
use rustix::time::{ClockId, clock_gettime};

use super::namespaces::{self, Homes};
use super::sandbox;
use crate::errors::OrError;

/// PF_KTHREAD of linux/sched.h: a thread of the kernel's own.
const KERNEL_THREAD: u32 = 0x0020_0000;

/// Numbers given out this little before are looked at again.
const IN_LABOUR: i32 = 64;

/// On a machine that makes processes without a pause, no more looks than this are taken.
const ROUNDS: usize = 100;

/// What is read of `/proc/PID/stat`; proc_pid_stat(5).
pub(super) struct Stat {
    name: String,
    state: char,
    is_kernels: bool,
    /// Parent.
    pub(super) ppid: i32,
    /// Processor time that it has had.
    cpu_ticks: u64,
    start_ticks: u64,
}

impl Stat {
    /// Whether the process waits for something to happen, and not for a disk.
    pub(super) fn is_waiting(&self) -> bool {
        self.state == 'S'
    }

    /// The name may hold anything, blanks and parentheses too; what follows the last one cannot.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (head, rest) = text.rsplit_once(") ")?;
        let (_, name) = head.split_once(" (")?;
        let mut fields = rest.split(' ');
        let state = fields.next()?.chars().next()?;
        let ppid = fields.next()?.parse().ok()?;
        let flags: u32 = fields.nth(4)?.parse().ok()?; // field 9
        let in_programs: u64 = fields.nth(4)?.parse().ok()?; // field 14
        let in_kernel: u64 = fields.next()?.parse().ok()?;
        let start_ticks = fields.nth(6)?.parse().ok()?; // field 22
        Some(Self {
            name: name.to_owned(),
            state,
            is_kernels: flags & KERNEL_THREAD != 0,
            ppid,
            cpu_ticks: in_programs.saturating_add(in_kernel),
            start_ticks,
        })
    }
}

/// Processes whose root is `below` or lies below it, without the kernel's own threads; those of a sandbox have its
/// root. Only the roots of others are read.
pub(crate) fn list(below: &Utf8Path) -> Result<Vec<Process>> {
    let boot = boot_time();
    let mut homes = Homes::of(&sandbox::below(below)?);
    let member = |pid| {
        let root = homes.root_of(pid).or_else(|| root_of(pid)).filter(|root| root.starts_with(below))?;
        describe(pid, root, boot)
    };
    Ok(pids()?.into_iter().filter_map(member).collect())
}

/// A directory and all below it, as the root of processes; or the process namespace of the sandbox that has this root.
pub(super) struct Territory {
    root: Utf8PathBuf,
    identity: Option<(u64, u64)>,
    namespace: Option<u64>,
}

impl Territory {
    /// The territory of a container's root.
    pub(super) fn new(root: &Utf8Path) -> Self {
        let spelt = root.canonicalize_utf8().unwrap_or_else(|_| root.to_owned());
        let identity = fs::metadata(&spelt).ok().map(|meta| (meta.dev(), meta.ino()));
        let sandbox = sandbox::at(root).ok().flatten();
        Self { root: spelt, identity, namespace: sandbox.and_then(|sandbox| sandbox.namespace()) }
    }

    /// Members. When there is none, there was none at one moment: processes that are born and die faster than
    /// they can be listed are looked for among the numbers given out meanwhile.
    pub(super) fn members(&self) -> Result<Vec<i32>> {
        let before = newest()?;
        let mut found: Vec<i32> = pids()?.into_iter().filter(|&pid| self.owns(pid)).collect();
        // A process is born a little after its number is given out.
        let first = (before - IN_LABOUR).max(1);
        for _ in 0..ROUNDS {
            let now = newest()?;
            let young: Vec<i32> =
                (first..=now).filter(|pid| !found.contains(pid) && self.owns(*pid)).collect();
            let is_settled = young.is_empty() && newest()? == now;
            found.extend(young);
            if is_settled || !found.is_empty() {
                break;
            }
        }
        Ok(found)
    }

    /// Members whose root the host can spell, which is all but those in a mount namespace of their own: found
    /// with half the questions.
    pub(super) fn near_members(&self) -> Result<Vec<i32>> {
        if self.namespace.is_some() {
            return Ok(pids()?.into_iter().filter(|&pid| self.owns(pid)).collect());
        }
        let near = |pid: &i32| root_of(*pid).is_some_and(|root| root.starts_with(&self.root));
        Ok(pids()?.into_iter().filter(near).collect())
    }

    /// Whether the kernel says at this moment that `pid` belongs here. A root that the host cannot spell, in
    /// a mount namespace of its own, is known by device and inode.
    pub(super) fn owns(&self, pid: i32) -> bool {
        if let Some(namespace) = self.namespace {
            return namespaces::is_below(pid, namespace);
        }
        let Some(root) = root_of(pid) else { return false };
        let identity = |meta: fs::Metadata| (meta.dev(), meta.ino());
        root.starts_with(&self.root)
            || self.identity.is_some()
                && fs::metadata(format!("/proc/{pid}/root")).ok().map(identity) == self.identity
    }
}

/// The root of a process. A process whose first thread has ended while others go on has it there.
fn root_of(pid: i32) -> Option<Utf8PathBuf> {
    let utf8 = |path| Utf8PathBuf::from_path_buf(path).ok();
    match fs::read_link(format!("/proc/{pid}/root")) {
        Ok(root) => utf8(root),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let tasks = fs::read_dir(format!("/proc/{pid}/task")).ok()?;
            tasks.flatten().find_map(|task| utf8(fs::read_link(task.path().join("root")).ok()?))
        }
        Err(_) => None,
    }
}

/// The number that was given out last; the end of `/proc/loadavg`.
fn newest() -> Result<i32> {
    let text = fs::read_to_string("/proc/loadavg").or_error(|| "cannot read /proc/loadavg".into())?;
    Ok(text.split_whitespace().next_back().and_then(|number| number.parse().ok()).unwrap_or(0))
}

fn pids() -> Result<Vec<i32>> {
    let failed = || "cannot read /proc".to_owned();
    let entries = fs::read_dir("/proc").or_error(failed)?;
    Ok(entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect())
}

/// `None` when it has ended meanwhile.
fn describe(pid: i32, root: Utf8PathBuf, boot: u64) -> Option<Process> {
    let read = |name: &str| fs::read(format!("/proc/{pid}/{name}")).ok();
    let stat = Stat::parse(&String::from_utf8_lossy(&read("stat")?)).filter(|stat| !stat.is_kernels)?;
    let status = read("status")?;
    let uid = field(&String::from_utf8_lossy(&status), "Uid:").and_then(|ids| ids.get(1).copied())?;
    let resident = field(&String::from_utf8_lossy(&status), "VmRSS:").and_then(|size| size.first().copied());
    let words = read("cmdline").unwrap_or_default();
    Some(Process {
        pid,
        ppid: stat.ppid,
        uid,
        root,
        command: command(&words, &stat.name),
        started: boot + stat.start_ticks / rustix::param::clock_ticks_per_second(),
        zombie: stat.state == 'Z',
        cpu_millis: stat.cpu_ticks.saturating_mul(1000) / rustix::param::clock_ticks_per_second(),
        memory_bytes: resident.map_or(0, |kibibytes| u64::from(kibibytes) << 10),
    })
}

fn command(words: &[u8], name: &str) -> String {
    let end = words.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    if end == 0 {
        return format!("[{name}]");
    }
    let spaced: Vec<u8> = words[..end].iter().map(|&byte| if byte == 0 { b' ' } else { byte }).collect();
    String::from_utf8_lossy(&spaced).into_owned()
}

/// The numbers of one line of `/proc/PID/status`.
fn field(status: &str, name: &str) -> Option<Vec<u32>> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.split_whitespace().filter_map(|number| number.parse().ok()).collect())
}

/// Whether `pid` is the first process of a process namespace exactly one level below this process'.
pub(super) fn is_first_below(pid: i32) -> bool {
    let status = fs::read(format!("/proc/{pid}/status")).unwrap_or_default();
    matches!(field(&String::from_utf8_lossy(&status), "NSpid:").as_deref(), Some([_, 1]))
}

/// Seconds since the epoch at which start times are zero; they count from boot with time asleep included.
fn boot_time() -> u64 {
    let up = clock_gettime(ClockId::Boottime);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let up = std::time::Duration::new(up.tv_sec.unsigned_abs(), up.tv_nsec.unsigned_abs() as u32);
    now.saturating_sub(up).as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_name_does_not_shift_the_fields() {
        let text = "42 (a) Z 1 (x) ) S 7 42 42 0 -1 0 0 0 0 0 1 2 3 4 20 0 1 0 12345 99 0";
        let stat = Stat::parse(text).unwrap();
        assert_eq!((stat.state, stat.ppid, stat.start_ticks, stat.cpu_ticks), ('S', 7, 12345, 3));
        assert_eq!(stat.name, "a) Z 1 (x) ");
    }

    #[test]
    fn this_process_is_listed_as_it_is() {
        let own = i32::try_from(std::process::id()).unwrap();
        let process =
            list(Utf8Path::new("/")).unwrap().into_iter().find(|process| process.pid == own).unwrap();
        assert_eq!(process.root, "/");
        assert_eq!(process.uid, rustix::process::geteuid().as_raw());
        assert!(!process.zombie);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        assert!(now.abs_diff(process.started) < 3600, "{} / {now}", process.started);
        assert!(process.command.contains("host"), "{}", process.command);
        assert!(process.memory_bytes > 100 << 10, "{}", process.memory_bytes);
    }
}
