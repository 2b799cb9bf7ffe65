//! Snapshots, rollbacks to them, clones and renames on the fake machine: a run that dies at any change, or with the
//! power, is put right so that the machine is as before the run or as after it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests report by panicking")]

use qchroot_api::{ErrorKind, Name, Platform, Registration, Result};
use qchroot_engine::{CreateWish, Engine, InstallWish, UpgradeWish};
use qchroot_isolation_chroot::Chroot;
use qchroot_storage_nullfs::Nullfs;
use qchroot_storage_overlay::Overlay;
use qchroot_storage_tree::Tree;
use qchroot_testkit::fixture::FakeSource;
use qchroot_testkit::{FakeHost, Moment, Snapshot, carried_out, deaths, is_before_or_after};

const BACK_ENDS: [Registration; 5] = [
    Registration::Source(|| Box::new(FakeSource)),
    Registration::Storage(|| Box::new(Nullfs)),
    Registration::Storage(|| Box::new(Overlay)),
    Registration::Storage(|| Box::new(Tree)),
    Registration::Isolation(|| Box::new(Chroot)),
];

type Act = fn(&Engine<'_>) -> Result<()>;

fn with_engine<T>(host: &FakeHost, run: impl FnOnce(&Engine<'_>) -> Result<T>) -> Result<T> {
    qchroot_testkit::with_engine(host, &BACK_ENDS, run)
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn install(host: &FakeHost, version: &str) {
    let options = vec![("version".into(), version.into()), ("differ".into(), "yes".into())];
    let wish = InstallWish { source: Some("fake".into()), options, ..InstallWish::default() };
    with_engine(host, |engine| engine.install(&wish)).unwrap();
}

fn snapshot(engine: &Engine<'_>) -> Result<()> {
    engine.snapshot(&name("web"), Some("then")).map(drop)
}

fn forget(engine: &Engine<'_>) -> Result<()> {
    engine.remove_snapshot(&name("web"), "then")
}

fn restore(engine: &Engine<'_>) -> Result<()> {
    engine.restore(&name("web"), "then").map(drop)
}

fn clone(engine: &Engine<'_>) -> Result<()> {
    engine.clone_container(&name("web"), &name("copy"))
}

fn rename(engine: &Engine<'_>) -> Result<()> {
    engine.rename(&name("web"), &name("shop"))
}

fn upgrade(engine: &Engine<'_>) -> Result<()> {
    engine.upgrade(&name("web"), &UpgradeWish::default()).map(drop)
}

/// Where what the container itself wrote lies.
fn private(storage: &str) -> &'static str {
    if storage == "overlay" { "upper" } else { "root" }
}

/// A container with a file of its own.
fn prepared(platform: Platform, storage: &str) -> FakeHost {
    let host = FakeHost::new(platform);
    let dirs = ["lib/.journal", "lib/.previous", "lib/releases", "etc/containers", "run", "log/web"];
    for dir in dirs {
        host.plant_dir(format!("/q/{dir}"), 0o755);
    }
    install(&host, "1.0");
    let wish = CreateWish { storage: Some(storage.into()), ..CreateWish::default() };
    with_engine(&host, |engine| engine.create(&name("web"), &wish)).unwrap();
    host.plant_file(format!("/q/lib/web/{}/etc/own", private(storage)), "then", 0o640);
    host
}

/// The same with a snapshot, moved to another release and changed since.
fn kept(platform: Platform, storage: &str) -> FakeHost {
    let host = prepared(platform, storage);
    with_engine(&host, snapshot).unwrap();
    install(&host, "1.1");
    with_engine(&host, upgrade).unwrap();
    host.plant_file(format!("/q/lib/web/{}/etc/own", private(storage)), "now", 0o640);
    host
}

fn own(host: &FakeHost, container: &str, storage: &str) -> Option<String> {
    host.text(format!("/q/lib/{container}/{}/etc/own", private(storage)))
}

fn release(host: &FakeHost, container: &str) -> String {
    with_engine(host, |engine| Ok(engine.load(&name(container))?.file.release.unwrap().to_string())).unwrap()
}

fn lasting(host: &FakeHost) -> Snapshot {
    host.snapshot(["/q/lib", "/q/etc", "/q/log/web", "/q/log/shop"])
}

fn power_cut(host: &FakeHost) {
    host.power_cut("/q/run");
}

/// Lets `act` die at every change.
fn sweep(what: &str, prepared: &FakeHost, act: Act) {
    let run = |host: &FakeHost| with_engine(host, act);
    let (old, new) = (lasting(prepared), lasting(&carried_out(prepared, run).0));
    assert_ne!(old, new, "{what} changes nothing");
    for afterwards in [FakeHost::revive as fn(&FakeHost), power_cut] {
        for (host, at) in deaths(prepared, run) {
            afterwards(&host);
            let findings = with_engine(&host, |engine| engine.doctor(true));
            is_before_or_after(&lasting(&host), &old, &new, &format!("{what} {at}; doctor: {findings:?}"));
        }
    }
}

const MACHINES: [(Platform, &str); 2] = [(Platform::Freebsd, "nullfs"), (Platform::Linux, "overlay")];

#[test]
fn snapshots_survive_every_crash_and_power_cut() {
    for (platform, storage) in MACHINES {
        sweep(&format!("snapshot with {storage}"), &prepared(platform, storage), snapshot);
        sweep(&format!("forgetting with {storage}"), &kept(platform, storage), forget);
    }
}

#[test]
fn going_back_survives_every_crash_and_power_cut() {
    for (platform, storage) in MACHINES {
        let host = kept(platform, storage);
        let (old, new) = (release(&prepared(platform, storage), "web"), release(&host, "web"));
        sweep(&format!("restore with {storage}"), &host, restore);
        assert_eq!((own(&host, "web", storage).as_deref(), release(&host, "web")), (Some("now"), new));
        with_engine(&host, restore).unwrap();
        assert_eq!((own(&host, "web", storage).as_deref(), release(&host, "web")), (Some("then"), old));
        // The upgrade that came later is none any more, and the snapshot can be used again.
        let rolled_back = with_engine(&host, |engine| engine.rollback(&name("web")));
        assert_eq!(rolled_back.unwrap_err().kind(), ErrorKind::NotFound);
        with_engine(&host, restore).unwrap();
    }
}

#[test]
fn an_upgrade_before_the_snapshot_can_still_be_taken_back_after_a_restore() {
    let host = prepared(Platform::Linux, "nullfs");
    let old = release(&host, "web");
    install(&host, "1.1");
    with_engine(&host, upgrade).unwrap();
    with_engine(&host, snapshot).unwrap();
    host.plant_file("/q/lib/web/root/etc/version", "broken", 0o644);
    with_engine(&host, restore).unwrap();
    assert_eq!(host.text("/q/lib/web/root/etc/version").as_deref(), Some("fake-1.1"));
    with_engine(&host, |engine| engine.rollback(&name("web"))).unwrap();
    assert_eq!(host.text("/q/lib/web/root/etc/version").as_deref(), Some("fake-1.0"));
    assert_eq!(release(&host, "web"), old);
}

#[test]
fn clones_survive_every_crash_and_power_cut() {
    for (platform, storage) in MACHINES {
        let host = kept(platform, storage);
        sweep(&format!("clone with {storage}"), &host, clone);
        with_engine(&host, clone).unwrap();
        assert_eq!(own(&host, "copy", storage).as_deref(), Some("now"));
        assert_eq!(release(&host, "copy"), release(&host, "web"));
        let snapshots = |of: &str| with_engine(&host, |engine| engine.snapshots(&name(of))).unwrap().len();
        assert_eq!((snapshots("web"), snapshots("copy")), (1, 0));
    }
}

#[test]
fn renames_survive_every_crash_and_power_cut() {
    for (platform, storage) in MACHINES {
        let host = kept(platform, storage);
        sweep(&format!("rename with {storage}"), &host, rename);
        with_engine(&host, rename).unwrap();
        assert_eq!(own(&host, "shop", storage).as_deref(), Some("now"));
        // All that goes with it has the new name.
        with_engine(&host, |engine| engine.restore(&name("shop"), "then")).unwrap();
        assert_eq!(own(&host, "shop", storage).as_deref(), Some("then"));
        assert_eq!(with_engine(&host, |engine| engine.names()).unwrap(), [name("shop")]);
    }
}

#[test]
fn neither_name_can_be_used_while_a_rename_is_half_done() {
    let prepared = prepared(Platform::Linux, "nullfs");
    let wish = CreateWish::default();
    for tick in 1.. {
        let host = prepared.twin();
        host.crash_at(tick, Moment::After);
        if with_engine(&host, rename).is_ok() {
            break;
        }
        host.revive();
        if with_engine(&host, |engine| engine.interrupted()).unwrap().is_empty() {
            continue;
        }
        let before = lasting(&host);
        for of in ["web", "shop"] {
            let kind = |result: Result<()>| result.unwrap_err().kind();
            assert_eq!(kind(with_engine(&host, |e| e.start(&name(of)).map(drop))), ErrorKind::Busy, "{tick}");
            assert_eq!(kind(with_engine(&host, |e| e.delete(&name(of)))), ErrorKind::Busy, "{tick}");
            assert_eq!(kind(with_engine(&host, |e| e.create(&name(of), &wish))), ErrorKind::Busy, "{tick}");
        }
        before.assert_same(&lasting(&host), "after refusals");
    }
}

#[test]
fn a_release_is_kept_for_its_snapshots() {
    let host = kept(Platform::Linux, "overlay");
    with_engine(&host, |engine| engine.rename(&name("web"), &name("shop"))).unwrap();
    install(&host, "1.2");
    let old = with_engine(&host, |engine| engine.releases()).unwrap().remove(0);
    assert_eq!((old.version.as_str(), &old.snapshots[..]), ("fake-1.0", &["shop@then".to_owned()][..]));
    // Only the snapshot needs it: the rollback of the first upgrade goes with a second one.
    with_engine(&host, |engine| engine.upgrade(&name("shop"), &UpgradeWish::default())).unwrap();
    let refused = with_engine(&host, |engine| engine.remove_release(&old.id)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Busy);
    assert!(refused.to_string().contains("then of shop"), "{refused}");
    assert_eq!(refused.hint_text(), Some("remove them: `qchroot snapshot shop --remove then`"));
    assert_eq!(with_engine(&host, |engine| engine.prune_releases()).unwrap().releases, []);
    with_engine(&host, |engine| engine.remove_snapshot(&name("shop"), "then")).unwrap();
    assert_eq!(with_engine(&host, |engine| engine.prune_releases()).unwrap().releases, [old.id]);
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let host = kept(Platform::Linux, "nullfs");
    let wish = CreateWish { storage: Some("nullfs".into()), ..CreateWish::default() };
    with_engine(&host, |engine| engine.create(&name("other"), &wish)).unwrap();
    with_engine(&host, |engine| engine.snapshot(&name("other"), Some("x"))).unwrap();
    host.plant_dir("/q/log/left", 0o755);
    let refusals: [(Act, ErrorKind); 9] = [
        (snapshot, ErrorKind::Exists),
        (|e| e.snapshot(&name("web"), Some("../x")).map(drop), ErrorKind::Usage),
        (|e| e.snapshot(&name("web"), Some(".x")).map(drop), ErrorKind::Usage),
        (|e| e.snapshot(&name("none"), None).map(drop), ErrorKind::NotFound),
        (|e| e.restore(&name("web"), "x").map(drop), ErrorKind::NotFound),
        (|e| e.clone_container(&name("web"), &name("other")), ErrorKind::Exists),
        (|e| e.clone_container(&name("web"), &name("web")), ErrorKind::Exists),
        (|e| e.rename(&name("web"), &name("other")), ErrorKind::Exists),
        (|e| e.rename(&name("web"), &name("left")), ErrorKind::Exists),
    ];
    let before = lasting(&host);
    for (n, (act, kind)) in refusals.into_iter().enumerate() {
        let error = with_engine(&host, act).unwrap_err();
        assert_eq!(error.kind(), kind, "{n}: {error}");
    }
    before.assert_same(&lasting(&host), "after refusals");
}

#[test]
fn a_container_over_a_tree_can_be_renamed_and_nothing_else() {
    let host = FakeHost::linux();
    for dir in ["lib/.journal", "etc/containers", "run"] {
        host.plant_dir(format!("/q/{dir}"), 0o755);
    }
    let brand = qchroot_testkit::fixture::native(Platform::Linux);
    qchroot_testkit::fixture::plant_tree(&host, "/mnt", brand);
    let options = vec![("path".into(), "/mnt".into())];
    let wish = CreateWish { storage: Some("tree".into()), storage_options: options, ..CreateWish::default() };
    with_engine(&host, |engine| engine.create(&name("web"), &wish)).unwrap();
    for (act, what) in [
        (snapshot as Act, "web cannot have snapshots"),
        (restore, "web cannot have snapshots"),
        (clone, "web cannot be cloned"),
    ] {
        let error = with_engine(&host, act).unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::Unavailable, what));
        assert!(error.to_string().contains("its storage is tree"), "{error}");
    }
    with_engine(&host, rename).unwrap();
    assert_eq!(with_engine(&host, |engine| engine.names()).unwrap(), [name("shop")]);
}
