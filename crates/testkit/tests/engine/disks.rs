//! Containers on disks of their own: whatever is cut off, the disk is the old one or the new one, whole.

use camino::Utf8Path;
use qchroot_api::{Observe, Place, Platform, Result};
use qchroot_engine::{CreateWish, Engine};
use qchroot_testkit::FakeHost;

use super::{
    Act, before, configure, delete, install, power_cut, start, state, stop, sweep, web, with_engine,
};

const ROOT: &str = "/q/lib/web/root";

fn create_named(engine: &Engine<'_>, name: &str) -> Result<()> {
    let storage_options = vec![("size".to_owned(), "32M".to_owned())];
    let wish = CreateWish { storage: Some("md".into()), storage_options, ..CreateWish::default() };
    engine.create(&name.parse().unwrap(), &wish)
}

/// The first container of a base brings the disk that all others are cloned from, which stays.
fn first(engine: &Engine<'_>) -> Result<()> {
    create_named(engine, "first")
}

fn create(engine: &Engine<'_>) -> Result<()> {
    create_named(engine, "web")
}

fn grow(engine: &Engine<'_>) -> Result<()> {
    engine.resize(&web(), "64M").map(drop)
}

fn shrink(engine: &Engine<'_>) -> Result<()> {
    engine.resize(&web(), "16M").map(drop)
}

const ALL: [(&str, Act); 6] = [
    ("install", install),
    ("first", first),
    ("create", create),
    ("configure", configure),
    ("start", start),
    ("stop", stop),
];

/// A container that is stopped, and then this.
fn stopped_and(name: &'static str, act: Act) -> Vec<(&'static str, Act)> {
    ALL.into_iter().chain([(name, act)]).collect()
}

#[test]
fn create_start_and_stop_survive_every_crash() {
    for n in [2, 4, 5] {
        sweep(Platform::Linux, &ALL[..=n], FakeHost::revive);
    }
    sweep(Platform::Freebsd, &ALL[..=2], FakeHost::revive);
}

#[test]
fn another_size_survives_every_crash() {
    for (name, act) in [("grow", grow as Act), ("shrink", shrink)] {
        sweep(Platform::Linux, &stopped_and(name, act), FakeHost::revive);
    }
    sweep(Platform::Freebsd, &stopped_and("shrink", shrink), FakeHost::revive);
}

#[test]
fn growing_while_it_runs_survives_every_crash() {
    let acts: Vec<_> = ALL[..=4].iter().copied().chain([("grow", grow as Act)]).collect();
    sweep(Platform::Linux, &acts, FakeHost::revive);
}

#[test]
fn what_lasts_survives_every_power_cut() {
    sweep(Platform::Linux, &ALL[..=2], power_cut);
    for (name, act) in [("grow", grow as Act), ("shrink", shrink), ("delete", delete)] {
        sweep(Platform::Linux, &stopped_and(name, act), power_cut);
    }
}

#[test]
fn delete_leaves_what_was_before_create() {
    let host = before(Platform::Linux, &stopped_and("delete", delete));
    state(&before(Platform::Linux, &ALL[..=1])).assert_same(&state(&host), "after a whole life");
}

#[test]
fn what_was_written_is_there_after_a_power_cut_and_another_start() {
    let host = before(Platform::Linux, &ALL[..=4]);
    host.write_inside(ROOT, "etc/new", "kept").unwrap();
    power_cut(&host);
    with_engine(&host, start).unwrap();
    let at = Place::within(Utf8Path::new(ROOT), "etc/new");
    assert_eq!((&host as &dyn Observe).read(&at).as_deref(), Ok("kept"));
    assert!(host.text("/q/log/web/disk.log").unwrap().contains("repaired"));
}
