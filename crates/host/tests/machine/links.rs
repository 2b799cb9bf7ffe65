//! A link planted anywhere on the way never leads out of the container.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::sync::atomic::{AtomicBool, Ordering};

use qchroot_api::{Error, ErrorKind, Mount, MountFs, Observe, Step};
use qchroot_engine::Probe;
use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::support::Lab;

/// Every step that changes something at `path`.
fn steps(lab: &Lab, path: &str) -> Vec<Step> {
    let at = lab.inside(path);
    let fs = MountFs::Tmp { size: 1 << 20, mode: 0o755 };
    vec![
        Step::MakeDir { at: at.clone(), mode: 0o755 },
        Step::WriteFile { at: at.clone(), text: "planted".into(), mode: 0o644, was: None },
        Step::Link { at: at.clone(), to: "target".into(), was: None },
        Step::Device { at: at.clone(), major: 1, minor: 3 },
        Step::Mount(Mount::new(at, fs)),
    ]
}

fn refused(lab: &Lab, step: &Step, names: &str) -> Error {
    let error = lab.apply(step).expect_err(&format!("{step} was done"));
    assert_eq!(error.kind(), ErrorKind::Exists, "{step}: {error}");
    assert!(error.to_string().contains(names), "{step}: {error}");
    assert!(matches!(lab.probe(step), Probe::Conflict(_)), "{step}");
    error
}

#[test]
fn a_link_at_any_position_of_the_way_is_refused_by_name() {
    let lab = Lab::with_mounts();
    for (planted, path) in [("a", "a/b/c/new"), ("d/b", "d/b/c/new"), ("e/b/c", "e/b/c/new")] {
        fs::create_dir_all(lab.host.join("b/c/new")).unwrap();
        fs::create_dir_all(lab.root.join(planted).parent().unwrap()).unwrap();
        symlink(&lab.host, lab.root.join(planted)).unwrap();
        let name = planted.rsplit('/').next().unwrap();
        for step in steps(&lab, path) {
            refused(&lab, &step, &format!("{name} is a link, not a directory"));
        }
    }
    assert_eq!(lab.host_names(), ["b"]);
    assert_eq!(fs::read_dir(lab.host.join("b/c/new")).unwrap().count(), 0);
}

#[test]
fn a_link_in_the_place_itself_is_not_followed() {
    let lab = Lab::with_mounts();
    fs::write(lab.host.join("file"), "the host's").unwrap();
    symlink(lab.host.join("file"), lab.root.join("null")).unwrap();
    symlink(&lab.host, lab.root.join("proc")).unwrap();
    let error = refused(&lab, &Step::Device { at: lab.inside("null"), major: 1, minor: 3 }, "is a link");
    assert!(error.to_string().contains("root/./null"), "{error}");
    let write = Step::WriteFile { at: lab.inside("null"), text: "x".into(), mode: 0o644, was: None };
    refused(&lab, &write, "is a link, not a file");
    refused(
        &lab,
        &Step::Mount(Mount::new(lab.inside("proc"), MountFs::Proc)),
        "proc is a link, not a directory",
    );
    assert_eq!(fs::read_to_string(lab.host.join("file")).unwrap(), "the host's");
}

#[test]
fn a_file_in_place_of_a_mount_point_is_refused_by_name() {
    let lab = Lab::with_mounts();
    fs::write(lab.root.join("proc"), "").unwrap();
    refused(
        &lab,
        &Step::Mount(Mount::new(lab.inside("proc"), MountFs::Proc)),
        "proc is a file, not a directory",
    );
}

#[test]
fn an_empty_file_becomes_the_device_and_anything_else_is_kept() {
    let lab = Lab::new();
    let step = |name: &str| Step::Device { at: lab.inside(name), major: 1, minor: 3 };
    fs::write(lab.root.join("empty"), "").unwrap();
    fs::write(lab.root.join("full"), "data").unwrap();
    fs::create_dir(lab.root.join("dir")).unwrap();
    lab.apply(&Step::Device { at: lab.inside("other"), major: 1, minor: 5 }).unwrap();
    for name in ["empty", "new"] {
        assert_eq!(lab.probe(&step(name)), Probe::Absent);
        lab.apply(&step(name)).unwrap();
        assert_eq!(lab.probe(&step(name)), Probe::Present);
        let mode = fs::metadata(lab.root.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o666);
        fs::write(lab.root.join(name), "swallowed").unwrap();
    }
    refused(&lab, &step("full"), "a file with content");
    refused(&lab, &step("dir"), "is a directory");
    refused(&lab, &step("other"), "is device 1:5, not 1:3");
}

