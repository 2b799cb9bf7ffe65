//! Capped containers on the fake machine: other sizes, checks, what is told of their space. A run that dies at any change
//! is put right so that the machine is as before the run or as after it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests report by panicking")]

use std::sync::Mutex;
use std::time::Duration;

use qchroot_api::{DiskFs, Error, ErrorKind, Name, Progress, Registration, Result, Step};
use qchroot_engine::{
    ConfigChange, CreateWish, Engine, InstallWish, Outcome, Point, Registry, State, StatusReport,
    UpgradeWish, Watch,
};
use qchroot_isolation_chroot::Chroot;
use qchroot_storage_md::Md;
use qchroot_storage_nullfs::Nullfs;
use qchroot_testkit::fixture::FakeSource;
use qchroot_testkit::{FakeHost, Flaw, Snapshot, carried_out, deaths, engine, is_before_or_after};

#[derive(Default)]
struct Warnings(Mutex<Vec<String>>);

impl Watch for Warnings {
    fn step(&self, _: Point, _: &Step) {}
    fn progress(&self, _: &Progress) {}
    fn said(&self, _: &Name, _: &str) {}
    fn warn(&self, text: &str) {
        self.0.lock().unwrap().push(text.into());
    }
}

const BACK_ENDS: [Registration; 4] = [
    Registration::Source(|| Box::new(FakeSource)),
    Registration::Storage(|| Box::new(Md)),
    Registration::Storage(|| Box::new(Nullfs)),
    Registration::Isolation(|| Box::new(Chroot)),
];

const MIB: u64 = 1 << 20;
const DISK: &str = "/q/lib/web/disk.img";

