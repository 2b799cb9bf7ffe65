//! Limits, checks and copies on the real machine.

use std::fs;
use std::io::ErrorKind as Io;
use std::os::unix::fs::{FileExt, MetadataExt};

use camino::Utf8PathBuf;
use qchroot_api::{
    Capability, Container, DiskCheck, Error, ErrorKind, Place, Plan, Result, SharedStorage, Usage,
};
use qchroot_engine::Host;

use super::super::lab::Lab;
use super::{attach, attach_again, create, private};
use crate::behavior::transaction::{carry_out, succeed, take_back};
use crate::fixture::LIMIT;

type Check = fn(&mut Lab, &dyn SharedStorage);

pub(super) const ALL: &[(Capability, &str, Check)] = &[
    (Capability::Quota, "nobody takes more than was given", nobody_takes_more),
    (Capability::Resize, "a smaller and a larger limit keep what is there", other_limits),
    (Capability::Resize, "a limit that what is there does not fit in is refused", too_small),
    (Capability::Check, "a sound container is found sound", sound),
    (Capability::Check, "after an unclean stop it is put in order before it is attached", unclean),
    (Capability::Check, "one without its superblock stops only itself", destroyed),
    (Capability::Clone, "a copy has everything, and goes its own way", copies_go_apart),
    (Capability::Snapshot, "a snapshot brings back what was", brings_back),
];

/// A program of the container's, as its superuser, that writes until it cannot.
const FILL: &str =
    "n=0; while dd if=/usr/bin/box of=/fill.$n 2> /dev/null; do n=$((n+1)); done; test $n -gt 9";

fn second(lab: &Lab) -> Container {
    let dir = lab.path().join("lib/db");
    fs::create_dir(&dir).expect("a directory for a second container");
    Container { name: "db".parse().expect("a name"), dir, ..lab.container.clone() }
}

fn done<T>(planned: Result<T>) -> T {
    planned.expect("it can be planned")
}

/// Runs with the container attached.
fn while_attached(lab: &mut Lab, storage: &dyn SharedStorage, run: impl FnOnce(&mut Lab)) {
    attach_again(lab, storage);
    run(lab);
    lab.take_back();
    is_left(lab, storage);
}

/// Nothing shows the container's disk any more.
#[track_caller]
fn is_left(lab: &Lab, storage: &dyn SharedStorage) {
    if !storage.info().capabilities.contains(&Capability::Closed) {
        return;
    }
    let disk = lab.view().disk(&private(lab, storage)).expect("a disk can be looked at");
    assert!(disk.is_none_or(|disk| disk.attached.is_empty()), "the disk is still attached");
}

fn usage(lab: &Lab, storage: &dyn SharedStorage) -> Usage {
    let usage = storage.usage(&lab.container, lab.view()).expect("the usage can be told");
    usage.expect("a storage with limits tells the usage")
}

fn write(lab: &Lab, path: &str, text: &str) {
    fs::write(lab.container.root().join(path), text).expect("a file inside can be written");
}

fn read(container: &Container, path: &str) -> Option<String> {
    fs::read_to_string(container.root().join(path)).ok()
}

fn nobody_takes_more(lab: &mut Lab, storage: &dyn SharedStorage) {
    let other = second(lab);
    lab.carry_out(&done(storage.create(&lab.base, &other, lab.view())));
    lab.carry_out(&done(storage.attach(&lab.base, &other, lab.view())));
    attach(lab, storage);
    assert_eq!(lab.run(&lab.plain(), &["sh", "-c", FILL]), 0, "it was full too early");
    let more = fs::write(lab.container.root().join("more"), [1; 1 << 20]);
    assert_eq!(more.map_err(|error| error.kind()), Err(Io::StorageFull));
    let image = fs::metadata(private(lab, storage)).expect("what holds it is there");
    assert!(image.len() <= LIMIT && image.blocks() * 512 <= LIMIT, "{image:?}");
    let full = usage(lab, storage);
    assert!(full.limit == Some(LIMIT) && full.used <= LIMIT && full.used > LIMIT / 10 * 9, "{full:?}");
    fs::write(other.root().join("etc/new"), "new").expect("another container has no space any more");
    lab.take_back();
    while_attached(lab, storage, |lab| {
        let first = fs::read(lab.container.root().join("fill.0")).expect("it is there");
        assert!(first == fs::read(lab.container.root().join("usr/bin/box")).expect("it is there"));
    });
}

fn other_limits(lab: &mut Lab, storage: &dyn SharedStorage) {
    attach(lab, storage);
    write(lab, "etc/new", "new");
    lab.take_back();
    for to in [LIMIT / 2, LIMIT * 2] {
        let plan = done(storage.resize(&lab.base, &lab.container, to, lab.view()));
        succeed(&lab.machine, &plan);
        while_attached(lab, storage, |lab| {
            assert_eq!(usage(lab, storage).limit, Some(to));
            assert_eq!(read(&lab.container, "etc/new").as_deref(), Some("new"), "what was written is lost");
            let free = lab.view().space(&Place::host(lab.container.root()));
            let total = free.expect("it is mounted").total;
            assert!(total > to / 10 * 6 && total <= to, "there are {total} bytes of {to}");
        });
    }
}

fn too_small(lab: &mut Lab, storage: &dyn SharedStorage) {
    attach(lab, storage);
    assert_eq!(lab.run(&lab.plain(), &["sh", "-c", FILL]), 0);
    lab.take_back();
    let before = Lab::listing(&lab.container.dir);
    let refused = storage.resize(&lab.base, &lab.container, LIMIT / 2, lab.view());
    let error = refused.expect_err("what is inside does not fit");
    assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
    let used: u64 = error.fact("used").expect("the figures").parse().expect("a number");
    assert!(used > LIMIT / 2, "{error:?}");
    assert_eq!(Lab::listing(&lab.container.dir), before);
}

