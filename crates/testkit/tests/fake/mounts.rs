//! Mounts: what they show, where writes go, and when the kernel refuses.

use qchroot_api::{ErrorKind, Mount, MountFs, Observe, Place, Platform, Step};
use qchroot_engine::Host;
use qchroot_testkit::FakeHost;

use super::{apply, conflict, does, refuses};

fn null(source: &str, on: &str) -> Mount {
    Mount::new(Place::host(on), MountFs::Null { source: source.into() })
}

fn overlay() -> Mount {
    let lower = vec!["/base/template".into(), "/base/sharedfs".into()];
    let fs = MountFs::Overlay { lower, upper: "/q/web/upper".into(), work: "/q/web/work".into() };
    Mount::new(Place::host("/q/web/root"), fs)
}

fn host(platform: Platform) -> FakeHost {
    let host = FakeHost::new(platform);
    host.plant_file("/base/sharedfs/usr/bin/sh", "sh", 0o755);
    host.plant_file("/base/template/etc/passwd", "root", 0o644);
    for dir in ["root/sharedfs", "upper", "work"] {
        host.plant_dir(format!("/q/web/{dir}"), 0o755);
    }
    host
}

fn write(path: &str) -> Step {
    Step::WriteFile { at: Place::within("/q/web/root", path), text: "x".into(), mode: 0o644, was: None }
}

#[test]
fn a_read_only_null_mount_shows_its_source_and_takes_no_writes() {
    let host = host(Platform::Freebsd);
    let mount = Step::Mount(null("/base/sharedfs", "/q/web/root/sharedfs").read_only());
    let before = host.snapshot(["/"]);
    does(&host, &mount);
    assert_eq!(host.text("/q/web/root/sharedfs/usr/bin/sh").as_deref(), Some("sh"));
    let error = refuses(&host, &write("sharedfs/usr/bin/new"));
    assert_eq!((error.kind(), error.to_string().contains("read-only file system")), (ErrorKind::Io, true));
    let table = (&host as &dyn Observe).mounts().unwrap();
    assert_eq!((table[1].fs.as_str(), table[1].source.as_str()), ("nullfs", "/base/sharedfs"));
    does(&host, &mount.inverse().unwrap());
    before.assert_same(&host.snapshot(["/"]), "after mounting and unmounting");
}

#[test]
fn an_overlay_takes_writes_above_and_hides_what_was_removed() {
    let host = host(Platform::Linux);
    let base = host.snapshot(["/base"]);
    does(&host, &Step::Mount(overlay()));
    let view: &dyn Observe = &host;
    assert_eq!(view.list(&Place::host("/q/web/root")).unwrap(), ["etc", "usr"]);
    does(&host, &write("usr/bin/new"));
    assert_eq!(host.text("/q/web/upper/usr/bin/new").as_deref(), Some("x"));
    let inside = |path| Place::within("/q/web/root", path);
    does(&host, &Step::RemoveFile { at: inside("etc/passwd"), mode: 0o644, was: "root".into() });
    does(&host, &Step::RemoveDir { at: inside("etc") });
    does(&host, &Step::MakeDir { at: inside("etc"), mode: 0o755 });
    assert_eq!(view.list(&inside("etc")).unwrap(), [""; 0]);
    does(&host, &Step::Unmount(overlay()));
    base.assert_same(&host.snapshot(["/base"]), "after writing through an overlay");
}

#[test]
fn an_overlay_needs_its_kernel_and_its_layers_for_itself() {
    let mount = Step::Mount(overlay());
    assert_eq!(refuses(&host(Platform::Freebsd), &mount).kind(), ErrorKind::Unavailable);
    let poor = host(Platform::Linux).without_fs("overlay");
    assert_eq!(refuses(&poor, &mount).kind(), ErrorKind::Unavailable);
    let host = host(Platform::Linux);
    host.plant_dir("/q/second", 0o755);
    does(&host, &mount);
    let second = Step::Mount(Mount { at: Place::host("/q/second"), ..overlay() });
    assert_eq!(refuses(&host, &second).kind(), ErrorKind::Busy);
}