type Act = fn(&Engine<'_>) -> Result<()>;

/// What came of it, and the warnings.
fn warned<T>(host: &FakeHost, run: impl FnOnce(&Engine<'_>) -> Result<T>) -> (Result<T>, Vec<String>) {
    let (registry, watch) = (Registry::of(&BACK_ENDS).unwrap(), Warnings::default());
    let outcome = run(&engine(host, &registry, &watch, false).unwrap());
    (outcome, watch.0.into_inner().unwrap())
}

fn with_engine<T>(host: &FakeHost, run: impl FnOnce(&Engine<'_>) -> Result<T>) -> Result<T> {
    warned(host, run).0
}

fn web() -> Name {
    "web".parse().unwrap()
}

fn install(host: &FakeHost, version: &str) {
    let options = vec![("version".into(), version.into()), ("differ".into(), "yes".into())];
    let wish = InstallWish { source: Some("fake".into()), options, ..InstallWish::default() };
    with_engine(host, |engine| engine.install(&wish)).unwrap();
}

fn wish(size: &str, options: &[(&str, &str)]) -> CreateWish {
    let storage_options = options.iter().map(|&(key, value)| (key.into(), value.into())).collect();
    CreateWish {
        storage: Some("md".into()),
        size: Some(size.into()),
        storage_options,
        ..CreateWish::default()
    }
}

fn installed(host: FakeHost) -> FakeHost {
    for dir in ["lib/.journal", "lib/.previous", "lib/releases", "etc/containers", "run"] {
        host.plant_dir(format!("/q/{dir}"), 0o755);
    }
    install(&host, "1.0");
    host
}

/// A stopped container of 64 MiB with a service that waits.
fn created() -> FakeHost {
    let host = installed(FakeHost::linux());
    with_engine(&host, |engine| engine.create(&web(), &wish("64M", &[]))).unwrap();
    let commands = vec![("true".to_owned(), "/usr/bin/true".to_owned())];
    let change = ConfigChange { commands, ..ConfigChange::default() };
    with_engine(&host, |engine| engine.configure(&web(), &change)).unwrap();
    host
}

fn started() -> FakeHost {
    let host = created();
    let outcome = with_engine(&host, |engine| engine.start(&web())).unwrap();
    assert_eq!(outcome, Outcome::Started);
    host
}

fn report(host: &FakeHost) -> StatusReport {
    with_engine(host, |engine| engine.report(&[web()], false)).unwrap().remove(0)
}

fn resize(host: &FakeHost, size: &str) -> Result<(Option<u64>, u64)> {
    let resized = with_engine(host, |engine| engine.resize(&web(), size))?;
    Ok((resized.from_bytes, resized.to_bytes))
}

fn lasting(host: &FakeHost) -> Snapshot {
    host.snapshot(["/q/lib", "/q/etc"])
}

fn sweep(name: &str, prepared: &FakeHost, act: Act, afterwards: fn(&FakeHost)) {
    let lasting = |host: &FakeHost| match name {
        // A container that was started is stopped by a reboot.
        "while it is started" => host.files(["/q/etc"]),
        _ => lasting(host),
    };
    let run = |host: &FakeHost| with_engine(host, act);
    let (old, new) = (lasting(prepared), lasting(&carried_out(prepared, run).0));
    assert_ne!(old, new, "{name} changes nothing");
    for (host, at) in deaths(prepared, run) {
        afterwards(&host);
        let findings = with_engine(&host, |engine| engine.doctor(true));
        if report(&host).state == State::Stopped {
            check(&host, false).unwrap(); // a disk that was in use is not clean, and that is all
        }
        is_before_or_after(&lasting(&host), &old, &new, &format!("{name} {at}; doctor: {findings:?}"));
        let limit = report(&host).limit_bytes.unwrap();
        let said = host.text("/q/etc/containers/web.toml").unwrap();
        assert!(said.contains(&format!("size = \"{}M\"", limit / MIB)), "{limit} against {said}");
        let sound = with_engine(&host, |engine| engine.doctor(false)).unwrap();
        assert!(sound.is_empty(), "{name} {at}: {sound:?}");
    }
}

fn power_cut(host: &FakeHost) {
    host.power_cut("/q/run");
}

fn reboot(host: &FakeHost) {
    host.reboot("/q/run");
}

fn grow(engine: &Engine<'_>) -> Result<()> {
    engine.resize(&web(), "128M").map(drop)
}

fn shrink(engine: &Engine<'_>) -> Result<()> {
    engine.resize(&web(), "32M").map(drop)
}

#[test]
fn other_sizes_survive_every_crash_reboot_and_power_cut() {
    let (created, started) = (created(), started());
    for afterwards in [FakeHost::revive, reboot, power_cut] {
        sweep("growing", &created, grow, afterwards);
        sweep("shrinking", &created, shrink, afterwards);
        sweep("while it is started", &started, grow, afterwards);
    }
}

#[test]
fn an_upgrade_survives_every_crash_and_power_cut() {
    let host = created();
    install(&host, "1.1");
    let upgrade: Act = |engine| engine.upgrade(&web(), &UpgradeWish::default()).map(drop);
    for afterwards in [FakeHost::revive, power_cut] {
        sweep("upgrade", &host, upgrade, afterwards);
    }
    let before = lasting(&host);
    with_engine(&host, upgrade).unwrap();
    with_engine(&host, |engine| engine.rollback(&web())).unwrap();
    before.assert_same(&lasting(&host), "after the way there and back");
}

#[test]
fn a_size_that_fails_anywhere_leaves_a_container_that_works() {
    for (prepared, act) in [(created(), grow as Act), (created(), shrink), (started(), grow)] {
        let old = lasting(&prepared);
        for n in 1.. {
            let host = prepared.twin();
            host.fail_at(n);
            let Err(error) = with_engine(&host, act) else { break };
            assert_eq!(error.kind(), ErrorKind::Io, "step {n}: {error}");
            if with_engine(&host, |engine| engine.interrupted()).unwrap().is_empty() {
                old.assert_same(&lasting(&host), &format!("after step {n} failed"));
            } else {
                // The disk is another already, and only what follows is missing.
                with_engine(&host, |engine| engine.doctor(true)).unwrap();
                assert_ne!(report(&host).limit_bytes, Some(64 * MIB), "step {n}");
            }
            assert_ne!(report(&host).state, State::Partial, "step {n}");
        }
    }
}

#[test]
fn a_size_is_told_kept_in_the_file_and_seen_inside() {
    let host = started();
    assert_eq!(resize(&host, "128M").unwrap(), (Some(64 * MIB), 128 * MIB));
    assert_eq!(resize(&host, "128M").unwrap(), (Some(128 * MIB), 128 * MIB));
    let error = resize(&host, "64M").unwrap_err();
    assert_eq!((error.kind(), error.hint_text()), (ErrorKind::Busy, Some("`qchroot stop web` first")));
    with_engine(&host, |engine| engine.stop(&web(), Duration::from_secs(1))).unwrap();
    let file = host.text("/q/etc/containers/web.toml").unwrap();
    host.plant_file(
        "/q/etc/containers/web.toml",
        &file.replace("[storage]", "# the shop's\n[storage]"),
        0o644,
    );
    assert_eq!(resize(&host, "32M").unwrap(), (Some(128 * MIB), 32 * MIB));
    let file = host.text("/q/etc/containers/web.toml").unwrap();
    assert!(file.contains("# the shop's\n") && file.contains("size = \"32M\""), "{file}");
    with_engine(&host, |engine| engine.start(&web())).unwrap();
    assert_eq!(report(&host).limit_bytes, Some(32 * MIB));
}

#[test]
fn what_is_no_size_or_cannot_be_is_refused_and_nothing_changes() {
    let host = created();
    let old = lasting(&host);
    let kind = |outcome: Result<(Option<u64>, u64)>| outcome.map_err(|error| error.kind());
    for bad in ["", "12", "0", "-1M", "1.5G", "64X", "99999999999T", "1M"] {
        assert_eq!(kind(resize(&host, bad)), Err(ErrorKind::Usage), "{bad}");
    }
    let options = vec![("size".to_owned(), "1G".to_owned())];
    let change = ConfigChange { storage_options: options, ..ConfigChange::default() };
    let error = with_engine(&host, |engine| engine.configure(&web(), &change)).unwrap_err();
    assert_eq!((error.kind(), error.hint_text()), (ErrorKind::Usage, Some("use `qchroot resize web 1G`")));
    old.assert_same(&lasting(&host), "what was refused");

    let plain = CreateWish { storage: Some("nullfs".into()), ..CreateWish::default() };
    with_engine(&host, |engine| engine.create(&"plain".parse().unwrap(), &plain)).unwrap();
    let error = with_engine(&host, |engine| engine.resize(&"plain".parse().unwrap(), "1G")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let sized = CreateWish { size: Some("1G".into()), ..plain };
    let error = with_engine(&host, |engine| engine.create(&"other".parse().unwrap(), &sized)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(error.hint_text().unwrap().ends_with("can: md"), "{error:?}");
}

fn check(host: &FakeHost, repair: bool) -> Result<&'static str, Error> {
    Ok(with_engine(host, |engine| engine.check(&web(), repair))?.unwrap().result)
}

#[test]
fn a_check_says_clean_or_repaired_or_what_to_do() {
    let host = started();
    let error = check(&host, false).unwrap_err();
    assert_eq!(
        (error.kind(), error.hint_text()),
        (ErrorKind::Busy, Some("stop it first: `qchroot stop web`"))
    );
    with_engine(&host, |engine| engine.stop(&web(), Duration::from_secs(1))).unwrap();
    assert_eq!((check(&host, false), check(&host, true)), (Ok("clean"), Ok("clean")));
    host.spoil(DISK, Flaw::Unclean);
    assert_eq!((check(&host, false), check(&host, false)), (Ok("repaired"), Ok("clean")));
    host.spoil(DISK, Flaw::Damaged);
    let error = check(&host, false).unwrap_err();
    assert_eq!((error.kind(), error.fact("container")), (ErrorKind::BadData, Some("web")));
    assert_eq!(with_engine(&host, |engine| engine.interrupted()).unwrap(), vec![], "it blocks nothing");
    assert_eq!((check(&host, true), check(&host, false)), (Ok("repaired"), Ok("clean")));
}

#[test]
fn a_damaged_disk_stops_its_own_container_only_and_says_what_to_run() {
    for (flaw, kind) in [
        (Flaw::Damaged, ErrorKind::BadData),
        (Flaw::Cut(8 * MIB), ErrorKind::BadData),
        (Flaw::Foreign, ErrorKind::BadData),
        (Flaw::Elsewhere, ErrorKind::Busy),
    ] {
        let host = created();
        with_engine(&host, |engine| engine.create(&"db".parse().unwrap(), &wish("64M", &[]))).unwrap();
        host.spoil(DISK, flaw);
        let old = lasting(&host);
        let error = with_engine(&host, |engine| engine.start(&web())).unwrap_err();
        assert_eq!(error.kind(), kind, "{flaw:?}: {error}");
        old.assert_same(&lasting(&host), "the refused start");
        assert_eq!(report(&host).state, State::Stopped);
        let session = qchroot_engine::Session { argv: vec!["/bin/true".into()], ..Default::default() };
        assert_eq!(with_engine(&host, |engine| engine.exec(&"db".parse().unwrap(), &session)).unwrap(), 0);
    }
}

#[test]
fn space_is_told_and_running_out_of_it_too() {
    let host = started();
    let space = report(&host).space.unwrap();
    assert_eq!((space.limit_bytes, space.apparent_bytes), (Some(64 * MIB), Some(64 * MIB)));
    assert_eq!(space.used_bytes + space.free_bytes.unwrap(), 64 * MIB);
    assert!(space.allocated_bytes < MIB && space.percent == Some(0), "{space:?}");
    let megabytes = |count: usize| "x".repeat(count << 20);
    host.write_inside("/q/lib/web/root", "tmp/big", &megabytes(57)).unwrap();
    assert_eq!((report(&host).problems, report(&host).space.unwrap().percent), (vec![], Some(89)));
    host.write_inside("/q/lib/web/root", "tmp/more", &megabytes(2)).unwrap();
    let full = report(&host);
    assert_eq!((full.problems, full.state), (vec!["disk is 92 % full".to_owned()], State::Started));
    with_engine(&host, |engine| engine.stop(&web(), Duration::from_secs(1))).unwrap();
    let full = report(&host);
    assert_eq!((full.problems, full.state), (vec!["disk is 92 % full".to_owned()], State::Stopped));
    assert_eq!(full.used_bytes, full.space.map(|space| space.used_bytes));
}

#[test]
fn more_than_the_host_has_is_promised_with_a_warning_and_not_reserved() {
    let host = installed(FakeHost::linux().with_space(256 * MIB));
    let create = |name: &str, size: &str, options: &[(&str, &str)]| {
        warned(&host, |engine| engine.create(&name.parse().unwrap(), &wish(size, options)))
    };
    let (outcome, warnings) = create("a", "100M", &[]);
    assert_eq!((outcome, warnings), (Ok(()), vec![]));
    assert_eq!(with_engine(&host, |engine| engine.doctor(false)).unwrap(), vec![]);
    let (outcome, warnings) = create("b", "200M", &[]);
    outcome.unwrap();
    assert!(warnings[0].contains("may take 299") && warnings[0].contains("has 255"), "{warnings:?}");
    let findings = with_engine(&host, |engine| engine.doctor(true)).unwrap();
    assert!(findings.len() == 1 && !findings[0].repaired, "{findings:?}");
    let old = lasting(&host);
    let (outcome, _) = create("c", "300M", &[("preallocate", "yes")]);
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Usage);
    old.assert_same(&lasting(&host), "what the host cannot give");
    with_engine(&host, |engine| engine.delete(&"b".parse().unwrap())).unwrap();
    let (outcome, warnings) = create("c", "100M", &[("preallocate", "yes")]);
    assert_eq!((outcome, warnings), (Ok(()), vec![]));
}

#[test]
fn each_file_system_can_be_had() {
    let host = installed(FakeHost::linux());
    for fs in [DiskFs::Ext4, DiskFs::Xfs, DiskFs::Btrfs] {
        let name: Name = fs.name().parse().unwrap();
        with_engine(&host, |engine| engine.create(&name, &wish("1G", &[("fs", fs.name())]))).unwrap();
        let resized = with_engine(&host, |engine| engine.resize(&name, "2G")).unwrap();
        assert_eq!((resized.from_bytes, resized.to_bytes), (Some(1 << 30), 2 << 30));
    }
}
