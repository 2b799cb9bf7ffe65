//! A storage on the real machine: what every one of them must do there.

mod disks;

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Capability, Kind, Place, SharedStorage};

use super::lab::{self, Lab};
use super::{here, trials};
use crate::behavior::storage::Storage;
use crate::behavior::transaction::{all_present, carry_out, succeed, take_back};
use crate::behavior::trial::Trial;
use crate::fixture::{needs_pool, with_required};

pub(crate) fn storage(subject: &Storage) -> Vec<Trial> {
    let info = subject.make().info();
    let run = |check: fn(&mut Lab, &dyn SharedStorage)| -> Box<dyn FnOnce() + Send> {
        let subject = subject.clone();
        Box::new(move || check(&mut lab(&subject), &*subject.make()))
    };
    if needs_pool(&*subject.make()) {
        // A pool cannot be made here: such a storage meets the real kernel in the end-to-end tests, with a stand-in.
        return vec![];
    }
    let mut all = vec![
        ("a program runs and nothing is left", run(nothing_left)),
        ("a second attach finds everything there", run(second_attach)),
        ("a create that is taken back leaves an empty directory", run(create_back)),
    ];
    if info.capabilities.contains(&Capability::OwnRoot) {
        all.push(("the tree is as it was, times of directories too", run(tree_as_it_was)));
    } else {
        all.push(("what a container writes is its own", run(writes_are_own)));
    }
    if info.capabilities.contains(&Capability::SharedReadOnly) {
        all.push(("a program of the base cannot be changed", run(shared_read_only)));
    }
    if info.capabilities.contains(&Capability::CopyOnWrite) {
        all.push(("a program of the base can be replaced for oneself", run(copy_on_write)));
    }
    // Limits are examined where a container has a file system of its own, which says itself how large it is.
    let has_disk = info.capabilities.contains(&Capability::Check);
    let is_limit = |capability: &Capability| matches!(capability, Capability::Quota | Capability::Resize);
    let more = disks::ALL.iter().filter(|(capability, ..)| {
        info.capabilities.contains(capability) && (has_disk || !is_limit(capability))
    });
    all.extend(more.map(|(_, name, check)| (*name, run(*check))));
    trials(Kind::SharedStorage, &info.platforms, lab::unable(here()), all)
}

fn lab(subject: &Storage) -> Lab {
    let storage = &*subject.make();
    let mut lab = Lab::new(here());
    if storage.info().capabilities.contains(&Capability::OwnRoot) {
        lab.merge_base();
    }
    lab.container = with_required(lab.container.clone(), storage, &lab.base);
    lab.container.storage.extend(subject.options.clone());
    lab
}

/// The files of the base, without what storages keep there to make containers from.
fn base(lab: &Lab) -> BTreeMap<Utf8PathBuf, String> {
    listing_without_kept(lab, &lab.path().join("release"))
}

fn listing_without_kept(lab: &Lab, dir: &Utf8Path) -> BTreeMap<Utf8PathBuf, String> {
    let kept = lab.path().join("release/disks");
    let mut all = Lab::listing(dir);
    all.retain(|path, _| !path.starts_with(&kept));
    all
}

/// A tree without the directories and files that a session needs; nothing of them may stay.
fn tree_as_it_was(lab: &mut Lab, storage: &dyn SharedStorage) {
    let tree = lab.base.template.clone();
    std::fs::remove_dir(tree.join("dev")).expect("the directory was empty");
    std::os::unix::fs::symlink("../run/names/resolv.conf", tree.join("etc/resolv.conf")).expect("a link");
    let times = |tree: &Utf8Path| {
        let meta = |path: &str| std::fs::metadata(tree.join(path)).expect("it is there");
        ["", "etc", "usr"].map(|path| (meta(path).mtime(), meta(path).mtime_nsec()))
    };
    let before = (Lab::listing(&tree), times(&tree));
    attach(lab, storage);
    assert_eq!(lab.shell(&lab.plain(), "test -d /dev && read line < /etc/resolv.conf"), 0);
    std::fs::remove_file(tree.join("tmp/errors")).expect("what the shell complained of");
    lab.take_back();
    assert_eq!((Lab::listing(&tree), times(&tree)), before);
}

/// Creates the container, and attaches it.
#[track_caller]
fn attach(lab: &mut Lab, storage: &dyn SharedStorage) {
    create(lab, storage);
    attach_again(lab, storage);
}

