//! The fake host refuses, fails, crashes and restarts as the real machine does.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests report by panicking")]

mod crashes;
mod disks;
mod freebsd;
mod mounts;
mod processes;
mod steps;

use std::time::Duration;

use qchroot_api::{Error, Result, Step};
use qchroot_engine::{Deadline, Host, Probe};
use qchroot_testkit::FakeHost;

fn apply(host: &FakeHost, step: &Step) -> Result<()> {
    host.apply(step, Deadline(Duration::from_secs(60)))
}

/// Applies a step that must be there to do, and is done afterwards.
#[track_caller]
fn does(host: &FakeHost, step: &Step) {
    assert_eq!(host.probe(step).unwrap(), Probe::Absent, "{step}");
    apply(host, step).unwrap();
    assert_eq!(host.probe(step).unwrap(), Probe::Present, "{step}");
}

/// Applies a step that must fail and must change nothing.
#[track_caller]
fn refuses(host: &FakeHost, step: &Step) -> Error {
    let before = host.snapshot(["/"]);
    let error = apply(host, step).expect_err(&step.to_string());
    before.assert_same(&host.snapshot(["/"]), "after a refusal");
    error
}

#[track_caller]
fn conflict(host: &FakeHost, step: &Step) -> String {
    match host.probe(step).unwrap() {
        Probe::Conflict(why) => why,
        other => panic!("{step}: {other:?}"),
    }
}
