//! What every storage must do.

mod copies;
mod limit;
mod order;
mod root;
mod world;

use libtest_mimic::Trial;
use qchroot_api::{Capability, FileKind, Kind, Place, Platform, SharedStorage, Step};

use super::footprint::stays_within;
use super::transaction::{all_present, leaves_no_trace, rolls_back_from_everywhere};
use crate::fixture::keeps_its_limit;

use super::{matches_snapshot, round_trips, trial, view};
use world::{DIR, STAGING, World};

/// How a suite makes the storage it examines.
type Make = fn() -> Box<dyn SharedStorage>;

/// Trials of one capability: a name, and what is done on every platform.
type Trials = &'static [(&'static str, fn(&World))];

/// The suite for a storage.
#[must_use]
pub fn storage(make: Make) -> Vec<Trial> {
    let info = make().info();
    let can = |capability| info.capabilities.contains(&capability);
    let mut trials = vec![trial("options and description", move || {
        super::backend(Kind::SharedStorage, move || make());
    })];
    let mut add = |name: &str, run: fn(&World)| {
        let of = |platform: &Platform| {
            let (name, platform) = (format!("{}: {name}", platform.to_string().to_lowercase()), *platform);
            trial(name, move || run(&World::new(make, platform)))
        };
        trials.extend(info.platforms.iter().map(of));
    };
    add("the same input gives the same plan", same_plan);
    add("plans cross the border unchanged", |w| [w.create(), w.attach()].iter().for_each(round_trips));
    add("plans are as they were", |w| {
        matches_snapshot(w.platform, "create", &w.create());
        matches_snapshot(w.platform, "attach", &w.attach());
    });
    add("create stays in its directory and mounts nothing", create_stays);
    add("create names no path of its own", create_is_relocatable);
    add("attach stays in the container", |w| stays_within(&w.attach(), DIR.into(), &w.others()));
    add("create and its inverse leave no trace", |w| leaves_no_trace(&w.host, &w.create()));
    add("attach and its inverse leave no trace", |w| leaves_no_trace(&w.created().host, &w.attach()));
    add("a failed create leaves no trace", |w| {
        rolls_back_from_everywhere(|| w.again(|w| (w.host.clone(), w.create())));
    });
    add("a failed attach leaves no trace", |w| {
        rolls_back_from_everywhere(|| w.again(|w| (w.created().host.clone(), w.attach())));
    });
    add("a second attach finds everything there", |w| all_present(&w.attached().host, &w.attach()));
    add("the root is the whole userland", root::whole_root);
    if can(Capability::OwnRoot) {
        add("what a container writes is in its tree", root::own_root);
    } else {
        add("the base never changes", root::base_never_changes);
        add("containers do not see each other", root::apart);
    }
    add("layers hold the files of a stopped container", root::layers);
    let more: [(Capability, Trials); 8] = [
        (Capability::SharedReadOnly, &[("what is shared is read-only", root::shared_read_only)]),
        (Capability::CopyOnWrite, &[("what is shared can be replaced for oneself", root::copy_on_write)]),
        (Capability::Closed, &[("nothing is seen of a stopped container", root::closed)]),
        (Capability::Quota, limit::QUOTA),
        (Capability::Resize, limit::RESIZE),
        (Capability::Check, order::CHECK),
        (Capability::Clone, copies::CLONE),
        (Capability::Snapshot, copies::SNAPSHOT),
    ];
    let of_host = |capability| matches!(capability, Capability::Quota | Capability::Resize);
    let able = more
        .into_iter()
        .filter(|(capability, _)| can(*capability) && (keeps_its_limit(&info) || !of_host(*capability)));
    able.flat_map(|(_, all)| all).for_each(|(name, run)| add(name, *run));
    trials.extend(super::real::storage(make));
    trials
}

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
