//! Steps on files, each with its probe, its inverse and its refusals.

use qchroot_api::{ErrorKind, FileKind, Observe, Place, Step};
use qchroot_engine::{Host, Probe};
use qchroot_testkit::FakeHost;

use super::{apply, conflict, does, refuses};

fn at(path: &str) -> Place {
    Place::within("/q/web/root", path)
}

fn host() -> FakeHost {
    let host = FakeHost::linux();
    host.plant_dir("/q/web/root/dev", 0o755);
    host
}

#[test]
fn a_step_and_its_inverse_leave_no_trace() {
    let host = host();
    host.plant_file("/q/web/root/motd", "hello", 0o644);
    host.plant_link("/q/web/root/now", "a");
    host.plant_file("/q/tree/usr/bin/su", "su", 0o4755);
    host.chown("/q/tree/usr/bin/su", 0, 80);
    let steps = [
        Step::MakeDir { at: at("var"), mode: 0o700 },
        Step::CopyTree { from: "/q/tree".into(), to: "/q/copy".into() },
        Step::WriteFile { at: at("new"), text: "x".into(), mode: 0o600, was: None },
        Step::WriteFile { at: at("motd"), text: "bye".into(), mode: 0o644, was: Some("hello".into()) },
        Step::Link { at: at("bin"), to: "usr/bin".into(), was: None },
        Step::Link { at: at("now"), to: "b".into(), was: Some("a".into()) },
        Step::Rename { from: "/q/tree".into(), to: "/q/other".into() },
        Step::Device { at: at("dev/null"), major: 1, minor: 3 },
    ];
    for step in steps {
        let before = host.snapshot(["/"]);
        assert_eq!(host.probe(&step).unwrap(), Probe::Absent, "{step}");
        apply(&host, &step).unwrap();
        assert_ne!(host.probe(&step).unwrap(), Probe::Absent, "{step}");
        assert!(before != host.snapshot(["/"]), "{step} did nothing");
        apply(&host, &step.inverse().unwrap()).unwrap();
        before.assert_same(&host.snapshot(["/"]), &step.to_string());
    }
}

#[test]
fn a_copy_keeps_modes_owners_and_links() {
    let host = host();
    host.plant_file("/q/tree/su", "su", 0o4755);
    host.chown("/q/tree/su", 7, 80);
    host.plant_link("/q/tree/etc", "/etc");
    apply(&host, &Step::CopyTree { from: "/q/tree".into(), to: "/q/copy".into() }).unwrap();
    let stat = (&host as &dyn Observe).stat(&Place::host("/q/copy/su")).unwrap().unwrap();
    assert_eq!((stat.mode, stat.uid, stat.gid), (0o4755, 7, 80));
    let link = (&host as &dyn Observe).link(&Place::host("/q/copy/etc")).unwrap();
    assert_eq!(link, Some("/etc".into()));
}

#[test]
fn what_is_in_the_way_is_named() {
    let host = host();
    host.plant_link("/q/web/root/dev/null", "/dev/sda");
    host.plant_file("/q/web/root/var", "", 0o644);
    host.plant_dir("/q/taken", 0o755);
    host.plant_dir("/q/old", 0o755);

    let device = Step::Device { at: at("dev/null"), major: 1, minor: 3 };
    assert_eq!(conflict(&host, &device), "/q/web/root/./dev/null is a link, not a device");
    assert_eq!(refuses(&host, &device).kind(), ErrorKind::Exists);
    let dir = Step::MakeDir { at: at("var"), mode: 0o755 };
    assert_eq!(conflict(&host, &dir), "/q/web/root/./var is a file, not a directory");
    let rename = Step::Rename { from: "/q/old".into(), to: "/q/taken".into() };
    assert_eq!(conflict(&host, &rename), "/q/taken exists already");
    assert_eq!(refuses(&host, &rename).kind(), ErrorKind::Exists);
    let write = Step::WriteFile { at: at("var"), text: "x".into(), mode: 0o644, was: Some("y".into()) };
    assert_eq!(conflict(&host, &write), "/q/web/root/./var has other content than expected");
}

