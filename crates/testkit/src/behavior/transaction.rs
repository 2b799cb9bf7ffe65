//! Carrying out a plan and taking it back as the engine does, without its journals.

use std::time::Duration;

use qchroot_api::{DiskStep, Error, ErrorKind, Plan, Result, Step};
use qchroot_engine::{Deadline, Host, Probe};

use crate::{FakeHost, Snapshot};

/// How long a step may wait for processes.
const PATIENCE: Duration = Duration::from_secs(10);

/// The steps that were begun, those that are not done, and how it ended.
pub(crate) struct Outcome {
    pub(crate) begun: Plan,
    left: Plan,
    pub(crate) end: Result<()>,
}

/// Probes and applies each step in order until one fails.
pub(crate) fn carry_out(host: &dyn Host, plan: &Plan) -> Outcome {
    let (mut begun, mut done) = (vec![], 0);
    let mut step_by_step = || {
        for (n, step) in plan.iter().enumerate() {
            done = n;
            match host.probe(step)? {
                Probe::Present => continue,
                Probe::Conflict(why) => {
                    return Err(Error::new(ErrorKind::Exists, format!("cannot {step}")).cause(why));
                }
                Probe::Absent | Probe::Unknown => {}
            }
            begun.push(step.clone());
            host.apply(step, deadline(host))?;
        }
        done = plan.len();
        Ok(())
    };
    let end = step_by_step();
    Outcome { begun, left: plan[done..].to_vec(), end }
}

/// Carries out a plan that must succeed.
#[track_caller]
pub fn succeed(host: &dyn Host, plan: &Plan) -> Plan {
    let outcome = carry_out(host, plan);
    outcome.end.expect("the plan can be carried out");
    outcome.begun
}

/// Takes back what was begun, last step first.
#[track_caller]
pub fn take_back(host: &dyn Host, begun: &Plan) {
    for step in begun.iter().rev() {
        let Some(inverse) = step.inverse() else { continue };
        // Only the check of a program knows its own effect.
        let gone = match step {
            Step::Run { .. } => host.probe(step) == Ok(Probe::Absent),
            _ => host.probe(&inverse) == Ok(Probe::Present),
        };
        if !gone {
            host.apply(&inverse, deadline(host)).expect("a step can be taken back");
        }
    }
}

/// Every step is found done when the plan is carried out a second time.
#[track_caller]
pub(crate) fn all_present(host: &dyn Host, plan: &Plan) {
    for step in plan {
        assert_eq!(host.probe(step), Ok(Probe::Present), "after it was done: {step}");
    }
}

fn deadline(host: &dyn Host) -> Deadline {
    Deadline(host.steady_clock() + PATIENCE)
}

/// Everything but what a plan makes for a base, which stays.
fn whole(host: &FakeHost, plan: &Plan) -> Snapshot {
    let made = plan.iter().filter_map(|step| match step {
        Step::Disk(DiskStep::Template { at, .. }) => at.parent(),
        _ => None,
    });
    made.fold(host.snapshot(["/"]), Snapshot::without)
}

/// Applying the plan and then its inverses backwards leaves no trace.
#[track_caller]
pub(crate) fn leaves_no_trace(host: &FakeHost, plan: &Plan) {
    let before = whole(host, plan);
    let begun = succeed(host, plan);
    take_back(host, &begun);
    before.assert_same(&whole(host, plan), "after doing and undoing");
}

/// Whichever step fails, before its effect or after, rolling back leads to the state before.
#[track_caller]
pub(crate) fn rolls_back_from_everywhere(prepare: impl Fn() -> (FakeHost, Plan)) {
    for_every_failure(&prepare, |host, plan, n| {
        let before = whole(host, plan);
        let outcome = fails(host, plan, n);
        take_back(host, &outcome.begun);
        before.assert_same(&whole(host, plan), &format!("after rolling back from step {n}"));
    });
}

/// Whichever step fails, before its effect or after, rolling back leads to the state before; or going on to the state
/// after, when a step was begun that nothing takes back.
#[track_caller]
pub(crate) fn ends_before_or_after(prepare: impl Fn() -> (FakeHost, Plan)) {
    let (host, plan) = prepare();
    succeed(&host, &plan);
    let after = whole(&host, &plan);
    for_every_failure(&prepare, |host, plan, n| {
        let before = whole(host, plan);
        let outcome = fails(host, plan, n);
        if outcome.begun.iter().any(is_one_way) {
            succeed(host, &outcome.left);
            after.assert_same(&whole(host, plan), &format!("after going on from step {n}"));
        } else {
            take_back(host, &outcome.begun);
            before.assert_same(&whole(host, plan), &format!("after rolling back from step {n}"));
        }
    });
}

fn for_every_failure(prepare: &dyn Fn() -> (FakeHost, Plan), run: impl Fn(&FakeHost, &Plan, u64)) {
    let (host, plan) = prepare();
    let steps = succeed(&host, &plan).len() as u64;
    assert!(steps > 0, "the plan does nothing");
    for n in 1..=steps {
        for arm in [FakeHost::fail_at, FakeHost::fail_after] {
            let (host, plan) = prepare();
            arm(&host, n);
            run(&host, &plan, n);
        }
    }
}

#[track_caller]
fn fails(host: &FakeHost, plan: &Plan, n: u64) -> Outcome {
    let outcome = carry_out(host, plan);
    assert!(outcome.end.is_err(), "step {n} failed and nobody noticed");
    outcome
}

/// Steps after which the engine goes on.
fn is_one_way(step: &Step) -> bool {
    matches!(
        step,
        Step::RemoveTree { .. } | Step::Disk(DiskStep::Grow { .. }) | Step::Disk(DiskStep::Remove { .. })
    )
}
