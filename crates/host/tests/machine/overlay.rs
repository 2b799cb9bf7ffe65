//! Overlay mounts: layers with any name, the base never written to.

use std::fs;

use camino::Utf8PathBuf;
use qchroot_api::{ErrorKind, Mount, MountFs, Place, Step};
use qchroot_engine::Probe;

use crate::support::Lab;

/// An overlay of two lower layers whose directories are called `name`.
fn overlay(lab: &Lab, name: &str) -> Mount {
    let layer = |part: &str| {
        let path = lab.host.join(part).join(name);
        fs::create_dir_all(&path).unwrap();
        path
    };
    let (first, second) = (layer("first"), layer("second"));
    fs::write(first.join("who"), "first").unwrap();
    fs::write(second.join("who"), "second").unwrap();
    fs::write(second.join("base"), "base").unwrap();
    let fs = MountFs::Overlay { lower: vec![first, second], upper: layer("upper"), work: layer("work") };
    Mount::new(Place::host(&lab.root), fs)
}

fn works(name: &str) {
    let lab = Lab::with_mounts();
    let mount = overlay(&lab, name);
    let step = Step::Mount(mount.clone());
    assert_eq!(lab.probe(&step), Probe::Absent);
    lab.apply(&step).unwrap();
    assert_eq!(lab.probe(&step), Probe::Present);
    assert_eq!(fs::read_to_string(lab.root.join("who")).unwrap(), "first");
    fs::write(lab.root.join("base"), "changed").unwrap();
    assert_eq!(fs::read_to_string(lab.host.join("second").join(name).join("base")).unwrap(), "base");
    assert_eq!(fs::read_to_string(lab.host.join("upper").join(name).join("base")).unwrap(), "changed");
    lab.apply(&Step::Unmount(mount)).unwrap();
    assert!(!lab.root.join("who").exists());
}

#[test]
fn changes_go_to_the_upper_layer_and_the_first_layer_wins() {
    works("layer");
}

#[test]
fn names_that_overlayfs_has_to_be_told_carefully_work() {
    works("with space,comma:colon\\backslash=equals");
}

#[test]
fn names_longer_than_an_option_can_be_work() {
    works(&"n".repeat(250));
}

#[test]
fn an_upper_layer_that_cannot_carry_it_is_told_with_a_way_out() {
    let lab = Lab::with_mounts();
    let MountFs::Overlay { lower, .. } = overlay(&lab, "layer").fs else { unreachable!() };
    let proc = Utf8PathBuf::from("/proc/fs");
    let fs = MountFs::Overlay { lower, upper: proc.clone(), work: proc };
    let error = lab.apply(&Step::Mount(Mount::new(Place::host(&lab.root), fs))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert_eq!(error.hint_text(), Some("use --storage nullfs"));
    assert!(error.to_string().contains("overlay"), "{error}");
}