fn sound(lab: &mut Lab, storage: &dyn SharedStorage) {
    create(lab, storage);
    fs::create_dir_all(&lab.container.log).expect("a directory for logs");
    let plan = done(storage.examine(&lab.container, DiskCheck::Full, lab.view()));
    succeed(&lab.machine, &plan);
    while_attached(lab, storage, |lab| assert!(read(&lab.container, "etc/passwd").is_some()));
}

/// Puts a copy of the disk in its place that was made while it was mounted, as a power cut leaves it.
fn stop_uncleanly(lab: &mut Lab, storage: &dyn SharedStorage) {
    attach(lab, storage);
    write(lab, "etc/new", "new");
    lab.machine.flush(&lab.container.root()).expect("what was written can be flushed");
    let (disk, copy) = (private(lab, storage), lab.path().join("copy"));
    fs::copy(&disk, &copy).expect("the disk can be copied");
    lab.take_back();
    fs::rename(copy, disk).expect("the copy takes its place");
    fs::create_dir_all(&lab.container.log).expect("a directory for logs");
}

fn unclean(lab: &mut Lab, storage: &dyn SharedStorage) {
    stop_uncleanly(lab, storage);
    let mut strict = lab.container.clone();
    strict.storage.insert("check".into(), "refuse".into());
    let refused = attempt(lab, &done(storage.attach(&lab.base, &strict, lab.view())));
    assert_eq!(refused.kind(), ErrorKind::BadData, "{refused}");
    assert!(refused.hint_text().is_some(), "{refused:?}");
    while_attached(lab, storage, |lab| {
        assert_eq!(read(&lab.container, "etc/new").as_deref(), Some("new"), "what was written is lost");
    });
    let log = fs::read_to_string(lab.container.log.join("disk.log")).expect("there is a log");
    assert!(!log.is_empty());
}

/// Carries out a plan that must fail, and takes back what it did; the failure.
fn attempt(lab: &Lab, plan: &Plan) -> Error {
    let outcome = carry_out(&lab.machine, plan);
    take_back(&lab.machine, &outcome.begun);
    outcome.end.expect_err("the plan was carried out")
}

fn destroyed(lab: &mut Lab, storage: &dyn SharedStorage) {
    create(lab, storage);
    fs::create_dir_all(&lab.container.log).expect("a directory for logs");
    let disk = fs::File::options().write(true).open(private(lab, storage));
    disk.expect("the disk is there").write_all_at(&[0; 128 << 10], 0).expect("it can be written");
    let before = Lab::listing(&lab.container.dir);
    let refused = attempt(lab, &done(storage.attach(&lab.base, &lab.container, lab.view())));
    assert_eq!(refused.kind(), ErrorKind::BadData, "{refused}");
    assert!(refused.hint_text().is_some(), "{refused:?}");
    assert_eq!(Lab::listing(&lab.container.dir), before);
    is_left(lab, storage);
    let other = second(lab);
    lab.carry_out(&done(storage.create(&lab.base, &other, lab.view())));
    lab.carry_out(&done(storage.attach(&lab.base, &other, lab.view())));
    lab.take_back();
}

fn copies_go_apart(lab: &mut Lab, storage: &dyn SharedStorage) {
    attach(lab, storage);
    write(lab, "etc/new", "new");
    lab.take_back();
    let copy = second(lab);
    let plan = done(storage.clone_of(&lab.base, &lab.container, &copy, lab.view()));
    lab.carry_out(&plan);
    lab.carry_out(&done(storage.attach(&lab.base, &copy, lab.view())));
    attach_again(lab, storage);
    assert_eq!(read(&copy, "etc/new").as_deref(), Some("new"), "the copy lacks a file");
    write(lab, "etc/new", "newer");
    fs::write(copy.root().join("etc/other"), "x").expect("a copy can write its own files");
    assert_eq!(read(&copy, "etc/new").as_deref(), Some("new"), "the copy sees what the first one wrote");
    assert_eq!(read(&lab.container, "etc/other"), None, "the first one sees what the copy wrote");
    lab.take_back();
}

fn brings_back(lab: &mut Lab, storage: &dyn SharedStorage) {
    attach(lab, storage);
    write(lab, "etc/kept", "old");
    lab.take_back();
    succeed(&lab.machine, &done(storage.snapshot(&lab.container, "one", lab.view())));
    while_attached(lab, storage, |lab| {
        write(lab, "etc/kept", "new");
        write(lab, "etc/later", "new");
    });
    for _ in 0..2 {
        succeed(&lab.machine, &done(storage.restore(&lab.container, "one", lab.view())));
        while_attached(lab, storage, |lab| {
            assert_eq!(read(&lab.container, "etc/kept").as_deref(), Some("old"));
            assert_eq!(read(&lab.container, "etc/later"), None, "what came later is there");
            write(lab, "etc/kept", "changed again");
        });
    }
    let all = storage.snapshots(&lab.container, lab.view()).expect("snapshots can be listed");
    assert!(all.len() == 1 && all[0].taken > 0, "{all:?}");
    succeed(&lab.machine, &done(storage.forget(&lab.container, "one", lab.view())));
    let left: Vec<Utf8PathBuf> = Lab::listing(&lab.container.dir).into_keys().collect();
    assert!(!left.iter().any(|path| path.as_str().contains("/one")), "{left:?}");
}