#[test]
fn a_device_that_is_not_on_the_list_is_refused() {
    let lab = Lab::new();
    let error = lab.apply(&Step::Device { at: lab.inside("mem"), major: 1, minor: 1 }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permission);
    assert!(!lab.root.join("mem").exists());
}

#[test]
fn removing_through_a_link_removes_nothing() {
    let lab = Lab::new();
    fs::create_dir(lab.host.join("empty")).unwrap();
    fs::write(lab.host.join("file"), "x").unwrap();
    symlink(&lab.host, lab.root.join("etc")).unwrap();
    for step in [
        Step::RemoveDir { at: lab.inside("etc/empty") },
        Step::RemoveFile { at: lab.inside("etc/file"), mode: 0o644, was: "x".into() },
        Step::RemoveDevice { at: lab.inside("etc/null"), major: 1, minor: 3 },
        Step::Unlink { at: lab.inside("etc/link"), was: "x".into() },
    ] {
        assert_eq!(lab.probe(&step), Probe::Present, "{step}");
        lab.apply(&step).unwrap();
    }
    assert_eq!(lab.host_names(), ["empty", "file"]);
}

/// Swaps a directory in the container with a link to the host's until it is told to stop.
fn swap(lab: &Lab, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        renameat_with(
            CWD,
            lab.root.join("a").as_str(),
            CWD,
            lab.root.join("b").as_str(),
            RenameFlags::EXCHANGE,
        )
        .unwrap();
    }
}

#[test]
fn a_directory_that_is_swapped_with_a_link_all_the_time_never_leads_out() {
    let lab = Lab::with_mounts();
    fs::create_dir_all(lab.root.join("a/new")).unwrap();
    fs::create_dir(lab.host.join("new")).unwrap();
    fs::write(lab.host.join("kept"), "the host's").unwrap();
    symlink(&lab.host, lab.root.join("b")).unwrap();
    let before = fs::metadata(&lab.host).unwrap();
    let mount = Mount::new(lab.inside("a/new"), MountFs::Tmp { size: 1 << 20, mode: 0o755 });
    let steps = [
        Step::MakeDir { at: lab.inside("a/dir"), mode: 0o700 },
        Step::WriteFile { at: lab.inside("a/kept"), text: "planted".into(), mode: 0o600, was: None },
        Step::RemoveFile { at: lab.inside("a/kept"), mode: 0o600, was: "planted".into() },
        Step::Device { at: lab.inside("a/null"), major: 1, minor: 3 },
        Step::RemoveDevice { at: lab.inside("a/null"), major: 1, minor: 3 },
        Step::RemoveDir { at: lab.inside("a/dir") },
        Step::Mount(mount.clone()),
        Step::Unmount(mount),
    ];
    let stop = AtomicBool::new(false);
    let (mut done, mut refused) = (0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| swap(&lab, &stop));
        for step in steps.iter().cycle().take(4000) {
            match lab.apply(step) {
                Ok(()) => done += 1,
                Err(_) => refused += 1,
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(done > 100 && refused > 100, "nothing was put to the test: {done} done, {refused} refused");
    assert_eq!(lab.host_names(), ["kept", "new"]);
    assert_eq!(fs::read_to_string(lab.host.join("kept")).unwrap(), "the host's");
    let after = fs::metadata(&lab.host).unwrap();
    assert_eq!((before.mtime_nsec(), before.mode()), (after.mtime_nsec(), after.mode()));
    let mounts = (&lab.machine as &dyn Observe).mounts().unwrap();
    assert!(!mounts.iter().any(|mounted| mounted.at.starts_with(&lab.host)));
}
