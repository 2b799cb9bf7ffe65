//! Containers in sandboxes on the fake machine, with every storage: the host sees none of their mounts, their state is
//! told by the init alone, and a run that dies at any change is put right.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests report by panicking")]

use std::num::NonZeroUsize;
use std::time::Duration;

use qchroot_api::{ErrorKind, Name, Platform, Registration, Result, SharedStorage};
use qchroot_engine::{ConfigChange, CreateWish, Engine, InstallWish, Outcome, Session, State, StatusReport};
use qchroot_isolation_namespaces::Namespaces;
use qchroot_storage_md::Md;
use qchroot_storage_nullfs::Nullfs;
use qchroot_storage_overlay::Overlay;
use qchroot_storage_tree::Tree;
use qchroot_storage_zfs::Zfs;
use qchroot_testkit::fixture::{DATASET, FakeSource, needs_pool, plant_pool, plant_tree};
use qchroot_testkit::{FakeHost, Snapshot, carried_out, deaths, is_before_or_after};

const STORAGES: [fn() -> Box<dyn SharedStorage>; 5] =
    [|| Box::new(Overlay), || Box::new(Nullfs), || Box::new(Md), || Box::new(Tree), || Box::new(Zfs)];

const BACK_ENDS: [Registration; 7] = [
    Registration::Source(|| Box::new(FakeSource)),
    Registration::Storage(STORAGES[0]),
    Registration::Storage(STORAGES[1]),
    Registration::Storage(STORAGES[2]),
    Registration::Storage(STORAGES[3]),
    Registration::Storage(STORAGES[4]),
    Registration::Isolation(|| Box::new(Namespaces)),
];

/// Where the tree lies that storage `tree` shows.
const TREE: &str = "/mnt/tree";

fn with_engine<T>(host: &FakeHost, run: impl FnOnce(&Engine<'_>) -> Result<T>) -> Result<T> {
    qchroot_testkit::with_engine(host, &BACK_ENDS, run)
}

fn web() -> Name {
    "web".parse().unwrap()
}

fn wish(storage: &dyn SharedStorage) -> CreateWish {
    let info = storage.info();
    let option = |key: &str, value: &str| vec![(key.to_owned(), value.to_owned())];
    let storage_options = match info.name.as_str() {
        "tree" => option("path", TREE),
        _ if needs_pool(storage) => option("dataset", DATASET),
        _ => vec![],
    };
    let size = matches!(info.name.as_str(), "md" | "zfs").then(|| "64M".to_owned());
    let isolation = Some("namespaces".into());
    CreateWish { storage: Some(info.name), isolation, size, storage_options, ..CreateWish::default() }
}

/// A machine with a container `web` that has a service.
fn stopped(storage: fn() -> Box<dyn SharedStorage>) -> FakeHost {
    let host = FakeHost::new(Platform::Linux);
    for dir in ["lib/.journal", "lib/.trash", "lib/releases", "etc/containers", "run"] {
        host.plant_dir(format!("/q/{dir}"), 0o755);
    }
    plant_pool(&host);
    plant_tree(&host, TREE, qchroot_api::Brand::Linux);
    let install = InstallWish { source: Some("fake".into()), any: true, ..InstallWish::default() };
    let commands = vec![("true".to_owned(), "/usr/bin/true".to_owned())];
    let change = ConfigChange { commands, ..ConfigChange::default() };
    with_engine(&host, |engine| {
        engine.install(&install)?;
        engine.create(&web(), &wish(&*storage()))?;
        engine.configure(&web(), &change)
    })
    .unwrap();
    host
}

fn started(storage: fn() -> Box<dyn SharedStorage>) -> FakeHost {
    let host = stopped(storage);
    start(&host).unwrap();
    host
}

fn start(host: &FakeHost) -> Result<Outcome> {
    with_engine(host, |engine| engine.start(&web()))
}

fn stop(host: &FakeHost) -> Result<Outcome> {
    with_engine(host, |engine| engine.stop(&web(), Duration::from_secs(1)))
}

fn report(host: &FakeHost) -> StatusReport {
    with_engine(host, |engine| engine.report(&[web()], false)).unwrap().remove(0)
}

fn exec(host: &FakeHost) -> Result<i32> {
    let session = Session { argv: vec!["/bin/true".into()], ..Session::default() };
    with_engine(host, |engine| engine.exec(&web(), &session))
}

/// What lasts, with mounts and processes.
fn whole(host: &FakeHost) -> Snapshot {
    host.snapshot(["/q/lib", "/q/etc", "/mnt", "/usr"])
}

fn mounts(host: &FakeHost) -> usize {
    (host as &dyn qchroot_api::Observe).mounts().unwrap().len()
}

fn init(host: &FakeHost) -> i32 {
    let lock = "/q/lib/web/root.init".into();
    (host as &dyn qchroot_api::Observe).holder(lock).unwrap().expect("the sandbox lives")
}

#[test]
fn the_host_sees_no_mount_and_nothing_is_left() {
    for storage in STORAGES {
        let host = stopped(storage);
        let (before, table) = (whole(&host), mounts(&host));
        assert_eq!(start(&host), Ok(Outcome::Started), "{}", storage().info().name);
        assert_eq!(mounts(&host), table, "{}", storage().info().name);
        let shown = report(&host);
        assert_eq!((shown.state, shown.mounts, shown.problems), (State::Started, 0, vec![]));
        assert!(shown.processes >= 2);
        assert_eq!(exec(&host), Ok(0));
        assert_eq!(start(&host), Ok(Outcome::AlreadyStarted));
        assert_eq!(with_engine(&host, |engine| engine.doctor(false)), Ok(vec![]));
        assert_eq!(stop(&host), Ok(Outcome::Stopped));
        before.assert_same(&whole(&host), &storage().info().name);
        assert_eq!(stop(&host), Ok(Outcome::AlreadyStopped));
    }
}

#[test]
fn a_stopped_one_is_opened_for_a_program_and_closed_again() {
    for storage in STORAGES {
        let host = stopped(storage);
        let before = whole(&host);
        assert_eq!(exec(&host), Ok(0));
        before.assert_same(&whole(&host), &storage().info().name);
        let session = Session { argv: vec!["/bin/false".into()], ..Session::default() };
        assert_eq!(with_engine(&host, |engine| engine.console(&web(), &session)), Ok(1));
        before.assert_same(&whole(&host), &storage().info().name);
    }
}

#[test]
fn a_sandbox_that_ended_is_told_and_put_right() {
    for storage in STORAGES {
        let host = stopped(storage);
        let before = whole(&host);
        for by_doctor in [false, true] {
            start(&host).unwrap();
            host.kill(init(&host));
            let shown = report(&host);
            assert_eq!((shown.state, shown.processes), (State::Partial, 0));
            assert_eq!(shown.problems, ["its sandbox has ended"]);
            for refused in [start(&host).map(drop), exec(&host).map(drop), delete(&host)] {
                let error = refused.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Busy);
                assert!(error.to_string().contains("its sandbox has ended"), "{error}");
            }
            if by_doctor {
                let found = with_engine(&host, |engine| engine.doctor(true)).unwrap();
                assert!(found.len() == 1 && found[0].repaired, "{found:?}");
            } else {
                assert_eq!(stop(&host), Ok(Outcome::Stopped));
            }
            assert_eq!(report(&host).state, State::Stopped);
            before.assert_same(&whole(&host), &storage().info().name);
        }
        start(&host).unwrap();
        host.kill(init(&host));
        with_engine(&host, |engine| {
            let told = &mut |_: &Name, outcome: Result<Outcome>| assert!(outcome.is_ok(), "{outcome:?}");
            engine.restart_all(&[web()], NonZeroUsize::MIN, Duration::from_secs(1), told);
            Ok(())
        })
        .unwrap();
        assert_eq!(report(&host).state, State::Started);
    }
}

