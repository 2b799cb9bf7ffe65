//! Copies: a container made of another, and what it was at an earlier time.

use qchroot_api::{DiskStep, Error, ErrorKind, Place, Plan, Result, Step};

use super::Trials;
use super::world::{DIR, World};
use crate::behavior::footprint::stays_within;
use crate::behavior::transaction::{
    ends_before_or_after, leaves_no_trace, rolls_back_from_everywhere, succeed,
};
use crate::behavior::{round_trips, view};

const COPY: &str = "/q/copy";

pub(super) const CLONE: Trials = &[
    ("a plan for a copy stays in its place", |w| {
        let plan = copy(w.created()).expect("a copy can be planned");
        w.compare("clone", &plan);
        round_trips(&plan);
        // The original is put in order before it is read.
        let check = |step: &Step| matches!(step, Step::Disk(DiskStep::Check { .. }));
        let (of_original, of_copy): (Plan, Plan) = plan.into_iter().partition(check);
        let others: Vec<_> = w.others().into_iter().chain([DIR.into()]).collect();
        stays_within(&of_original, DIR.into(), &others);
        stays_within(&of_copy, COPY.into(), &others);
    }),
    ("a copy and its inverse leave no trace", |w| {
        leaves_no_trace(&w.host, &copy(w.created()).expect("a copy can be planned"));
    }),
    ("a failed copy leaves no trace", |w| {
        rolls_back_from_everywhere(|| {
            w.again(|w| (w.host.clone(), copy(w.created()).expect("a copy can be planned")))
        });
    }),
    ("a copy has everything, and goes its own way", copies_go_apart),
];

pub(super) const SNAPSHOT: Trials = &[
    ("plans for snapshots stay in the container", snapshot_plans),
    ("a snapshot brings back what was", brings_back),
    ("a failed snapshot leaves no trace", |w| {
        rolls_back_from_everywhere(|| {
            w.again(|w| (w.host.clone(), take(w.created(), "one").expect("a snapshot can be planned")))
        });
    }),
    ("going back that fails leaves what was or what is to be", |w| {
        succeed(&w.host, &take(w.created(), "one").expect("a snapshot can be planned"));
        w.while_attached(|w| w.write("etc/new").expect("a container can write its own files"));
        for plan in [restore, forget] {
            ends_before_or_after(|| {
                let w = w.twin();
                let plan = plan(&w, "one").expect("it can be planned");
                (w.host, plan)
            });
        }
    }),
];

/// Plans a copy in an empty directory.
fn copy(w: &World) -> Result<Plan> {
    succeed(&w.host, &vec![Step::Stage { at: COPY.into() }]);
    w.storage.clone_of(&w.base, &w.container(), &w.container_in("copy", COPY), view(&w.host))
}

fn copies_go_apart(w: &World) {
    w.created();
    w.while_attached(|w| w.write("etc/new").expect("a container can write its own files"));
    succeed(&w.host, &copy(w).expect("a copy can be planned"));
    let second = w.container_in("copy", COPY);
    let attach = |w: &World| succeed(&w.host, &w.attach_of(&second));
    let read = |w: &World, path| view(&w.host).read(&Place::within(second.root(), path));
    succeed(&w.host, &w.attach());
    attach(w);
    for path in ["etc/new", "etc/group", "usr/bin/true"] {
        assert_eq!(read(w, path).ok(), w.read(path), "{path} differs in the copy");
    }
    w.write_text("etc/new", "newer").expect("a container can write its own files");
    w.host.write_inside(second.root(), "etc/other", "x").expect("a copy can write its own files");
    assert_eq!(read(w, "etc/new").as_deref(), Ok("new"), "the copy sees what the first one wrote");
    assert_eq!(w.read("etc/other"), None, "the first one sees what the copy wrote");
}

fn take(w: &World, name: &str) -> Result<Plan> {
    w.storage.snapshot(&w.container(), name, view(&w.host))
}

fn restore(w: &World, name: &str) -> Result<Plan> {
    w.storage.restore(&w.container(), name, view(&w.host))
}

fn forget(w: &World, name: &str) -> Result<Plan> {
    w.storage.forget(&w.container(), name, view(&w.host))
}

fn names(w: &World) -> Vec<String> {
    let all = w.storage.snapshots(&w.container(), view(&w.host)).expect("snapshots can be listed");
    all.into_iter().map(|snapshot| snapshot.name).collect()
}

fn snapshot_plans(w: &World) {
    w.created();
    let look = |verb, plan: Result<Plan>| {
        let plan = plan.expect("it can be planned");
        w.compare(verb, &plan);
        round_trips(&plan);
        stays_within(&plan, DIR.into(), &w.others());
        plan
    };
    succeed(&w.host, &look("snapshot", take(w, "one")));
    look("restore", restore(w, "one"));
    look("forget", forget(w, "one"));
}

fn brings_back(w: &World) {
    w.created();
    assert_eq!(names(w), Vec::<String>::new());
    let write = |path: &str, text: &str| w.write_text(path, text).expect("a container can write");
    let planned = "it can be planned";
    w.while_attached(|_| write("etc/kept", "old"));
    succeed(&w.host, &take(w, "one").expect(planned));
    w.while_attached(|_| write("etc/kept", "new"));
    w.while_attached(|_| write("etc/later", "new"));
    succeed(&w.host, &take(w, "two").expect(planned));
    if let Err(error) = restore(w, "one") {
        return the_newest_alone(w, &error);
    }
    for _ in 0..2 {
        succeed(&w.host, &restore(w, "one").expect(planned));
        w.while_attached(|w| {
            assert_eq!(w.read("etc/kept").as_deref(), Some("old"));
            assert_eq!(w.read("etc/later"), None, "what came later is there");
            write("etc/kept", "changed again");
        });
    }
    succeed(&w.host, &restore(w, "two").expect(planned));
    w.while_attached(|w| assert_eq!(w.read("etc/later").as_deref(), Some("new")));
    let mut all = names(w);
    all.sort();
    assert_eq!(all, ["one", "two"]);
    succeed(&w.host, &forget(w, "one").expect(planned));
    assert_eq!(names(w), ["two"]);
    w.while_attached(|w| assert_eq!(w.read("etc/later").as_deref(), Some("new")));
}

/// A storage that would lose what came later refuses, and goes back once that is removed.
fn the_newest_alone(w: &World, error: &Error) {
    assert_eq!(error.kind(), ErrorKind::Busy, "{error}");
    assert!(error.to_string().contains("two"), "{error} does not name what is in the way");
    assert_eq!(names(w), ["one", "two"]);
    let planned = "it can be planned";
    for (name, later) in [("two", Some("new")), ("one", None)] {
        w.while_attached(|w| w.write_text("etc/later", "changed again").expect("a container can write"));
        succeed(&w.host, &restore(w, name).expect(planned));
        w.while_attached(|w| assert_eq!(w.read("etc/later").as_deref(), later));
        if name == "two" {
            succeed(&w.host, &forget(w, name).expect(planned));
        }
    }
    assert_eq!(names(w), ["one"]);
}
