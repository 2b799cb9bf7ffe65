//! Carrying out a plan and taking it back as the engine does, without its journals.

use std::time::Duration;

use qchroot_api::{Error, ErrorKind, Plan, Result, Step};
use qchroot_engine::{Deadline, Host, Probe};

use crate::{FakeHost, Snapshot};

/// How long a step may wait for processes.
const PATIENCE: Duration = Duration::from_secs(10);

/// The steps that were begun, and how it ended.
pub(crate) struct Outcome {
    pub(crate) begun: Plan,
    pub(crate) end: Result<()>,
}

/// Probes and applies each step in order until one fails.
pub(crate) fn carry_out(host: &dyn Host, plan: &Plan) -> Outcome {
    let mut begun = vec![];
    let mut step_by_step = || {
        for step in plan {
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
        Ok(())
    };
    let end = step_by_step();
    Outcome { begun, end }
}

/// Carries out a plan that must succeed.
#[track_caller]
pub(crate) fn succeed(host: &dyn Host, plan: &Plan) -> Plan {
    let outcome = carry_out(host, plan);
    outcome.end.expect("the plan can be carried out");
    outcome.begun
}

/// Takes back what was begun, last step first.
#[track_caller]
pub(crate) fn take_back(host: &dyn Host, begun: &Plan) {
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

fn whole(host: &FakeHost) -> Snapshot {
    host.snapshot(["/"])
}

/// Applying the plan and then its inverses backwards leaves no trace.
#[track_caller]
pub(crate) fn leaves_no_trace(host: &FakeHost, plan: &Plan) {
    let before = whole(host);
    let begun = succeed(host, plan);
    take_back(host, &begun);
    before.assert_same(&whole(host), "after doing and undoing");
}

/// Whichever step fails, before its effect or after, rolling back leads to the state before.
#[track_caller]
pub(crate) fn rolls_back_from_everywhere(prepare: impl Fn() -> (FakeHost, Plan)) {
    let (host, plan) = prepare();
    let steps = succeed(&host, &plan).len() as u64;
    assert!(steps > 0, "the plan does nothing");
    for n in 1..=steps {
        for arm in [FakeHost::fail_at, FakeHost::fail_after] {
            let (host, plan) = prepare();
            let before = whole(&host);
            arm(&host, n);
            let outcome = carry_out(&host, &plan);
            assert!(outcome.end.is_err(), "step {n} failed and nobody noticed");
            take_back(&host, &outcome.begun);
            before.assert_same(&whole(&host), &format!("after rolling back from step {n}"));
        }
    }
}
