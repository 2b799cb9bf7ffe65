//! Isolations with one fault each.

use qchroot_api::{
    Backend, Base, Capability, Container, Info, Isolation, Observe, Options, Place, Plan, Platform, Result,
    Step, Way,
};
use qchroot_isolation_chroot::Chroot;
use qchroot_testkit::behavior::{self, Trial};

use super::{another, are_caught};

const NOTHING: u8 = 0;
const OTHER_PLAN: u8 = 1;
const TWO_LINES: u8 = 2;
const OUTSIDE: u8 = 3;
const LEAVES: u8 = 4;
const NOT_AGAIN: u8 = 5;
const NO_WAY: u8 = 6;
const SHOWS_MOUNTS: u8 = 7;
const NO_INIT: u8 = 8;
const THROUGH_LINKS: u8 = 9;

struct Bad<const FAULT: u8>;

impl<const FAULT: u8> Backend for Bad<FAULT> {
    fn info(&self) -> Info {
        let mut info = Info { platforms: vec![Platform::Linux], ..Chroot.info() };
        if FAULT == SHOWS_MOUNTS {
            info.capabilities.insert(Capability::OwnMounts);
        }
        info
    }

    fn check(&self, options: &Options) -> Result<()> {
        Chroot.check(options)
    }
}

impl<const FAULT: u8> Isolation for Bad<FAULT> {
    fn up(&self, base: &Base, container: &Container, host: &dyn Observe) -> Result<Plan> {
        let mut plan = Chroot.up(base, container, host)?;
        let root = container.root();
        let dir = |path: &str, mode| Step::MakeDir { at: Place::within(&root, path), mode };
        match FAULT {
            OTHER_PLAN => plan.push(dir("tmp/x", 0o700 + another() % 8)),
            TWO_LINES => plan.push(dir("tmp/x\ny", 0o700)),
            OUTSIDE => plan.push(Step::MakeDir { at: Place::host("/q/stray"), mode: 0o755 }),
            LEAVES => plan.insert(0, Step::RemoveTree { at: root.join("home") }),
            NOT_AGAIN => plan.extend([
                dir("tmp/x", 0o700),
                Step::Rename { from: root.join("tmp/x"), to: root.join("tmp/y") },
            ]),
            NO_INIT => plan.retain(|step| !matches!(step, Step::StartInit { .. })),
            THROUGH_LINKS => plan = plan.into_iter().map(by_the_host).collect(),
            _ => {}
        }
        Ok(plan)
    }

    fn way(&self, container: &Container, host: &dyn Observe) -> Result<Way> {
        if FAULT == NO_WAY { Ok(Way::chroot("/nowhere")) } else { Chroot.way(container, host) }
    }
}

/// The host's own paths are resolved through every link but the last.
fn by_the_host(step: Step) -> Step {
    match step {
        Step::MakeDir { at, mode } if at.path() == "dev" => Step::MakeDir { at: Place::host("/etc"), mode },
        Step::Device { at, major, minor } => Step::Device { at: Place::host(at.lexical()), major, minor },
        other => other,
    }
}

fn suite<const FAULT: u8>() -> Vec<Trial> {
    behavior::isolation(|| Box::new(Bad::<FAULT>))
}

#[test]
fn every_check_of_an_isolation_can_fail() {
    are_caught(
        suite::<NOTHING>,
        &[
            (suite::<OTHER_PLAN>, &["the same input gives the same plan"]),
            (suite::<TWO_LINES>, &["plans cross the border unchanged"]),
            (suite::<OUTSIDE>, &["up stays in the root"]),
            (suite::<LEAVES>, &["up and its inverse leave no trace", "a failed up leaves no trace"]),
            (suite::<NOT_AGAIN>, &["a second up finds everything there"]),
            (suite::<NO_WAY>, &["a program gets inside"]),
            (suite::<SHOWS_MOUNTS>, &["the host sees none of its own mounts"]),
            (suite::<NO_INIT>, &["going down ends the container's processes and no others"]),
            (suite::<THROUGH_LINKS>, &["planted links fail closed", "up stays in the root"]),
        ],
    );
}
