//! Whether a process and all below it have come to rest: they wait, and have used no processor time for a while. It
//! does not know what they wait for.

use std::fs;

use super::members::Stat;

/// Looks without a change that are rest.
const LOOKS: u32 = 5;

/// One who looks again and again.
pub(super) struct Rest {
    top: i32,
    /// Processor time that all of them had at the last look, in nanoseconds.
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
        let below = children(self.top);
        // Where none can be seen, nothing is known of them.
        let used = match below.is_empty() {
            true => None,
            false => below.into_iter().try_fold(0, |sum, pid| Some(sum + used_by(pid)?)),
        };
        self.looks = if used.is_some() && used == self.used { self.looks + 1 } else { 0 };
        self.used = used;
        self.looks >= LOOKS
    }
}

/// The processor time of a process that waits, and of those below it that all wait; `None` where one works.
fn used_by(pid: i32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    if !Stat::parse(&stat)?.is_waiting() {
        return None;
    }
    // The first number of `/proc/PID/schedstat`, Documentation/scheduler/sched-stats.
    let times = fs::read_to_string(format!("/proc/{pid}/schedstat")).ok()?;
    let own: u64 = times.split(' ').next()?.parse().ok()?;
    children(pid).into_iter().try_fold(own, |sum, child| Some(sum + used_by(child)?))
}

/// The children of a process' first thread; proc_pid_children(5).
fn children(pid: i32) -> Vec<i32> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    text.split_whitespace().filter_map(|number| number.parse().ok()).collect()
}