#[test]
fn no_mount_lands_on_a_link_or_on_itself_or_on_another_mount() {
    let host = host(Platform::Linux);
    host.plant_link("/q/web/root/proc", "/proc");
    let on_link = Step::Mount(Mount::new(Place::within("/q/web/root", "proc"), MountFs::Proc));
    assert_eq!(conflict(&host, &on_link), "cannot use /q/web/root/./proc: proc is a link, not a directory");
    let error = refuses(&host, &on_link);
    assert!(error.to_string().contains("proc is a link"), "{error}");

    let on_itself = Step::Mount(null("/base/sharedfs", "/base/sharedfs"));
    assert!(refuses(&host, &on_itself).to_string().contains("inside the source"));

    does(&host, &Step::Mount(null("/base/sharedfs", "/q/web/root/sharedfs")));
    let other = Step::Mount(null("/base/template", "/q/web/root/sharedfs"));
    assert_eq!(conflict(&host, &other), "/q/web/root/sharedfs: ext4 from /base/sharedfs is mounted on it");
    assert_eq!(
        refuses(&host, &Step::Unmount(null("/base/template", "/q/web/root/sharedfs"))).kind(),
        ErrorKind::Exists
    );
}

#[test]
fn a_mount_in_use_stays() {
    let host = host(Platform::Linux);
    does(&host, &Step::Mount(overlay()));
    host.plant_dir("/q/web/root/proc", 0o555);
    let proc = Mount::new(Place::within("/q/web/root", "proc"), MountFs::Proc);
    does(&host, &Step::Mount(proc.clone()));
    let error = refuses(&host, &Step::Unmount(overlay()));
    assert!(error.to_string().contains("something is mounted below"), "{error}");
    does(&host, &Step::Unmount(proc));
    let pid = host.plant_process("/q/web/root", "nginx");
    let error = refuses(&host, &Step::Unmount(overlay()));
    assert_eq!(error.kind(), ErrorKind::Busy);
    assert!(error.to_string().contains("nginx"), "{error}");
    host.kill(pid);
    does(&host, &Step::Unmount(overlay()));
}

#[test]
fn nothing_is_removed_across_a_mount_and_a_mount_follows_its_directory() {
    let host = host(Platform::Linux);
    does(&host, &Step::Mount(null("/base/sharedfs", "/q/web/root/sharedfs")));
    let remove = Step::RemoveTree { at: "/q/web".into() };
    assert_eq!(refuses(&host, &remove).kind(), ErrorKind::Busy);
    let under = Step::RemoveDir { at: Place::host("/q/web/root/sharedfs") };
    assert_eq!(refuses(&host, &under).kind(), ErrorKind::Busy);

    apply(&host, &Step::Rename { from: "/q/web".into(), to: "/q/db".into() }).unwrap();
    assert_eq!(host.text("/q/db/root/sharedfs/usr/bin/sh").as_deref(), Some("sh"));
    assert_eq!((&host as &dyn Observe).mounts().unwrap()[1].at, "/q/db/root/sharedfs");
}

#[test]
fn devfs_needs_its_rule_set() {
    let host = host(Platform::Freebsd);
    host.plant_dir("/q/web/root/dev", 0o755);
    let dev =
        |ruleset| Step::Mount(Mount::new(Place::within("/q/web/root", "dev"), MountFs::Dev { ruleset }));
    let error = refuses(&host, &dev(42));
    assert!(error.to_string().contains("rule set 42 is not loaded"), "{error}");
    does(&host, &dev(4));
    assert!((&host as &dyn Observe).stat(&Place::host("/q/web/root/dev/null")).unwrap().is_some());
    assert!(host.disk_usage("/q/web/root".into()).unwrap() < 100);
}
