//! The suites as tests of the tree's own back ends: each one as it is, and the same one behind the border. Their plans are
//! held against those that are kept.

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::Arguments;
use qchroot_abi::{Exported, Remote};
use qchroot_api::{Isolation, ReleaseSource, ReleaseWish, SharedStorage};
use qchroot_engine::Host;
use qchroot_host::Machine;

use super::subject::Subject;
use super::trial::Trial;
use super::{kept, source as of_source};
use crate::FakeHost;

/// The suite for a storage.
#[must_use]
pub fn storage(make: impl Fn() -> Box<dyn SharedStorage> + Send + Sync + 'static) -> Vec<Trial> {
    let subject = Subject::new(make).kept_by(kept::compare);
    let own = subject.clone();
    let behind = Subject::new(move || Box::new(looped(Exported::Storage(own.make()))) as _);
    both(super::storage::storage, &subject, &behind.kept_by(kept::compare))
}

/// The suite for an isolation.
#[must_use]
pub fn isolation(make: impl Fn() -> Box<dyn Isolation> + Send + Sync + 'static) -> Vec<Trial> {
    let subject = Subject::new(make).kept_by(kept::compare);
    let own = subject.clone();
    let behind = Subject::new(move || Box::new(looped(Exported::Isolation(own.make()))) as _);
    both(super::isolation::isolation, &subject, &behind.kept_by(kept::compare))
}

/// The suite for a release source on the fake machine. `prepare` puts there what it reads, and says what to ask it for.
#[must_use]
pub fn source(
    make: impl Fn() -> Box<dyn ReleaseSource> + Send + Sync + 'static,
    prepare: impl Fn(&FakeHost) -> ReleaseWish + Send + Sync + 'static,
) -> Vec<Trial> {
    let (subject, prepare): (_, of_source::Prepare) = (Subject::new(make), Arc::new(prepare));
    let own = subject.clone();
    let behind = Subject::new(move || Box::new(looped(Exported::Source(own.make()))) as _);
    both(|subject| of_source::source(subject, &prepare), &subject, &behind)
}

fn looped(back_end: Exported) -> Remote {
    Remote::looped(back_end).expect("the border lets a back end say who it is")
}

fn both<T: ?Sized>(
    suite: impl Fn(&Subject<T>) -> Vec<Trial>,
    subject: &Subject<T>,
    behind: &Subject<T>,
) -> Vec<Trial> {
    let behind = suite(behind).into_iter().map(Trial::behind_the_border);
    suite(subject).into_iter().chain(behind).collect()
}

/// Runs the trials under the arguments that `cargo test` gives; on Linux in a mount namespace of their own.
#[must_use]
pub fn main(trials: Vec<Trial>) -> ExitCode {
    if Machine::new().is_superuser() {
        qchroot_host::own_mounts().expect("the superuser can have a mount namespace");
    }
    // The machine forks, and the namespace is this thread's.
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    let trials = trials
        .into_iter()
        .map(|trial| libtest_mimic::Trial::test(trial.full_name(), move || trial.run().map_err(Into::into)));
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}
