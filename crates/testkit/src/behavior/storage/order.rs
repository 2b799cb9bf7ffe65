//! File systems of containers: looked at after an unclean stop and by hand, and what is damaged stops only its own
//! container.

use qchroot_api::{DiskCheck, ErrorKind, Plan};

use super::Trials;
use super::world::{DIR, World};
use crate::Flaw;
use crate::behavior::footprint::stays_within;
use crate::behavior::transaction::{carry_out, succeed, take_back};
use crate::behavior::{round_trips, view};

pub(super) const CHECK: Trials = &[
    ("plans for a check stay in the container", |w| {
        let plan = examine(w.created());
        w.compare("examine", &plan);
        round_trips(&plan);
        stays_within(&plan, DIR.into(), &w.others());
    }),
    ("a sound container is found sound", |w| {
        let plan = examine(w.created());
        succeed(&w.host, &plan);
        w.while_attached(|w| assert!(w.read("etc/group").is_some(), "a file is lost"));
    }),
    ("after an unclean stop it is put in order before it is attached", unclean),
    ("one that is damaged stops only itself", damaged),
];

fn examine(w: &World) -> Plan {
    let plan = w.storage.examine(&w.container(), DiskCheck::Full, view(&w.host));
    plan.expect("a check can be planned")
}

fn unclean(w: &World) {
    w.attached();
    w.write("etc/new").expect("a container can write its own files");
    w.host.plant_dir("/q/run", 0o755);
    w.host.reboot("/q/run");
    w.while_attached(|w| assert_eq!(w.read("etc/new").as_deref(), Some("new"), "what was written is lost"));
    let log = w.host.files([w.container().log]).to_string();
    assert!(log.contains("repaired"), "the log tells nothing: {log}");
}

fn damaged(w: &World) {
    w.created();
    w.host.spoil(w.storage.private(&w.container()).expect("its private part is known"), Flaw::Damaged);
    let before = w.host.files([DIR]);
    let outcome = carry_out(&w.host, &w.attach());
    let error = outcome.end.expect_err("it is damaged");
    assert_eq!(error.kind(), ErrorKind::BadData, "{error}");
    assert!(error.hint_text().is_some(), "{error:?}");
    take_back(&w.host, &outcome.begun);
    before.assert_same(&w.host.files([DIR]), "after a damaged container was refused");
    let second = w.second();
    assert_eq!(w.host.write_inside(second.root(), "etc/new", "new"), Ok(()), "another one is stopped, too");
}
