//! The two clocks. It knows nothing about who waits for what.

use std::time::Duration;

use rustix::time::{ClockId, Timespec, clock_gettime};

/// The steady clock: it never goes back and does not care what time it is.
pub(crate) fn steady() -> Duration {
    duration(clock_gettime(ClockId::Monotonic))
}

/// Time since the epoch.
pub(crate) fn wall() -> Duration {
    duration(clock_gettime(ClockId::Realtime))
}

fn duration(time: Timespec) -> Duration {
    let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or(0);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), nanoseconds)
}
