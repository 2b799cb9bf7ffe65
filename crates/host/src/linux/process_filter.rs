//! The filter of system calls; seccomp(2). It does not know whose calls they are.
//!
//! The list is what runc and podman refuse by default, turned around: those name what is allowed. It differs where
//! they do: ptrace(2) is left to the kernel's own checks, keyrings and io_uring(7) are refused.

use std::collections::BTreeMap;

use nix::libc;
use qchroot_api::{CallNumbers, Error, ErrorKind, Result, SyscallRules};
use seccompiler::SeccompCmpArgLen::Dword;
use seccompiler::SeccompCmpOp::{Eq, MaskedEq, Ne};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
    sock_filter,
};

use crate::errors::OrError;

/// Calls that take a capability, or several: whoever has one of them may make them.
const GUARDED: &[(&[&str], &[&str])] = &[
    (
        &["sys_admin"],
        &[
            "fanotify_init",
            "fsconfig",
            "fsmount",
            "fsopen",
            "fspick",
            "lookup_dcookie",
            "mount",
            "mount_setattr",
            "move_mount",
            "open_tree",
            "open_tree_attr",
            "pivot_root",
            "quotactl",
            "quotactl_fd",
            "setdomainname",
            "sethostname",
            "setns",
            "swapoff",
            "swapon",
            "umount2",
        ],
    ),
    (&["sys_admin", "bpf"], &["bpf"]),
    (&["sys_admin", "perfmon"], &["perf_event_open"]),
    (&["sys_admin", "syslog"], &["syslog"]),
    (&["dac_read_search"], &["open_by_handle_at"]),
    (&["sys_boot"], &["kexec_file_load", "kexec_load", "reboot"]),
    (&["sys_chroot"], &["chroot"]),
    (&["sys_module"], &["delete_module", "finit_module", "init_module"]),
    (
        &["sys_nice"],
        &[
            "get_mempolicy",
            "mbind",
            "migrate_pages",
            "move_pages",
            "set_mempolicy",
            "set_mempolicy_home_node",
        ],
    ),
    (&["sys_pacct"], &["acct"]),
    (&["sys_ptrace"], &["kcmp", "pidfd_getfd", "process_madvise"]),
    (&["sys_rawio"], &["ioperm", "iopl"]),
    (&["sys_time"], &["clock_settime", "settimeofday"]),
    (&["sys_tty_config"], &["vhangup"]),
];

/// Calls that nobody inside has business with: keys are not kept apart between containers, the others are old or odd.
const REFUSED: &[&str] = &[
    "add_key",
    "keyctl",
    "nfsservctl",
    "request_key",
    "sysfs",
    "uselib",
    "userfaultfd",
    "ustat",
    "vmsplice",
];

/// Calls that a program is told not to exist, so that it takes the older way.
const UNKNOWN: &[&str] = &["io_uring_enter", "io_uring_register", "io_uring_setup"];

/// The flags of clone(2) that make namespaces.
const NAMESPACES: [u64; 7] = [
    libc::CLONE_NEWCGROUP as u64,
    libc::CLONE_NEWIPC as u64,
    libc::CLONE_NEWNET as u64,
    libc::CLONE_NEWNS as u64,
    libc::CLONE_NEWPID as u64,
    libc::CLONE_NEWUSER as u64,
    libc::CLONE_NEWUTS as u64,
];

/// What personality(2) may be asked for: Linux, its 32-bit kind, both with an old uname(2), and the question.
const PERSONALITIES: [u64; 5] = [0, 8, 0x2_0000, 0x2_0008, 0xffff_ffff];

/// A netlink(7) family.
const AUDIT: u64 = libc::NETLINK_AUDIT as u64;

/// What one call is answered, for certain arguments or always.
type Refusals = BTreeMap<u32, BTreeMap<i64, Vec<SeccompRule>>>;

/// Programs for the kernel, which asks all of them and takes the strictest answer.
pub(super) struct Filter(Vec<BpfProgram>);

impl Filter {
    /// Builds the programs; `keeps` tells which capabilities there are.
    ///
    /// # Errors
    /// Config for a name that no call has; unavailable where calls have no names here.
    pub(super) fn new(rules: &SyscallRules, keeps: &dyn Fn(&str) -> bool) -> Result<Self> {
        qchroot_api::check_calls(rules.allow.iter().chain(&rules.deny).map(String::as_str))?;
        let machine = TargetArch::try_from(std::env::consts::ARCH).map_err(broken)?;
        let last = number_of(CallNumbers::last()).ok_or_else(|| {
            Error::new(ErrorKind::Unavailable, "system calls cannot be filtered on this machine")
                .hint("leave the option seccomp off")
        })?;
        let mut list = List { rules, refusals: Refusals::new() };
        list.fill(keeps)?;
        let mut programs = vec![beyond(last)];
        for (errno, calls) in list.refusals {
            let answer = SeccompAction::Errno(errno);
            let filter = SeccompFilter::new(calls, SeccompAction::Allow, answer, machine).map_err(broken)?;
            programs.push(filter.try_into().map_err(broken)?);
        }
        Ok(Self(programs))
    }

