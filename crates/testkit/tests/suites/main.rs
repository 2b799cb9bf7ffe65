//! The suites tell a bad back end from a good one: each of those here does one thing wrong, and the checks that are about
//! it fail, and no others. Every check on the fake machine is failed by one of them.

#![allow(clippy::unwrap_used, reason = "tests report by panicking")]

mod isolations;
mod sources;
mod storages;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};

use qchroot_testkit::behavior::{Scene, Trial};

/// A suite for a back end with one fault, and the checks that must fail.
type Fault = (fn() -> Vec<Trial>, &'static [&'static str]);

/// Plans that are kept are the business of the back ends that keep them.
const KEPT: &str = "plans are as they were";

/// The checks on the back end itself that need no real machine.
fn on_fake(trials: Vec<Trial>) -> impl Iterator<Item = Trial> {
    trials.into_iter().filter(|trial| {
        let real = matches!(trial.scene(), Scene::Machine(_));
        !real && !trial.full_name().starts_with("behind the border") && trial.name() != KEPT
    })
}

/// The names of those that fail.
fn failures(trials: Vec<Trial>) -> BTreeSet<String> {
    let run = |trial: Trial| {
        let name = trial.name().to_owned();
        trial.run().err().map(|_| name)
    };
    on_fake(trials).filter_map(run).collect()
}

/// The good one passes, each bad one fails what it should, and no check is left that nobody fails.
#[track_caller]
fn are_caught(good: fn() -> Vec<Trial>, faults: &[Fault]) {
    assert_eq!(failures(good()), BTreeSet::new(), "a good one fails");
    let acting = on_fake(good()).filter(|trial| trial.scene() != Scene::Description);
    let mut never: BTreeSet<String> = acting.map(|trial| trial.name().to_owned()).collect();
    for (n, (suite, expected)) in faults.iter().enumerate() {
        let expected: BTreeSet<String> = expected.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(failures(suite()), expected, "fault {n}");
        never.retain(|name| !expected.contains(name));
    }
    assert_eq!(never, BTreeSet::new(), "nothing fails these");
}

/// Another number each time.
fn another() -> u32 {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    COUNTER.fetch_add(1, Ordering::Relaxed)
}
