//! Runs that die: the same work on twins of one machine, ended at each of its changes. It does not know what the work
//! is, nor what must hold afterwards.

use std::fmt::Debug;

use qchroot_api::Result;

use crate::{FakeHost, Moment, Snapshot};

/// A twin of `prepared` on which `work` came to its end, and how many changes that took.
///
/// # Panics
/// When the work fails.
pub fn carried_out<T: Debug>(prepared: &FakeHost, work: impl Fn(&FakeHost) -> Result<T>) -> (FakeHost, u64) {
    let host = prepared.twin();
    host.crash_at(u64::MAX, Moment::Before);
    work(&host).expect("what is not disturbed comes to its end");
    let changes = host.ticks();
    (host, changes)
}

/// For each change of `work` two twins of `prepared` on which it died there, before and after the change, and the words
/// for where that was.
///
/// # Panics
/// When a run does not come as far as its change.
pub fn deaths<'a, T: Debug>(
    prepared: &'a FakeHost,
    work: impl Fn(&FakeHost) -> Result<T> + 'a,
) -> impl Iterator<Item = (FakeHost, String)> + 'a {
    let (_, changes) = carried_out(prepared, &work);
    let moments = (1..=changes).flat_map(|change| [(change, Moment::Before), (change, Moment::After)]);
    moments.map(move |(change, moment)| {
        let host = prepared.twin();
        host.crash_at(change, moment);
        let died = work(&host);
        assert!(host.is_crashed(), "change {change} was never made: {died:?}");
        (host, format!("died {moment:?} change {change} of {changes}"))
    })
}

/// That a machine whose run died, and that was put right, is as it was before the run or as it is after a whole one.
///
/// # Panics
/// When it is neither, with what differs.
#[track_caller]
pub fn is_before_or_after(got: &Snapshot, old: &Snapshot, new: &Snapshot, what: &str) {
    let (from_old, from_new) = (old.diff(got), new.diff(got));
    assert!(got == old || got == new, "{what}\nfrom before:\n{from_old}from after:\n{from_new}");
}
