//! Containers on ZFS on the fake machine: a run that dies at any change is put right by `doctor --repair` so that files
//! and data sets are as before the run or as after it, and what others have in the pool is never touched.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests report by panicking")]

use std::time::Duration;

use qchroot_api::{ErrorKind, Name, Platform, Registration, Result};
use qchroot_engine::{ConfigChange, CreateWish, Engine, InstallWish};
use qchroot_isolation_chroot::Chroot;
use qchroot_storage_zfs::Zfs;
use qchroot_testkit::fixture::{DATASET, FakeSource, plant_pool};
use qchroot_testkit::{FakeHost, Snapshot, carried_out, deaths};

const BACK_ENDS: [Registration; 3] = [
    Registration::Source(|| Box::new(FakeSource)),
    Registration::Storage(|| Box::new(Zfs)),
    Registration::Isolation(|| Box::new(Chroot)),
];

type Act = fn(&Engine<'_>) -> Result<()>;

fn with_engine<T>(host: &FakeHost, run: impl FnOnce(&Engine<'_>) -> Result<T>) -> Result<T> {
    qchroot_testkit::with_engine(host, &BACK_ENDS, run)
}

fn web() -> Name {
    "web".parse().unwrap()
}

fn www() -> Name {
    "www".parse().unwrap()
}

fn create(engine: &Engine<'_>) -> Result<()> {
    let wish = CreateWish {
        storage: Some("zfs".into()),
        size: Some("64M".into()),
        storage_options: vec![("dataset".into(), DATASET.into())],
        ..CreateWish::default()
    };
    engine.create(&web(), &wish)
}

fn snapshot(engine: &Engine<'_>) -> Result<()> {
    engine.snapshot(&web(), Some("monday")).map(drop)
}

fn restore(engine: &Engine<'_>) -> Result<()> {
    engine.restore(&web(), "monday").map(drop)
}

fn resize(engine: &Engine<'_>) -> Result<()> {
    engine.resize(&web(), "128M").map(drop)
}

fn clone(engine: &Engine<'_>) -> Result<()> {
    engine.clone_container(&web(), &www())
}

fn rename(engine: &Engine<'_>) -> Result<()> {
    engine.rename(&web(), &www()).map(drop)
}

fn delete(engine: &Engine<'_>) -> Result<()> {
    engine.delete(&web())?;
    engine.empty_trash(false)
}

/// A machine with a pool and a release, on which these operations were done.
fn before(platform: Platform, acts: &[Act]) -> FakeHost {
    let host = FakeHost::new(platform);
    for dir in ["lib/.journal", "lib/.trash", "lib/releases", "etc/containers", "run"] {
        host.plant_dir(format!("/q/{dir}"), 0o755);
    }
    plant_pool(&host);
    let wish = InstallWish { source: Some("fake".into()), any: true, ..InstallWish::default() };
    with_engine(&host, |engine| engine.install(&wish)).unwrap();
    acts.iter().for_each(|act| with_engine(&host, act).unwrap());
    host
}

/// What a run must leave as it was or as it is meant to be. What belongs to a base stays.
#[derive(PartialEq, Eq)]
struct Whole {
    files: Snapshot,
    pool: Vec<String>,
}

impl Whole {
    fn of(host: &FakeHost) -> Self {
        let listed =
            host.zfs("get -Hp -t all refquota,org.qchroot:is,origin,referenced,mountpoint,defer_destroy");
        assert_eq!(listed.status, 0, "{}", listed.stderr);
        let of_base =
            |line: &&str| line.starts_with(&format!("{DATASET}/base:")) || line.starts_with("tank\t");
        let pool = listed.stdout.lines().filter(|line| !of_base(line)).map(str::to_owned).collect();
        Self { files: host.snapshot(["/q/lib", "/q/etc"]), pool }
    }
}

/// Lets `act` die at every change, and the machine go on as `afterwards` says.
fn sweep(name: &str, prepared: &FakeHost, act: Act, afterwards: fn(&FakeHost)) {
    let run = |host: &FakeHost| with_engine(host, act);
    let (old, new) = (Whole::of(prepared), Whole::of(&carried_out(prepared, run).0));
    for (host, at) in deaths(prepared, run) {
        afterwards(&host);
        let findings = with_engine(&host, |engine| engine.doctor(true));
        let got = Whole::of(&host);
        assert!(
            got == old || got == new,
            "{name} {at}; doctor: {findings:?}\n{}\n{:#?}",
            old.files.diff(&got.files),
            got.pool
        );
        assert_eq!(with_engine(&host, |engine| engine.doctor(false)), Ok(vec![]), "{name} {at}");
    }
}

fn sweep_all(platform: Platform, sweeps: &[(&str, &[Act], Act)], afterwards: fn(&FakeHost)) {
    for (name, done, act) in sweeps {
        sweep(name, &before(platform, done), *act, afterwards);
    }
}

/// The longest plans.
const LONGEST: [(&str, &[Act], Act); 2] =
    [("the first create", &[], create), ("delete of what was cloned", &[create, snapshot, clone], delete)];

#[test]
fn a_run_that_dies_is_put_right() {
    sweep_all(Platform::Linux, &LONGEST, FakeHost::revive);
    let others: [(&str, &[Act], Act); 7] = [
        ("another create", &[create, delete], create),
        ("snapshot", &[create], snapshot),
        ("restore", &[create, snapshot], restore),
        ("resize", &[create], resize),
        ("clone", &[create], clone),
        ("rename", &[create], rename),
        ("delete", &[create, snapshot], delete),
    ];
    sweep_all(Platform::Linux, &others, FakeHost::revive);
}

#[test]
fn a_run_that_dies_is_put_right_on_freebsd() {
    sweep_all(Platform::Freebsd, &LONGEST, FakeHost::revive);
}

#[test]
fn a_power_cut_is_put_right() {
    sweep_all(Platform::Linux, &LONGEST, |host| host.power_cut("/q/run"));
}

#[test]
fn what_a_container_wrote_goes_with_it_and_comes_back_with_a_snapshot() {
    let host = before(Platform::Linux, &[create]);
    let commands = vec![("true".to_owned(), "/usr/bin/true".to_owned())];
    let change = ConfigChange { commands, ..ConfigChange::default() };
    with_engine(&host, |engine| engine.configure(&web(), &change)).unwrap();
    let motd = || host.text("/q/lib/web/root/etc/motd");
    let write = |text: &str| {
        with_engine(&host, |engine| engine.start(&web())).unwrap();
        host.write_inside("/q/lib/web/root", "etc/motd", text).unwrap();
        let written = motd();
        with_engine(&host, |engine| engine.stop(&web(), Duration::from_secs(1))).unwrap();
        assert_eq!((written.as_deref(), motd()), (Some(text), None), "it shows while it is started only");
    };
    write("monday");
    with_engine(&host, snapshot).unwrap();
    write("tuesday");
    with_engine(&host, restore).unwrap();
    with_engine(&host, rename).unwrap();
    with_engine(&host, |engine| engine.start(&www())).unwrap();
    assert_eq!(host.text("/q/lib/www/root/etc/motd").as_deref(), Some("monday"));
    let report = with_engine(&host, |engine| engine.report(&[www()], false)).unwrap().remove(0);
    assert_eq!(report.limit_bytes, Some(64 << 20));
}

#[test]
fn a_template_goes_with_its_release() {
    let host = before(Platform::Linux, &[create]);
    let id = with_engine(&host, |engine| engine.releases()).unwrap().remove(0).id;
    let error = with_engine(&host, |engine| engine.remove_release(&id)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    with_engine(&host, delete).unwrap();
    assert!(host.datasets().contains(&format!("{DATASET}/base:{id}")));
    with_engine(&host, |engine| engine.remove_release(&id)).unwrap();
    assert_eq!(host.datasets(), ["tank", DATASET]);
}

#[test]
fn a_file_that_cannot_be_read_leaves_the_data_set() {
    let host = before(Platform::Linux, &[create]);
    host.plant_file("/q/etc/containers/web.toml", "damaged", 0o644);
    with_engine(&host, delete).unwrap();
    assert!(host.datasets().contains(&format!("{DATASET}/web")), "nobody knows whose it is");
    let error = with_engine(&host, create).unwrap_err();
    assert!(
        error.kind() == ErrorKind::Exists && error.hint_text().unwrap().contains("zfs destroy"),
        "{error}"
    );
}
