//! Exports and imports on the fake machine: a run that dies at any change, or with the power, is put right so that the
//! machine is as before the run or as after it, and an export that died is continued to the same file.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests report by panicking")]

use qchroot_api::{ErrorKind, Platform, Registration, Result};
use qchroot_engine::{CreateWish, Engine, ExportTo, ImportWish, InstallWish};
use qchroot_isolation_chroot::Chroot;
use qchroot_storage_nullfs::Nullfs;
use qchroot_testkit::fixture::FakeSource;
use qchroot_testkit::{FakeHost, carried_out, deaths};

const BACK_ENDS: [Registration; 3] = [
    Registration::Source(|| Box::new(FakeSource)),
    Registration::Storage(|| Box::new(Nullfs)),
    Registration::Isolation(|| Box::new(Chroot)),
];

fn with_engine<T>(host: &FakeHost, run: impl FnOnce(&Engine<'_>) -> Result<T>) -> Result<T> {
    qchroot_testkit::with_engine(host, &BACK_ENDS, run)
}

fn export(host: &FakeHost) -> Result<()> {
    let to = ExportTo::File { path: "/q/carried".into(), force: false };
    with_engine(host, |engine| engine.export(&"web".parse()?, to)).map(drop)
}

fn import(host: &FakeHost) -> Result<()> {
    let wish = ImportWish { file: "/q/carried".into(), name: Some("copy".parse()?), release: None };
    with_engine(host, |engine| engine.import(&wish)).map(drop)
}

/// A container with a file of its own.
fn prepared(platform: Platform) -> FakeHost {
    let host = FakeHost::new(platform);
    for dir in ["lib/.journal", "lib/releases", "etc/containers", "run"] {
        host.plant_dir(format!("/q/{dir}"), 0o755);
    }
    let options = vec![("version".into(), "1.0".into())];
    let wish = InstallWish { source: Some("fake".into()), options, ..InstallWish::default() };
    with_engine(&host, |engine| engine.install(&wish)).unwrap();
    let wish = CreateWish { storage: Some("nullfs".into()), ..CreateWish::default() };
    with_engine(&host, |engine| engine.create(&"web".parse()?, &wish)).unwrap();
    host.plant_file("/q/lib/web/root/etc/own", "own", 0o640);
    host
}

fn exported(platform: Platform) -> FakeHost {
    let host = prepared(platform);
    export(&host).unwrap();
    host
}

/// Dies at each change in turn; `put_right` says what is wrong afterwards.
fn sweep(prepared: &FakeHost, act: fn(&FakeHost) -> Result<()>, put_right: impl Fn(&FakeHost, &str)) {
    assert!(carried_out(prepared, act).1 > 3);
    deaths(prepared, act).for_each(|(host, at)| put_right(&host, &at));
}

#[test]
fn what_is_brought_back_is_what_was_carried_away() {
    for platform in [Platform::Linux, Platform::Freebsd] {
        let host = exported(platform);
        import(&host).unwrap();
        let (before, now) = (host.snapshot(["/q/lib/web/root"]), host.snapshot(["/q/lib/copy/root"]));
        assert_eq!(before.to_string().replace("/web/", "/copy/"), now.to_string());
        assert_eq!(host.text("/q/etc/containers/copy.toml"), host.text("/q/etc/containers/web.toml"));
    }
}

#[test]
fn an_import_survives_every_crash_and_power_cut() {
    let lasting = |host: &FakeHost| host.snapshot(["/q/lib", "/q/etc"]);
    let prepared = exported(Platform::Linux);
    let old = lasting(&prepared);
    let new = {
        let host = prepared.twin();
        import(&host).unwrap();
        lasting(&host)
    };
    assert_ne!(old, new);
    let powers: [fn(&FakeHost); 2] = [FakeHost::revive, |host| host.power_cut("/q/run")];
    for afterwards in powers {
        sweep(&prepared, import, |host, at| {
            afterwards(host);
            let findings = with_engine(host, |engine| engine.doctor(true));
            let got = lasting(host);
            assert!(got == old || got == new, "{at}: {findings:?}\n{}\n{}", old.diff(&got), new.diff(&got));
        });
    }
}

#[test]
fn an_export_that_died_is_continued_to_the_same_file() {
    let prepared = prepared(Platform::Linux);
    let carried = |host: &FakeHost| host.snapshot(["/q/carried", "/q/carried.part"]);
    let whole = {
        let host = prepared.twin();
        export(&host).unwrap();
        carried(&host)
    };
    sweep(&prepared, export, |host, at| {
        host.revive();
        match export(host) {
            Err(error) if error.kind() == ErrorKind::Exists => {} // it died after the last change
            ended => ended.unwrap(),
        }
        whole.assert_same(&carried(host), at);
    });
}
