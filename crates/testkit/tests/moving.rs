//! Moving a container between bases, and removing bases, on the fake machine: a run that dies at any change, or with
//! the power, is put right so that the machine is as before the run or as after it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests report by panicking")]

use qchroot_api::{ErrorKind, Name, Platform, Registration, Result};
use qchroot_engine::{CreateWish, Engine, InstallWish, UpgradeWish};
use qchroot_isolation_chroot::Chroot;
use qchroot_storage_nullfs::Nullfs;
use qchroot_testkit::fixture::FakeSource;
use qchroot_testkit::{FakeHost, carried_out, deaths, is_before_or_after};

const BACK_ENDS: [Registration; 3] = [
    Registration::Source(|| Box::new(FakeSource)),
    Registration::Storage(|| Box::new(Nullfs)),
    Registration::Isolation(|| Box::new(Chroot)),
];

type Act = fn(&Engine<'_>) -> Result<()>;

fn with_engine<T>(host: &FakeHost, run: impl FnOnce(&Engine<'_>) -> Result<T>) -> Result<T> {
    qchroot_testkit::with_engine(host, &BACK_ENDS, run)
}

fn web() -> Name {
    "web".parse().unwrap()
}

fn install(host: &FakeHost, version: &str) {
    let options = vec![("version".into(), version.into()), ("differ".into(), "yes".into())];
    let wish = InstallWish { source: Some("fake".into()), options, ..InstallWish::default() };
    with_engine(host, |engine| engine.install(&wish)).unwrap();
}

fn upgrade(engine: &Engine<'_>) -> Result<()> {
    engine.upgrade(&web(), &UpgradeWish::default()).map(drop)
}

fn rollback(engine: &Engine<'_>) -> Result<()> {
    engine.rollback(&web()).map(drop)
}

fn prune(engine: &Engine<'_>) -> Result<()> {
    engine.prune_releases().map(drop)
}

/// A container of the first of two releases, with an edit that conflicts.
fn prepared(platform: Platform) -> FakeHost {
    let host = FakeHost::new(platform);
    for dir in ["lib/.journal", "lib/.previous", "lib/releases", "etc/containers", "run"] {
        host.plant_dir(format!("/q/{dir}"), 0o755);
    }
    install(&host, "1.0");
    let wish = CreateWish { storage: Some("nullfs".into()), ..CreateWish::default() };
    with_engine(&host, |engine| engine.create(&web(), &wish)).unwrap();
    host.plant_file("/q/lib/web/root/etc/group", "own", 0o644);
    install(&host, "1.1");
    host
}

fn text(host: &FakeHost, path: &str) -> Option<String> {
    host.text(format!("/q/lib/web/root/{path}"))
}

fn upgraded(platform: Platform) -> FakeHost {
    let host = prepared(platform);
    with_engine(&host, upgrade).unwrap();
    assert_eq!(text(&host, "etc/version").as_deref(), Some("fake-1.1"));
    assert_eq!(text(&host, "etc/only-fake-1.0/file"), None);
    assert_eq!(text(&host, "etc/only-fake-1.1/file").as_deref(), Some("fake-1.1"));
    assert_eq!(text(&host, "etc/group").as_deref(), Some("own"));
    host
}

fn sweep(name: &str, prepared: &FakeHost, act: Act, afterwards: fn(&FakeHost)) {
    let lasting = |host: &FakeHost| host.snapshot(["/q/lib", "/q/etc"]);
    let run = |host: &FakeHost| with_engine(host, act);
    let (old, new) = (lasting(prepared), lasting(&carried_out(prepared, run).0));
    assert_ne!(old, new, "{name} changes nothing");
    for (host, at) in deaths(prepared, run) {
        afterwards(&host);
        let findings = with_engine(&host, |engine| engine.doctor(true));
        is_before_or_after(&lasting(&host), &old, &new, &format!("{name} {at}; doctor: {findings:?}"));
    }
}

fn power_cut(host: &FakeHost) {
    host.power_cut("/q/run");
}

#[test]
fn upgrade_survives_every_crash_and_power_cut() {
    for platform in [Platform::Linux, Platform::Freebsd] {
        sweep("upgrade", &prepared(platform), upgrade, FakeHost::revive);
        sweep("upgrade", &prepared(platform), upgrade, power_cut);
    }
}

#[test]
fn a_second_upgrade_survives_every_crash() {
    let host = upgraded(Platform::Linux);
    install(&host, "1.2");
    sweep("upgrade", &host, upgrade, FakeHost::revive);
    sweep("upgrade", &host, upgrade, power_cut);
}

#[test]
fn rollback_survives_every_crash_and_power_cut() {
    let host = upgraded(Platform::Linux);
    host.plant_file("/q/lib/web/root/etc/version", "edited", 0o644);
    sweep("rollback", &host, rollback, FakeHost::revive);
    sweep("rollback", &host, rollback, power_cut);
    with_engine(&host, rollback).unwrap();
    assert_eq!(text(&host, "etc/version").as_deref(), Some("fake-1.0"));
    assert_eq!(text(&host, "etc/version.edited").as_deref(), Some("edited"));
}

#[test]
fn prune_survives_every_crash_and_power_cut() {
    let host = prepared(Platform::Linux);
    for version in ["1.2", "1.3"] {
        install(&host, version);
    }
    sweep("prune", &host, prune, FakeHost::revive);
    sweep("prune", &host, prune, power_cut);
}

#[test]
fn an_upgrade_that_fails_anywhere_leaves_everything_as_it_was() {
    let prepared = prepared(Platform::Linux);
    let old = prepared.snapshot(["/q/lib", "/q/etc"]);
    for n in 1.. {
        let host = prepared.twin();
        host.fail_at(n);
        match with_engine(&host, upgrade) {
            Ok(()) => break,
            Err(error) => assert_eq!(error.kind(), ErrorKind::Io, "step {n}: {error}"),
        }
        // Once the staging directory goes there is no way back, and doctor finishes it.
        if with_engine(&host, |engine| engine.interrupted()).unwrap().is_empty() {
            old.assert_same(&host.snapshot(["/q/lib", "/q/etc"]), &format!("after step {n} failed"));
        } else {
            with_engine(&host, |engine| engine.doctor(true)).unwrap();
            assert_eq!(text(&host, "etc/version").as_deref(), Some("fake-1.1"), "step {n}");
        }
    }
}
