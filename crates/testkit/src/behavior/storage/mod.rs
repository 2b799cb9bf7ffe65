//! What every storage must do.

mod copies;
mod limit;
mod order;
mod root;
mod world;

use qchroot_api::{Capability, DiskCheck, ErrorKind, FileKind, Info, Kind, Place, SharedStorage, Step};

use super::footprint::stays_within;
use super::transaction::{all_present, leaves_no_trace, rolls_back_from_everywhere};
use crate::fixture::keeps_its_limit;

use super::subject::Subject;
use super::trial::{Scene, Trial};
use super::{description, fake, round_trips, view};
use world::{DIR, STAGING, World};

/// How a suite makes the storage it examines.
pub(crate) type Storage = Subject<dyn SharedStorage>;

/// A check by name, made on every platform.
type Check = (&'static str, fn(&World));

/// Checks of one capability.
type Trials = &'static [Check];

/// The suite for a storage.
pub(crate) fn storage(subject: &Storage) -> Vec<Trial> {
    let info = subject.make().info();
    let make = subject.clone();
    let mut trials = description(Scene::Description, Kind::SharedStorage, move || make.make());
    for platform in &info.platforms {
        let unable = fake::unable(*platform, &info, |host| {
            let w = World::on(host.clone(), subject, *platform);
            w.storage.create(&w.base, &w.container(), view(host)).map(drop)
        });
        let of = |&(name, run): &Check| {
            let (subject, platform) = (subject.clone(), *platform);
            let trial = Trial::new(Scene::Fake(platform), name, move || run(&World::new(&subject, platform)));
            trial.unless(unable.clone())
        };
        trials.extend(checks(subject, &info).iter().map(of));
    }
    trials.extend(super::real::storage(subject));
    trials
}

/// The checks on the fake machine for a storage that can what this one says.
fn checks(subject: &Storage, info: &Info) -> Vec<Check> {
    let can = |capability| info.capabilities.contains(&capability);
    let of_host = |capability| matches!(capability, Capability::Quota | Capability::Resize);
    let mut all = EVERY.to_vec();
    all.extend(subject.kept.map(|_| KEPT));
    all.extend(if can(Capability::OwnRoot) { OWN_ROOT } else { SHARED_ROOT });
    let able = ABLE
        .iter()
        .filter(|(capability, _)| can(*capability) && (keeps_its_limit(info) || !of_host(*capability)));
    all.extend(able.flat_map(|(_, checks)| *checks));
    all
}

const KEPT: Check = ("plans are as they were", |w| {
    w.compare("create", &w.create());
    w.compare("attach", &w.attach());
});

const EVERY: Trials = &[
    ("the same input gives the same plan", same_plan),
    ("plans cross the border unchanged", |w| [w.create(), w.attach()].iter().for_each(round_trips)),
    ("create stays in its directory and mounts nothing", create_stays),
    ("create names no path of its own", create_is_relocatable),
    ("attach stays in the container", |w| stays_within(&w.attach(), DIR.into(), &w.others())),
    ("create and its inverse leave no trace", |w| leaves_no_trace(&w.host, &w.create())),
    ("attach and its inverse leave no trace", |w| leaves_no_trace(&w.created().host, &w.attach())),
    ("a failed create leaves no trace", |w| {
        rolls_back_from_everywhere(|| w.again(|w| (w.host.clone(), w.create())));
    }),
    ("a failed attach leaves no trace", |w| {
        rolls_back_from_everywhere(|| w.again(|w| (w.created().host.clone(), w.attach())));
    }),
    ("a second attach finds everything there", |w| all_present(&w.attached().host, &w.attach())),
    ("the root is the whole userland", root::whole_root),
    ("layers hold the files of a stopped container", root::layers),
    ("what it cannot do it refuses in words", refuses_what_it_cannot),
];

const OWN_ROOT: Trials = &[("what a container writes is in its tree", root::own_root)];

const SHARED_ROOT: Trials = &[
    ("the base never changes", root::base_never_changes),
    ("containers do not see each other", root::apart),
];

const ABLE: [(Capability, Trials); 8] = [
    (Capability::SharedReadOnly, &[("what is shared is read-only", root::shared_read_only)]),
    (Capability::CopyOnWrite, &[("what is shared can be replaced for oneself", root::copy_on_write)]),
    (Capability::Closed, &[("nothing is seen of a stopped container", root::closed)]),
    (Capability::Quota, limit::QUOTA),
    (Capability::Resize, limit::RESIZE),
    (Capability::Check, order::CHECK),
    (Capability::Clone, copies::CLONE),
    (Capability::Snapshot, copies::SNAPSHOT),
];

fn same_plan(w: &World) {
    w.again(|other| {
        assert_eq!(w.create(), other.create());
        assert_eq!(w.attach(), other.attach());
    });
}

fn create_stays(w: &World) {
    let plan = w.create();
    stays_within(&plan, STAGING.into(), &w.others());
    assert!(!plan.iter().any(|step| matches!(step, Step::Mount(_))), "it mounts while it creates");
    w.created();
    let root = view(&w.host).stat(&Place::host(w.container().root())).expect("the root can be looked at");
    assert_eq!(root.map(|stat| stat.kind), Some(FileKind::Directory), "there is no root directory");
}

fn create_is_relocatable(w: &World) {
    w.created();
    let text = w.host.files([DIR]).to_string();
    let line = text.lines().find(|line| line.contains(STAGING));
    assert_eq!(line, None, "a file still names the staging directory");
}

/// A capability that is not claimed is a verb that is refused, not one that does nothing.
fn refuses_what_it_cannot(w: &World) {
    let (storage, container, host) = (&*w.created().storage, w.container(), view(&w.host));
    let other = w.container_in("copy", "/q/copy");
    let verbs = [
        (Capability::Resize, storage.resize(&w.base, &container, 1 << 30, host).map(drop)),
        (Capability::Check, storage.examine(&container, DiskCheck::Full, host).map(drop)),
        (Capability::Clone, storage.clone_of(&w.base, &container, &other, host).map(drop)),
        (Capability::Snapshot, storage.snapshot(&container, "one", host).map(drop)),
    ];
    for (capability, answer) in verbs.into_iter().filter(|(capability, _)| !w.can(*capability)) {
        let error = answer.expect_err(&format!("{capability:?} is no capability of its, and it does it"));
        assert!(!error.message().is_empty(), "{capability:?} is refused without a word");
        assert_ne!(error.kind(), ErrorKind::Internal, "{error}");
    }
}
