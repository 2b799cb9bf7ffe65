//! Storages with one fault each.

use camino::Utf8PathBuf;
use qchroot_api::{
    Backend, Base, Capability, Container, Info, Mount, MountFs, Observe, Options, Place, Plan, Platform,
    Result, SharedStorage, Step,
};
use qchroot_storage_nullfs::Nullfs;
use qchroot_testkit::behavior::{self, Trial};

use super::{another, are_caught};

const NOTHING: u8 = 0;
const WRITABLE: u8 = 1;
const OUTSIDE: u8 = 2;
const OWN_PATH: u8 = 3;
const OTHER_PLAN: u8 = 4;
const TWO_LINES: u8 = 5;
const STRAYS: u8 = 6;
const CREATE_LEAVES: u8 = 7;
const ATTACH_LEAVES: u8 = 8;
const NOT_AGAIN: u8 = 9;
const NO_ROOT: u8 = 10;
const NO_LAYERS: u8 = 11;
const SAYS_YES: u8 = 12;
const ONE_FOR_ALL: u8 = 13;

struct Bad<const FAULT: u8>;

impl<const FAULT: u8> Backend for Bad<FAULT> {
    fn info(&self) -> Info {
        let capabilities = [Capability::SharedReadOnly].into();
        Info { platforms: vec![Platform::Linux], capabilities, ..Nullfs.info() }
    }

    fn check(&self, options: &Options) -> Result<()> {
        Nullfs.check(options)
    }
}

impl<const FAULT: u8> SharedStorage for Bad<FAULT> {
    fn create(&self, base: &Base, container: &Container, host: &dyn Observe) -> Result<Plan> {
        let mut plan = Nullfs.create(base, container, host)?;
        let root = container.root();
        let dir = |path: &str, mode| Step::MakeDir { at: Place::within(&root, path), mode };
        match FAULT {
            OUTSIDE => plan.push(Step::MakeDir { at: Place::host("/q/stray"), mode: 0o755 }),
            OWN_PATH => plan.push(Step::Link {
                at: Place::within(&root, "self"),
                to: container.dir.clone(),
                was: None,
            }),
            OTHER_PLAN => plan.push(dir("tmp/x", 0o700 + another() % 8)),
            TWO_LINES => plan.push(dir("tmp/x\ny", 0o700)),
            CREATE_LEAVES => {
                // An empty directory: what stays is its mode.
                let (from, into) = (base.template.join("home"), container.dir.clone());
                plan.insert(0, Step::CopyInto { from, into });
            }
            _ => {}
        }
        Ok(plan)
    }

    fn attach(&self, base: &Base, container: &Container, host: &dyn Observe) -> Result<Plan> {
        let mut plan = Nullfs.attach(base, container, host)?;
        let root = container.root();
        match FAULT {
            WRITABLE => plan = plan.into_iter().map(writable).collect(),
            STRAYS => plan.push(Step::MakeDir { at: Place::host("/q/stray"), mode: 0o755 }),
            ATTACH_LEAVES => {
                plan.push(Step::CopyInto { from: base.template.join("etc"), into: root.join("home") })
            }
            NOT_AGAIN => plan.extend([
                Step::MakeDir { at: Place::within(&root, "tmp/x"), mode: 0o700 },
                Step::Rename { from: root.join("tmp/x"), to: root.join("tmp/y") },
            ]),
            NO_ROOT => plan.clear(),
            ONE_FOR_ALL => plan.extend(plan.clone().iter().find_map(|step| of_all(step, base, container))),
            _ => {}
        }
        Ok(plan)
    }

    fn layers(&self, base: &Base, container: &Container) -> Result<Vec<Utf8PathBuf>> {
        if FAULT == NO_LAYERS { Ok(vec![base.sharedfs.clone()]) } else { Nullfs.layers(base, container) }
    }

    fn private(&self, container: &Container) -> Result<Utf8PathBuf> {
        Nullfs.private(container)
    }

    fn resize(&self, base: &Base, container: &Container, to: u64, host: &dyn Observe) -> Result<Plan> {
        if FAULT == SAYS_YES { Ok(vec![]) } else { Nullfs.resize(base, container, to, host) }
    }
}

fn writable(step: Step) -> Step {
    match step {
        Step::Mount(mount) => Step::Mount(Mount { read_only: false, ..mount }),
        other => other,
    }
}

/// The base's own `etc` for everybody to write to.
fn of_all(step: &Step, base: &Base, container: &Container) -> Option<Step> {
    let Step::Mount(mount) = step else { return None };
    let (at, fs) =
        (Place::within(container.root(), "etc"), MountFs::Null { source: base.template.join("etc") });
    Some(Step::Mount(Mount { at, fs, read_only: false, ..mount.clone() }))
}

fn suite<const FAULT: u8>() -> Vec<Trial> {
    behavior::storage(|| Box::new(Bad::<FAULT>))
}

#[test]
fn every_check_of_a_storage_can_fail() {
    are_caught(
        suite::<NOTHING>,
        &[
            (suite::<WRITABLE>, &["the base never changes", "what is shared is read-only"]),
            (suite::<OUTSIDE>, &["create stays in its directory and mounts nothing"]),
            (suite::<OWN_PATH>, &["create names no path of its own"]),
            (suite::<OTHER_PLAN>, &["the same input gives the same plan"]),
            (suite::<TWO_LINES>, &["plans cross the border unchanged"]),
            (suite::<STRAYS>, &["attach stays in the container"]),
            (
                suite::<CREATE_LEAVES>,
                &["create and its inverse leave no trace", "a failed create leaves no trace"],
            ),
            (
                suite::<ATTACH_LEAVES>,
                &[
                    "a failed attach leaves no trace",
                    "a second attach finds everything there",
                    "attach and its inverse leave no trace",
                ],
            ),
            (suite::<NOT_AGAIN>, &["a second attach finds everything there"]),
            (
                suite::<NO_ROOT>,
                &[
                    "a failed attach leaves no trace",
                    "the root is the whole userland",
                    "what is shared is read-only",
                ],
            ),
            (suite::<NO_LAYERS>, &["layers hold the files of a stopped container"]),
            (suite::<SAYS_YES>, &["what it cannot do it refuses in words"]),
            (suite::<ONE_FOR_ALL>, &["the base never changes", "containers do not see each other"]),
        ],
    );
}