    /// Holds this thread, and all that come from it, to the filter.
    pub(super) fn install(&self) -> Result<()> {
        self.0.iter().try_for_each(|program| {
            let length = u16::try_from(program.len()).map_err(broken)?;
            let words = libc::sock_fprog { len: length, filter: program.as_ptr().cast_mut().cast() };
            // SAFETY: the kernel copies the program, which lives for the call, and writes nothing.
            let set = unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &words) };
            nix::errno::Errno::result(set).or_error(|| "cannot filter system calls".into()).map(drop)
        })
    }
}

struct List<'a> {
    rules: &'a SyscallRules,
    refusals: Refusals,
}

impl List<'_> {
    fn fill(&mut self, keeps: &dyn Fn(&str) -> bool) -> Result<()> {
        let guarded = GUARDED.iter().filter(|(keys, _)| !keys.iter().any(|key| keeps(key)));
        for name in guarded.flat_map(|(_, names)| *names).chain(REFUSED) {
            self.refuse(name, libc::EPERM, vec![]);
        }
        for name in UNKNOWN {
            self.refuse(name, libc::ENOSYS, vec![]);
        }
        let plain = PERSONALITIES.iter().map(|value| condition(0, Ne, *value)).collect::<Result<_>>()?;
        self.refuse("personality", libc::EPERM, vec![rule(plain)?]);
        self.refuse("socket", libc::EPERM, vec![rule(vec![condition(0, Eq, libc::AF_VSOCK as u64)?])?]);
        if !keeps("audit_write") {
            let audit = vec![condition(0, Eq, libc::AF_NETLINK as u64)?, condition(2, Eq, AUDIT)?];
            self.refuse("socket", libc::EINVAL, vec![rule(audit)?]);
        }
        if !keeps("sys_admin") {
            self.refuse_namespaces()?;
        }
        for name in &self.rules.deny {
            self.deny(name);
        }
        Ok(())
    }

    /// The flags of clone3(2) are where no filter can see them; programs fall back to clone(2).
    fn refuse_namespaces(&mut self) -> Result<()> {
        let with = |flag: &u64| rule(vec![condition(0, MaskedEq(*flag), *flag)?]);
        for name in ["clone", "unshare"] {
            let rules = NAMESPACES.iter().map(with).collect::<Result<_>>()?;
            self.refuse(name, libc::EPERM, rules);
        }
        self.refuse("clone3", libc::ENOSYS, vec![]);
        Ok(())
    }

    /// Refuses a call unless the user allows it; without conditions always.
    fn refuse(&mut self, name: &str, errno: i32, rules: Vec<SeccompRule>) {
        let is_allowed = self.rules.allow.iter().any(|allowed| allowed == name);
        if let Some(number) = number_of(CallNumbers::of(name)).filter(|_| !is_allowed) {
            self.refusals.entry(errno.unsigned_abs()).or_default().insert(number.into(), rules);
        }
    }

    fn deny(&mut self, name: &str) {
        if let Some(number) = number_of(CallNumbers::of(name)) {
            let refused = self.refusals.entry(libc::EPERM.unsigned_abs()).or_default();
            refused.insert(number.into(), vec![]);
        }
    }
}

fn rule(conditions: Vec<SeccompCondition>) -> Result<SeccompRule> {
    SeccompRule::new(conditions).map_err(broken)
}

/// The kernel takes the low half of the arguments that are asked for here.
fn condition(argument: u8, operator: SeccompCmpOp, value: u64) -> Result<SeccompCondition> {
    SeccompCondition::new(argument, Dword, operator, value).map_err(broken)
}

fn broken(error: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Internal, "cannot build a filter of system calls").cause(error)
}

fn number_of(call: CallNumbers) -> Option<i32> {
    match std::env::consts::ARCH {
        "x86_64" => call.x86_64,
        "aarch64" => call.aarch64,
        _ => None,
    }
}

/// Answers that there is no such call to numbers after the last one known by name: newer ones, and all of x32, whose
/// numbers begin at 2^30. Calls of another architecture end the process in the other programs.
fn beyond(last: i32) -> BpfProgram {
    let word = |code: u32, jt, jf, k| sock_filter { code: code as u16, jt, jf, k };
    let unknown = libc::SECCOMP_RET_ERRNO | libc::ENOSYS.unsigned_abs();
    vec![
        // The number is the first field of struct seccomp_data.
        word(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
        word(libc::BPF_JMP | libc::BPF_JGT | libc::BPF_K, 0, 1, last.unsigned_abs()),
        word(libc::BPF_RET | libc::BPF_K, 0, 0, unknown),
        word(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW),
    ]
}
