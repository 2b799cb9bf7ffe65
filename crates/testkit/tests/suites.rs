//! The suites tell a bad back end from a good one: each of these does one thing wrong, and the trial that is
//! about it fails.

#![allow(clippy::unwrap_used, reason = "tests report by panicking")]

use camino::Utf8PathBuf;
use qchroot_api::{
    Backend, Base, Container, Info, Isolation, Mount, Observe, Options, Place, Plan, Platform, Result,
    SharedStorage, Step, Way,
};
use qchroot_isolation_chroot::Chroot;
use qchroot_storage_nullfs::Nullfs;
use qchroot_testkit::behavior::{self, Trial};

/// What is wrong with a back end.
const NOTHING: u8 = 0;
const WRITABLE: u8 = 1;
const OUTSIDE: u8 = 2;
const OWN_PATH: u8 = 3;
const ANY_OPTION: u8 = 4;
const NO_PROGRAM: u8 = 5;
const THROUGH_LINKS: u8 = 6;

struct Bad<const FAULT: u8>;

impl<const FAULT: u8> Backend for Bad<FAULT> {
    fn info(&self) -> Info {
        Info { platforms: vec![Platform::Linux], ..Nullfs.info() }
    }

    fn check(&self, options: &Options) -> Result<()> {
        if FAULT == ANY_OPTION { Ok(()) } else { Nullfs.check(options) }
    }
}

impl<const FAULT: u8> SharedStorage for Bad<FAULT> {
    fn create(&self, base: &Base, container: &Container, host: &dyn Observe) -> Result<Plan> {
        let mut plan = Nullfs.create(base, container, host)?;
        match FAULT {
            OUTSIDE => plan.push(Step::MakeDir { at: Place::host("/q/stray"), mode: 0o755 }),
            OWN_PATH => plan.push(Step::Link {
                at: Place::within(container.root(), "self"),
                to: container.dir.clone(),
                was: None,
            }),
            NO_PROGRAM => plan.push(Step::Run { argv: vec!["tool".into()], check: None, undo: None }),
            _ => {}
        }
        Ok(plan)
    }

    fn attach(&self, base: &Base, container: &Container, host: &dyn Observe) -> Result<Plan> {
        let plan = Nullfs.attach(base, container, host)?;
        let writable = |step| match step {
            Step::Mount(mount) if FAULT == WRITABLE => Step::Mount(Mount { read_only: false, ..mount }),
            other => other,
        };
        Ok(plan.into_iter().map(writable).collect())
    }

    fn layers(&self, base: &Base, container: &Container) -> Result<Vec<Utf8PathBuf>> {
        Nullfs.layers(base, container)
    }

    fn private(&self, container: &Container) -> Result<Utf8PathBuf> {
        Nullfs.private(container)
    }
}

struct BadIsolation<const FAULT: u8>;

impl<const FAULT: u8> Backend for BadIsolation<FAULT> {
    fn info(&self) -> Info {
        Info { platforms: vec![Platform::Linux], ..Chroot.info() }
    }
}

impl<const FAULT: u8> Isolation for BadIsolation<FAULT> {
    fn up(&self, base: &Base, container: &Container, host: &dyn Observe) -> Result<Plan> {
        let plan = Chroot.up(base, container, host)?;
        let by_the_host = |step| match step {
            Step::MakeDir { at, mode } if at.path() == "dev" => {
                Step::MakeDir { at: Place::host("/etc"), mode }
            }
            Step::Device { at, major, minor } => Step::Device { at: Place::host(at.lexical()), major, minor },
            other => other,
        };
        // The host's own paths are resolved through every link but the last.
        Ok(plan
            .into_iter()
            .map(|step| if FAULT == THROUGH_LINKS { by_the_host(step) } else { step })
            .collect())
    }

    fn way(&self, container: &Container, host: &dyn Observe) -> Result<Way> {
        Chroot.way(container, host)
    }
}

/// The number of trials with this name that fail.
fn failures(trials: Vec<Trial>, name: &str) -> usize {
    let (named, _): (Vec<Trial>, Vec<Trial>) =
        trials.into_iter().partition(|trial| trial.full_name() == name);
    assert_eq!(named.len(), 1, "there is no trial {name:?}");
    named.into_iter().filter_map(|trial| trial.run().err()).count()
}

#[track_caller]
fn is_caught<const FAULT: u8>(by: &str) {
    assert_eq!(failures(behavior::storage(|| Box::new(Bad::<NOTHING>)), by), 0, "a good one fails");
    assert_eq!(failures(behavior::storage(|| Box::new(Bad::<FAULT>)), by), 1, "a bad one passes");
}

#[test]
fn a_writable_base_is_caught() {
    is_caught::<WRITABLE>("linux: what is shared is read-only");
    is_caught::<WRITABLE>("linux: the base never changes");
}

#[test]
fn a_step_outside_is_caught() {
    is_caught::<OUTSIDE>("linux: create stays in its directory and mounts nothing");
}

#[test]
fn a_path_that_will_not_last_is_caught() {
    is_caught::<OWN_PATH>("linux: create names no path of its own");
}

#[test]
fn an_option_that_is_not_refused_is_caught() {
    is_caught::<ANY_OPTION>("an option that is unknown, or of another type, is refused by name");
}

#[test]
fn a_step_that_cannot_be_done_is_caught() {
    is_caught::<NO_PROGRAM>("linux: create and its inverse leave no trace");
}

#[test]
fn steps_that_follow_planted_links_are_caught() {
    let by = "linux: planted links fail closed";
    assert_eq!(failures(behavior::isolation(|| Box::new(BadIsolation::<NOTHING>)), by), 0);
    assert_eq!(failures(behavior::isolation(|| Box::new(BadIsolation::<THROUGH_LINKS>)), by), 1);
}
