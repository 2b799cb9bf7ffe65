//! The engine on the fake machine: a run that dies at any change, before or after its effect, is put right
//! by `doctor --repair` so that the machine is as before the run or as after it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests report by panicking")]

mod daemons;
mod disks;
mod trees;

use std::time::Duration;

use qchroot_api::{Name, Platform, Registration, Result};
use qchroot_engine::{ConfigChange, Engine, InstallWish, Outcome};
use qchroot_isolation_chroot::Chroot;
use qchroot_storage_md::Md;
use qchroot_storage_nullfs::Nullfs;
use qchroot_testkit::fixture::FakeSource;
use qchroot_testkit::{FakeHost, Snapshot, carried_out, deaths};

const BACK_ENDS: [Registration; 4] = [
    Registration::Source(|| Box::new(FakeSource)),
    Registration::Storage(|| Box::new(Nullfs)),
    Registration::Storage(|| Box::new(Md)),
    Registration::Isolation(|| Box::new(Chroot)),
];

/// What outlives a run; logs, locks and the journals' directories may stay.
const LASTING: [&str; 3] = ["/q/lib", "/q/etc", "/usr"];

fn with_engine<T>(host: &FakeHost, run: impl FnOnce(&Engine<'_>) -> Result<T>) -> Result<T> {
    qchroot_testkit::with_engine(host, &BACK_ENDS, run)
}

type Act = fn(&Engine<'_>) -> Result<()>;

fn web() -> Name {
    "web".parse().unwrap()
}

fn install(engine: &Engine<'_>) -> Result<()> {
    let wish = InstallWish { source: Some("fake".into()), any: true, ..InstallWish::default() };
    engine.install(&wish).map(drop)
}

fn configure(engine: &Engine<'_>) -> Result<()> {
    let commands = vec![("true".to_owned(), "/usr/bin/true".to_owned())];
    engine.configure(&web(), &ConfigChange { commands, ..ConfigChange::default() })
}

fn start(engine: &Engine<'_>) -> Result<()> {
    engine.start(&web()).map(|outcome| assert_eq!(outcome, Outcome::Started))
}

fn stop(engine: &Engine<'_>) -> Result<()> {
    engine.stop(&web(), Duration::from_secs(1)).map(drop)
}

fn delete(engine: &Engine<'_>) -> Result<()> {
    engine.delete(&web())?;
    engine.empty_trash(false)
}

/// A machine on which these operations were done.
fn before(platform: Platform, acts: &[(&str, Act)]) -> FakeHost {
    let host = FakeHost::new(platform);
    // Directories for more than one run, which nothing takes away.
    for dir in ["lib/.journal", "lib/.trash", "lib/releases", "etc/containers", "run"] {
        host.plant_dir(format!("/q/{dir}"), 0o755);
    }
    for (name, act) in acts {
        with_engine(&host, act).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    host
}

/// What a run must leave as it was or as it is meant to be.
fn state(host: &FakeHost) -> Snapshot {
    host.snapshot(LASTING)
}

/// What a run left in between, and what doctor said, if it is neither the state before nor the state after.
fn between(host: &FakeHost, old: &Snapshot, new: &Snapshot) -> Option<String> {
    let findings = with_engine(host, |engine| engine.doctor(true));
    let got = state(host);
    let (from_old, from_new) = (old.diff(&got), new.diff(&got));
    (got != *old && got != *new)
        .then(|| format!("doctor: {findings:?}\nfrom before:\n{from_old}from after:\n{from_new}"))
}

/// Lets the last of these operations die at every change, and the machine go on as `afterwards` says.
fn sweep(platform: Platform, acts: &[(&str, Act)], afterwards: fn(&FakeHost)) {
    let ((name, act), done) = acts.split_last().unwrap();
    let prepared = before(platform, done);
    let run = |host: &FakeHost| with_engine(host, act);
    let (old, new) = (state(&prepared), state(&carried_out(&prepared, run).0));
    let mut bad = String::new();
    for (host, at) in deaths(&prepared, run) {
        afterwards(&host);
        if let Some(what) = between(&host, &old, &new) {
            bad += &format!("{name} on {platform} {at}; {what}\n");
        }
    }
    assert!(bad.is_empty(), "{bad}");
}

fn power_cut(host: &FakeHost) {
    host.power_cut("/q/run");
}
