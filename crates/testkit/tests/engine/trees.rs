//! Containers whose private tree is a copy of the template.

use qchroot_api::{Platform, Result};
use qchroot_engine::{CreateWish, Engine};
use qchroot_testkit::FakeHost;

use super::{Act, before, configure, delete, install, power_cut, start, state, stop, sweep, web};

fn create(engine: &Engine<'_>) -> Result<()> {
    engine.create(&web(), &CreateWish { storage: Some("nullfs".into()), ..CreateWish::default() })
}

const ALL: [(&str, Act); 6] = [
    ("install", install),
    ("create", create),
    ("configure", configure),
    ("start", start),
    ("stop", stop),
    ("delete", delete),
];

#[test]
fn a_whole_life_leaves_the_base_alone() {
    for platform in [Platform::Linux, Platform::Freebsd] {
        let installed = state(&before(platform, &ALL[..1]));
        installed.assert_same(&state(&before(platform, &ALL[..6])), "after create, start, stop and delete");
    }
}

#[test]
fn install_survives_every_crash() {
    sweep(Platform::Linux, &ALL[..=0], FakeHost::revive);
}

#[test]
fn create_survives_every_crash() {
    sweep(Platform::Linux, &ALL[..=1], FakeHost::revive);
    sweep(Platform::Freebsd, &ALL[..=1], FakeHost::revive);
}

#[test]
fn configure_survives_every_crash() {
    sweep(Platform::Linux, &ALL[..=2], FakeHost::revive);
}

#[test]
fn start_survives_every_crash() {
    sweep(Platform::Linux, &ALL[..=3], FakeHost::revive);
    sweep(Platform::Freebsd, &ALL[..=3], FakeHost::revive);
}

#[test]
fn delete_survives_every_crash() {
    sweep(Platform::Linux, &ALL[..=5], FakeHost::revive);
}
#[test]
fn stop_survives_every_crash() {
    sweep(Platform::Linux, &ALL[..=4], FakeHost::revive);
    sweep(Platform::Freebsd, &ALL[..=4], FakeHost::revive);
}

#[test]
fn what_lasts_survives_every_power_cut() {
    for n in [0, 1, 5] {
        sweep(Platform::Linux, &ALL[..=n], power_cut);
    }
}
