//! Whether a process and all below it have come to rest: they sleep, and have used no processor time for a while. It does
//! not know what they wait for.

use nix::libc::{self, kinfo_proc};

use super::members;

/// Looks without a change that are rest.
const LOOKS: u32 = 5;

/// One who looks again and again.
pub(super) struct Rest {
    top: i32,
    /// Processor time that all of them had at the last look, in microseconds.
    used: Option<u64>,
    looks: u32,
}

impl Rest {
    /// Of the processes below `top`.
    pub(super) fn below(top: i32) -> Self {
        Self { top, used: None, looks: 0 }
    }

    /// Looks once more; whether it was often enough without any work being done.
    pub(super) fn is_long(&mut self) -> bool {
        let used = members::all().ok().and_then(|all| used_below(self.top, &all)).filter(|&used| used > 0);
        self.looks = if used.is_some() && used == self.used { self.looks + 1 } else { 0 };
        self.used = used;
        self.looks >= LOOKS
    }
}

/// The processor time of all below `top`; `None` where one works.
fn used_below(top: i32, all: &[kinfo_proc]) -> Option<u64> {
    let children = all.iter().filter(|info| info.ki_ppid == top && info.ki_pid != top);
    children.into_iter().try_fold(0, |sum, child| {
        // Who waits for a disk cannot be interrupted; ps(1).
        let is_free = child.ki_tdflags & libc::c_long::from(libc::TDF_SINTR) != 0;
        let sleeps = child.ki_stat == libc::SSLEEP && is_free;
        Some(sum + sleeps.then_some(child.ki_runtime)? + used_below(child.ki_pid, all)?)
    })
}