#[track_caller]
fn create(lab: &Lab, storage: &dyn SharedStorage) {
    let create = storage.create(&lab.base, &lab.container, lab.view()).expect("create can be planned");
    succeed(&lab.machine, &create);
}

#[track_caller]
fn attach_again(lab: &mut Lab, storage: &dyn SharedStorage) {
    let attach = storage.attach(&lab.base, &lab.container, lab.view()).expect("attach can be planned");
    lab.carry_out(&attach);
}

fn nothing_left(lab: &mut Lab, storage: &dyn SharedStorage) {
    let before = base(lab);
    attach(lab, storage);
    assert_eq!(lab.run(&lab.plain(), &["/usr/bin/true"]), 0);
    assert_eq!(lab.run(&lab.plain(), &["/usr/bin/false"]), 1);
    assert_eq!(lab.run(&lab.plain(), &["sh", "-c", "exit 7"]), 7);
    lab.take_back();
    assert_eq!(base(lab), before, "the base has changed");
    attach(lab, storage_again(lab, storage));
    lab.take_back();
}

/// The storage, with the container's directory empty for a second create.
fn storage_again<'a>(lab: &Lab, storage: &'a dyn SharedStorage) -> &'a dyn SharedStorage {
    std::fs::remove_dir_all(&lab.container.dir).expect("a detached container can be removed");
    std::fs::create_dir(&lab.container.dir).expect("a directory for the container");
    storage
}

fn second_attach(lab: &mut Lab, storage: &dyn SharedStorage) {
    attach(lab, storage);
    let plan = storage.attach(&lab.base, &lab.container, lab.view()).expect("attach can be planned");
    all_present(&lab.machine, &plan);
    lab.take_back();
}

fn writes_are_own(lab: &mut Lab, storage: &dyn SharedStorage) {
    let before = base(lab);
    attach(lab, storage);
    assert_eq!(lab.run(&lab.plain(), &["touch", "/etc/new"]), 0);
    lab.shell(&lab.plain(), "echo x > /usr/bin/new; echo x > /usr/bin/words");
    let closed = storage.info().capabilities.contains(&Capability::Closed);
    if closed {
        is_in_private_layer(lab, storage);
    }
    lab.take_back();
    assert_eq!(base(lab), before, "the base has changed");
    if !closed {
        is_in_private_layer(lab, storage);
    }
}

/// What was written is in a layer of the container's own. Of a closed one the uppermost layer is what it shows of it.
fn is_in_private_layer(lab: &Lab, storage: &dyn SharedStorage) {
    let layers = storage.layers(&lab.base, &lab.container).expect("its layers are known");
    let found = layers.iter().find(|layer| {
        let stat = lab.view().stat(&Place::within(*layer, "etc/new"));
        stat.expect("a layer can be looked at").is_some()
    });
    let found = found.expect("what was written is in no layer");
    let closed = storage.info().capabilities.contains(&Capability::Closed);
    let private = if closed { lab.container.dir.clone() } else { private(lab, storage) };
    assert!(found.starts_with(private), "it is not in the private part");
}

fn create_back(lab: &mut Lab, storage: &dyn SharedStorage) {
    let before = listing_without_kept(lab, &lab.path());
    let plan = storage.create(&lab.base, &lab.container, lab.view()).expect("create can be planned");
    let outcome = carry_out(&lab.machine, &plan);
    outcome.end.expect("the container can be created");
    take_back(&lab.machine, &outcome.begun);
    assert_eq!(listing_without_kept(lab, &lab.path()), before);
}

fn shared_read_only(lab: &mut Lab, storage: &dyn SharedStorage) {
    attach(lab, storage);
    for line in ["echo x > /usr/bin/new", "echo x > /usr/bin/words", "echo x >> /usr/bin/words"] {
        assert_ne!(lab.shell(&lab.plain(), line), 0, "{line}");
    }
    lab.take_back();
}

fn copy_on_write(lab: &mut Lab, storage: &dyn SharedStorage) {
    let before = Lab::listing(&lab.base.sharedfs);
    attach(lab, storage);
    for line in ["echo new > /usr/bin/words", "read word < /usr/bin/words && test $word = new"] {
        assert_eq!(lab.shell(&lab.plain(), line), 0, "{line}");
    }
    lab.take_back();
    assert_eq!(Lab::listing(&lab.base.sharedfs), before, "the base has changed");
}

/// Where the storage says the container's own data is.
pub(super) fn private(lab: &Lab, storage: &dyn SharedStorage) -> Utf8PathBuf {
    storage.private(&lab.container).expect("its private part is known")
}
