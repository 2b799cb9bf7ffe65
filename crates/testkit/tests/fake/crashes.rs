//! Faults on order, the death of the process, reboots and power cuts.

use camino::Utf8Path;
use qchroot_api::ErrorKind;
use qchroot_api::{Mount, MountFs, Observe, Place, Progress, ReleaseSource, ReleaseWish, Step};
use qchroot_engine::{Host, Workplace};
use qchroot_testkit::fixture::FakeSource;
use qchroot_testkit::{FakeHost, Guards, Moment};

use super::{apply, does};

fn dir(path: &str) -> Step {
    Step::MakeDir { at: Place::host(path), mode: 0o755 }
}

fn exists(host: &FakeHost, path: &str) -> bool {
    (host as &dyn Observe).stat(&Place::host(path)).unwrap().is_some()
}

#[test]
fn the_nth_step_fails_before_or_after_its_effect_and_only_that_one() {
    for (moment, there) in [(Moment::Before, false), (Moment::After, true)] {
        let host = FakeHost::linux();
        match moment {
            Moment::Before => host.fail_at(2),
            Moment::After => host.fail_after(2),
        }
        apply(&host, &dir("/a")).unwrap();
        assert_eq!(apply(&host, &dir("/b")).unwrap_err().kind(), ErrorKind::Io);
        apply(&host, &dir("/c")).unwrap();
        assert_eq!(exists(&host, "/b"), there, "{moment:?}");
        assert_eq!(host.applies(), 3);
    }
}

#[test]
fn after_a_crash_nothing_answers_until_the_process_is_revived() {
    for (moment, there) in [(Moment::Before, false), (Moment::After, true)] {
        let host = FakeHost::linux();
        let lock = host.lock("/run/lock".into(), false).unwrap();
        host.crash_at(2, moment);
        host.append_own("/run/journal".into(), b"begun\n", false).unwrap();
        let died = apply(&host, &dir("/a")).unwrap_err();
        assert_eq!((died.kind(), died.message()), (ErrorKind::Internal, "crashed"));
        assert!(host.is_crashed());
        assert!((&host as &dyn Observe).mounts().is_err());
        assert!(host.read_own("/run/journal".into()).is_err());
        assert!(host.boot_id().is_err());
        host.revive();
        assert_eq!(exists(&host, "/a"), there, "{moment:?}");
        assert_eq!(host.read_own("/run/journal".into()).unwrap().unwrap(), b"begun\n");
        let again = host.lock("/run/lock".into(), false).unwrap();
        assert!(again.is_some(), "the dead process holds its lock");
        drop(lock);
        assert!(host.lock("/run/lock".into(), false).unwrap().is_none(), "a dead holder gave away the lock");
    }
}

#[test]
fn every_call_that_writes_is_a_tick() {
    let host = FakeHost::linux();
    host.crash_at(99, Moment::Before);
    host.make_own_dir("/run/q".into()).unwrap();
    host.append_own("/run/q/j".into(), b"x", true).unwrap();
    host.remove_own("/run/q/j".into(), true).unwrap();
    drop(host.lock("/run/q/l".into(), false).unwrap());
    apply(&host, &dir("/a")).unwrap();
    assert_eq!(host.ticks(), 5);
    host.probe(&dir("/a")).unwrap();
    host.list_own("/run/q".into()).unwrap();
    assert_eq!(host.ticks(), 5, "a question counted as a change");
}

#[test]
fn a_reboot_takes_mounts_processes_and_run_files_and_changes_the_boot_id() {
    let host = FakeHost::linux();
    let (boot, wall) = (host.boot_id().unwrap(), host.wall_clock());
    let run = Utf8Path::new("/run/q/web/start");
    host.make_own_dir(run.parent().unwrap()).unwrap();
    host.append_own(run, b"x", false).unwrap();
    host.append_own("/var/lib/j".into(), b"kept", false).unwrap();
    does(&host, &dir("/mnt"));
    let tmp = Mount::new(Place::host("/mnt"), MountFs::Tmp { size: 1 << 20, mode: 0o1777 });
    does(&host, &Step::Mount(tmp));
    host.plant_process("/q/web/root", "nginx");
    host.reboot("/run");
    assert_eq!(host.list_own("/run".into()).unwrap(), [""; 0]);
    assert_eq!(host.read_own("/var/lib/j".into()).unwrap().unwrap(), b"kept");
    assert_eq!(((&host as &dyn Observe).mounts().unwrap().len(), host.processes().len()), (1, 1));
    assert_ne!(host.boot_id().unwrap(), boot);
    assert!(host.wall_clock() > wall);
}

#[test]
fn a_power_cut_takes_what_was_not_flushed() {
    let host = FakeHost::linux();
    let [kept, cut, lost] = ["/var/kept", "/var/cut", "/var/lost"].map(Utf8Path::new);
    host.append_own(kept, b"a\n", false).unwrap();
    host.append_own(kept, b"b\n", true).unwrap();
    host.append_own(cut, b"a\n", true).unwrap();
    host.append_own(cut, b"b\n", false).unwrap();
    host.append_own(cut, b"c\n", false).unwrap();
    host.append_own(lost, b"a\n", false).unwrap();
    host.power_cut("/run");
    assert_eq!(host.read_own(kept).unwrap().unwrap(), b"a\nb\n");
    assert_eq!(host.read_own(cut).unwrap().unwrap(), b"a\n");
    assert_eq!(host.read_own(lost).unwrap(), None);
}

#[test]
fn guards_are_counted() {
    let host = FakeHost::linux();
    let released = host.on_death(&|| {}).unwrap();
    let _kept = host.on_death(&|| {}).unwrap();
    released.release().unwrap();
    assert_eq!(host.guards(), Guards { taken: 2, released: 1 });
}

#[test]
fn the_fake_source_fills_the_staging_directory_or_stops_half_way() {
    let host = FakeHost::linux();
    let fill = |options: &str, staging: &str| {
        let want = ReleaseWish { options: options.parse().unwrap(), ..ReleaseWish::default() };
        let release = FakeSource.resolve(&want, &host).unwrap();
        does(&host, &Step::MakeDir { at: Place::host(staging), mode: 0o700 });
        let mut entries = 0;
        let mut show = |progress: &Progress| entries = progress.entries;
        let filled = FakeSource
            .fill(&release, &mut *host.work(&Workplace::beside(staging.into()), &mut show).unwrap());
        (filled, entries)
    };
    let (filled, entries) = fill("entries = 3", "/var/whole");
    filled.unwrap();
    assert!(entries > 10);
    assert_eq!(host.text("/var/whole/bin/true").as_deref(), Some("true"));
    assert!(exists(&host, "/var/whole/usr/share/many/2"));
    let (failed, _) = fill("fail = 'fill'", "/var/half");
    assert_eq!(failed.unwrap_err().kind(), ErrorKind::BadData);
    assert!(exists(&host, "/var/half/bin") && !exists(&host, "/var/half/var"));
    let (filled, _) = fill("brand = 'freebsd'", "/var/bsd");
    filled.unwrap();
    assert!(exists(&host, "/var/bsd/libexec/ld-elf.so.1"));
}
