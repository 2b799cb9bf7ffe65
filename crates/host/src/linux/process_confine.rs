//! What only Linux takes from a process: capabilities, privileges to gain, system calls; and what only Linux lets it
//! inherit. It does not know in which order that is done.

use std::collections::BTreeSet;
use std::io;
use std::mem::MaybeUninit;

use nix::libc;
use qchroot_api::{CAPABILITIES, Error, ErrorKind, Result, Rules};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit};
use rustix::thread::{self, CapabilitiesSecureBits, CapabilitySet};

use super::filter::Filter;
use crate::errors::OrError;

/// The limits by their names; setrlimit(2).
pub(super) const RESOURCES: &[(&str, Resource)] = &[
    ("as", Resource::As),
    ("core", Resource::Core),
    ("cpu", Resource::Cpu),
    ("data", Resource::Data),
    ("fsize", Resource::Fsize),
    ("locks", Resource::Locks),
    ("memlock", Resource::Memlock),
    ("msgqueue", Resource::Msgqueue),
    ("nice", Resource::Nice),
    ("nofile", Resource::Nofile),
    ("nproc", Resource::Nproc),
    ("rss", Resource::Rss),
    ("rtprio", Resource::Rtprio),
    ("rttime", Resource::Rttime),
    ("sigpending", Resource::Sigpending),
    ("stack", Resource::Stack),
];

/// `KEYCTL_JOIN_SESSION_KEYRING`; linux/keyctl.h.
const JOIN_SESSION_KEYRING: libc::c_long = 1;

/// `IOPRIO_WHO_PROCESS`; ioprio_set(2).
const IO_PRIORITY_OF_PROCESS: libc::c_long = 1;

/// What a process keeps, made ready.
pub(super) struct Confinement {
    /// `None` for all.
    capabilities: Option<CapabilitySet>,
    no_new_privs: bool,
    filter: Option<Filter>,
}

impl Confinement {
    /// # Errors
    /// Config for a name that nothing has; unavailable where this machine's calls have no names here.
    pub(super) fn new(rules: &Rules) -> Result<Self> {
        let kept: Option<BTreeSet<&str>> =
            rules.capabilities.as_ref().map(|names| names.iter().map(String::as_str).collect());
        let keeps = |name: &str| kept.as_ref().is_none_or(|kept| kept.contains(name));
        let filter = rules.syscalls.as_ref().map(|calls| Filter::new(calls, &keeps)).transpose()?;
        let set = kept.map(|names| names.into_iter().map(capability).collect::<Result<CapabilitySet>>());
        Ok(Self { capabilities: set.transpose()?, no_new_privs: rules.no_new_privs, filter })
    }

    /// Takes what is not kept out of the bounding set, so that no program can get it back; and sees to it that a
    /// change of user leaves what [`Confinement::shut`] needs.
    pub(super) fn narrow(&self) -> io::Result<()> {
        // What an odd caller has locked stays; it can only take away.
        let _ = thread::set_capabilities_secure_bits(CapabilitiesSecureBits::empty());
        if let Some(kept) = self.capabilities {
            for bit in 0..u64::BITS {
                let one = CapabilitySet::from_bits_retain(1 << bit);
                match thread::capability_is_in_bounding_set(one) {
                    Ok(true) if !kept.contains(one) => thread::remove_capability_from_bounding_set(one)?,
                    Ok(_) => {}
                    // Past the kernel's last one.
                    Err(Errno::INVAL) => break,
                    Err(error) => return Err(error.into()),
                }
            }
        }
        if self.filter.is_some() { Ok(thread::set_keep_capabilities(true)?) } else { Ok(()) }
    }

    /// No new privileges, the filter, and then the capabilities that installing it took.
    pub(super) fn shut(&self) -> Result<()> {
        let failed = || "cannot give up capabilities".to_owned();
        if self.no_new_privs {
            thread::set_no_new_privs(true).or_error(|| "cannot give up new privileges".into())?;
        }
        let mut sets = thread::capabilities(None).or_error(failed)?;
        if let Some(filter) = &self.filter {
            sets.effective = sets.permitted;
            thread::set_capabilities(None, sets).or_error(failed)?;
            filter.install()?;
        }
        let kept = if rustix::process::geteuid().is_root() {
            self.capabilities.map_or(sets.permitted, |kept| sets.permitted & kept)
        } else {
            CapabilitySet::empty()
        };
        (sets.permitted, sets.effective) = (kept, kept);
        thread::set_capabilities(None, sets).or_error(failed)
    }
}

fn capability(name: &str) -> Result<CapabilitySet> {
    let number = CAPABILITIES.iter().position(|known| *known == name);
    let bit = number.map(|number| CapabilitySet::from_bits_retain(1 << number));
    bit.ok_or_else(|| Error::new(ErrorKind::Config, format!("there is no capability {name:?}")))
}

/// The limits of the host's first process.
pub(super) fn usual_limits() -> Vec<(Resource, Rlimit)> {
    let limit = |resource: Resource| {
        let mut limits = MaybeUninit::<libc::rlimit>::uninit();
        // SAFETY: asks only, and the structure lives for the call.
        let asked = unsafe { libc::prlimit(1, resource as _, std::ptr::null(), limits.as_mut_ptr()) };
        // SAFETY: filled in where the call succeeded.
        (asked == 0).then(|| unsafe { limits.assume_init() })
    };
    let finite = |value| (value != libc::RLIM_INFINITY).then_some(value);
    let usual = |resource| {
        let limits = limit(resource)?;
        Some((resource, Rlimit { current: finite(limits.rlim_cur), maximum: finite(limits.rlim_max) }))
    };
    RESOURCES.iter().filter_map(|(_, resource)| usual(*resource)).collect()
}

/// Niceness, scheduling, memory policy, personality and the session keyring are those of a process that nobody has
/// set up. What this process may not change stays as it is, but for the keyring.
pub(super) fn forget_caller() -> Result<()> {
    let _ = std::fs::write("/proc/self/oom_score_adj", "0");
    let _ = rustix::process::setpriority_process(None, 0);
    let _ = thread::set_current_timer_slack(None);
    let _ = thread::disable_transparent_huge_pages(false);
    let plain = libc::sched_param { sched_priority: 0 };
    // SAFETY: a structure of zeroes is one; every bit is set below.
    let mut everywhere: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the numbers are those that the set has room for.
    (0..libc::CPU_SETSIZE as usize).for_each(|cpu| unsafe { libc::CPU_SET(cpu, &mut everywhere) });
    // SAFETY: numbers, and structures that live for the calls.
    unsafe {
        libc::sched_setscheduler(0, libc::SCHED_OTHER, &plain);
        libc::sched_setaffinity(0, size_of_val(&everywhere), &everywhere);
        libc::personality(0);
        libc::syscall(libc::SYS_ioprio_set, IO_PRIORITY_OF_PROCESS, 0, 0);
        libc::syscall(libc::SYS_set_mempolicy, 0, 0, 0);
    }
    forget_keys()
}

/// A session keyring of its own, with nothing in it; keyctl(2).
fn forget_keys() -> Result<()> {
    // SAFETY: the name is none, so nothing is read.
    let joined = unsafe { libc::syscall(libc::SYS_keyctl, JOIN_SESSION_KEYRING, 0_usize) };
    match nix::errno::Errno::result(joined) {
        // Without keyrings, or kept from them by somebody's filter that holds for all that follows.
        Ok(_) | Err(nix::errno::Errno::ENOSYS | nix::errno::Errno::EPERM) => Ok(()),
        Err(errno) => Err(errno).or_error(|| "cannot leave the caller's keyring".into()),
    }
}