fn delete(host: &FakeHost) -> Result<()> {
    with_engine(host, |engine| engine.delete(&web()))
}

#[test]
fn after_a_reboot_it_is_stopped() {
    for storage in STORAGES {
        let host = started(storage);
        host.reboot("/q/run");
        assert_eq!(report(&host).state, State::Stopped);
        assert_eq!(start(&host), Ok(Outcome::Started));
        // Where the run directory outlives a reboot, the journal is of another boot.
        let host = started(storage);
        host.plant_dir("/elsewhere", 0o755);
        host.reboot("/elsewhere");
        let shown = report(&host);
        assert_eq!((shown.state, shown.problems), (State::Stopped, vec![]));
        assert_eq!(start(&host), Ok(Outcome::Started));
    }
}

#[test]
fn a_sandbox_without_its_journal_is_found_and_stopped() {
    for storage in STORAGES {
        let host = started(storage);
        host.uproot("/q/run/web/start");
        assert_eq!(report(&host).state, State::Partial);
        assert_eq!(stop(&host), Ok(Outcome::Stopped));
        let shown = report(&host);
        assert_eq!((shown.state, shown.processes), (State::Stopped, 0));
        assert_eq!(start(&host), Ok(Outcome::Started));
    }
}

/// Wherever the run dies, `put_right` leads to the state before it or after it.
fn sweep<T: std::fmt::Debug>(prepared: &FakeHost, run: fn(&FakeHost) -> Result<T>, put_right: fn(&FakeHost)) {
    let (old, new) = (whole(prepared), whole(&carried_out(prepared, run).0));
    for (host, at) in deaths(prepared, run) {
        host.revive();
        put_right(&host);
        is_before_or_after(&whole(&host), &old, &new, &at);
    }
}

fn by_doctor(host: &FakeHost) {
    with_engine(host, |engine| engine.doctor(true)).unwrap();
    // What shows nothing outside is taken down by the next start.
    if report(host).state == State::Stopped {
        stop(host).unwrap();
    }
}

#[test]
fn start_and_stop_survive_every_death() {
    for storage in STORAGES {
        sweep(&stopped(storage), start, by_doctor);
        sweep(&started(storage), stop, by_doctor);
        sweep(&started(storage), stop, |host| assert!(stop(host).is_ok()));
    }
}
