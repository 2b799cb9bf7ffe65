//! What is seen in the root of a container, what it can change there, and what is left of it.

use camino::Utf8PathBuf;
use qchroot_api::{Capability, Place};

use super::world::World;
use crate::behavior::transaction::{succeed, take_back};
use crate::behavior::view;
use crate::fixture::{Small, userland};

pub(super) fn whole_root(w: &World) {
    w.attached();
    for &(path, small) in userland(w.base.brand) {
        let at = w.inside(path);
        match small {
            Small::File(text, _) => assert_eq!(view(&w.host).read(&at).as_deref(), Ok(text), "{at}"),
            Small::Dir(_) => assert!(view(&w.host).list(&at).is_ok(), "{at} is no directory"),
            Small::Link(to) => {
                assert_eq!(view(&w.host).link(&at), Ok(Some(to.into())), "{at}");
            }
        }
    }
}

pub(super) fn base_never_changes(w: &World) {
    let before = w.of_base();
    w.attached();
    let shared = w.base.shared.iter().map(|dir| dir.join("new"));
    for path in shared.chain(["etc/new".into(), "etc/passwd".into(), "new".into()]) {
        let _refused_or_kept_apart = w.write(&path);
    }
    assert_eq!(w.write("etc/new"), Ok(()), "a container cannot write its own files");
    before.assert_same(&w.of_base(), "after a container wrote wherever it could");
}

/// What was there is there after, and beside it what the container wrote, when nothing is attached any more.
pub(super) fn own_root(w: &World) {
    let before = w.of_base();
    w.created();
    let begun = succeed(&w.host, &w.attach());
    w.write("home/new").expect("a container can write into its tree");
    take_back(&w.host, &begun);
    let written = Place::within(&w.base.template, "home/new");
    assert_eq!(view(&w.host).read(&written).as_deref(), Ok("new"), "what was written is lost");
    w.host.uproot(written.lexical());
    before.assert_same(&w.of_base(), "after a container wrote a file");
}

pub(super) fn apart(w: &World) {
    w.attached();
    let second = w.second();
    w.write("etc/new").expect("a container can write its own files");
    let seen = view(&w.host).stat(&Place::within(second.root(), "etc/new"));
    assert_eq!(seen, Ok(None), "one container sees what another wrote");
}

/// A closed storage shows nothing but the shared part while the container is not attached.
pub(super) fn layers(w: &World) {
    w.created();
    let container = w.container();
    let layers = w.storage.layers(&w.base, &container).expect("its layers are known");
    let homes = [&container.dir, &w.base.sharedfs, &w.base.template];
    for layer in &layers {
        assert!(homes.iter().any(|home| layer.starts_with(home)), "the layer {layer} is neither's");
    }
    match w.can(Capability::Closed) {
        true => w.while_attached(|w| hold_the_files(w, &layers)),
        false => hold_the_files(w, &layers),
    }
    let private = w.storage.private(&container).expect("its private part is known");
    assert!(private.starts_with(&container.dir), "{private} is not the container's own");
}

fn hold_the_files(w: &World, layers: &[Utf8PathBuf]) {
    let has = |layer, path| view(&w.host).read(&Place::within(layer, path)).is_ok_and(|t| !t.is_empty());
    for path in ["etc/passwd", "usr/bin/true"] {
        let missing = path == "etc/passwd" && !userland(w.base.brand).iter().any(|(p, _)| *p == path);
        assert!(missing || layers.iter().any(|layer| has(layer, path)), "{path} is in none of {layers:?}");
    }
}

/// What is on the disk of a container that is not attached cannot be seen, nor is the disk left attached.
pub(super) fn closed(w: &World) {
    w.created();
    let nothing = || assert_eq!(view(&w.host).list(&Place::host(w.container().root())), Ok(vec![]));
    nothing();
    w.while_attached(|w| w.write("etc/new").expect("a container can write its own files"));
    nothing();
    w.while_attached(|w| assert_eq!(w.read("etc/new").as_deref(), Some("new"), "what was written is lost"));
}

pub(super) fn shared_read_only(w: &World) {
    w.attached();
    for path in &w.base.shared {
        let error = w.write(path.join("new")).expect_err(&format!("{path} can be written"));
        assert!(error.to_string().contains("read-only"), "{error}");
    }
}

pub(super) fn copy_on_write(w: &World) {
    let before = w.of_base();
    w.attached();
    w.write("usr/bin/true").expect("a program of the base can be replaced");
    assert_eq!(view(&w.host).read(&w.inside("usr/bin/true")).as_deref(), Ok("new"));
    before.assert_same(&w.of_base(), "after a program was replaced");
}