#[test]
fn an_empty_file_gives_way_to_a_device_and_no_other_device_is_made() {
    let host = host();
    host.plant_file("/q/web/root/dev/null", "", 0o644);
    does(&host, &Step::Device { at: at("dev/null"), major: 1, minor: 3 });
    let disk = Step::Device { at: at("dev/sda"), major: 8, minor: 0 };
    assert!(refuses(&host, &disk).to_string().contains("not on the list of safe ones"));
    assert_eq!(refuses(&FakeHost::freebsd(), &disk).kind(), ErrorKind::Unavailable);
}

#[test]
fn links_inside_a_container_never_lead_out() {
    let host = host();
    host.plant_link("/q/web/root/etc", "/etc");
    host.plant_link("/q/web/root/up", "../../../../tmp");
    host.plant_dir("/q/web/root/tmp", 0o1777);
    let write = |path: &str| Step::WriteFile { at: at(path), text: "x".into(), mode: 0o644, was: None };
    for path in ["etc/passwd", "up/x"] {
        let name = path.split('/').next().unwrap();
        assert!(conflict(&host, &write(path)).ends_with(&format!("{name} is a link, not a directory")));
        assert_eq!(refuses(&host, &write(path)).kind(), ErrorKind::Exists);
    }
    let view: &dyn Observe = &host;
    host.plant_file("/q/web/root/tmp/x", "inside", 0o644);
    assert_eq!(view.read(&at("up/x")).as_deref(), Ok("inside"));
    let error = view.read(&at("etc/passwd")).unwrap_err();
    assert!(error.to_string().contains("too many levels of symbolic links"), "{error}");
}

#[test]
fn taking_away_what_is_gone_succeeds_and_what_is_full_stays() {
    let host = host();
    host.plant_file("/q/web/root/var/log", "x", 0o644);
    for step in [
        Step::RemoveDir { at: at("none") },
        Step::RemoveTree { at: "/q/none".into() },
        Step::RemoveFile { at: at("none"), mode: 0o644, was: "x".into() },
        Step::Unlink { at: at("none"), was: "x".into() },
        Step::RemoveDevice { at: at("none"), major: 1, minor: 3 },
    ] {
        let before = host.snapshot(["/"]);
        assert_eq!(host.probe(&step).unwrap(), Probe::Present, "{step}");
        apply(&host, &step).unwrap();
        before.assert_same(&host.snapshot(["/"]), &step.to_string());
    }
    let before = host.snapshot(["/"]);
    apply(&host, &Step::RemoveDir { at: at("var") }).unwrap();
    before.assert_same(&host.snapshot(["/"]), "after removing a directory that is full");
}

#[test]
fn a_stage_is_empty_whatever_was_there() {
    let host = host();
    host.plant_file("/q/.staging/left/over", "x", 0o644);
    let stage = Step::Stage { at: "/q/.staging".into() };
    assert_eq!(host.probe(&stage).unwrap(), Probe::Unknown);
    apply(&host, &stage).unwrap();
    let view: &dyn Observe = &host;
    assert_eq!(view.list(&Place::host("/q/.staging")).unwrap(), [""; 0]);
    let stat = view.stat(&Place::host("/q/.staging")).unwrap().unwrap();
    assert_eq!((stat.kind, stat.mode), (FileKind::Directory, 0o700));
}

#[test]
fn steps_of_the_engine_and_users_without_power_are_refused() {
    let host = FakeHost::linux().unprivileged();
    let dir = Step::MakeDir { at: Place::host("/q"), mode: 0o755 };
    assert_eq!(refuses(&host, &dir).kind(), ErrorKind::Permission);
    let split = Step::Split {
        tree: "/t".into(),
        sharedfs: "/s".into(),
        template: "/u".into(),
        describe: "/d".into(),
        brand: None,
    };
    assert_eq!(refuses(&FakeHost::linux(), &split).kind(), ErrorKind::Internal);
}

#[test]
fn a_parent_that_is_missing_is_not_made() {
    let error = refuses(&host(), &Step::MakeDir { at: at("a/b"), mode: 0o755 });
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("/q/web/root/./a/b"), "{error}");
}
