//! A link planted anywhere on the way never leads out of the container.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use qchroot_api::{Error, ErrorKind, Mount, MountFs, Step};
use qchroot_engine::Probe;

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
    lab.apply(&Step::RemoveDir { at: lab.inside("etc/empty") }).unwrap();
    lab.apply(&Step::RemoveFile { at: lab.inside("etc/file"), mode: 0o644, was: "x".into() }).unwrap();
    lab.apply(&Step::RemoveDevice { at: lab.inside("etc/null"), major: 1, minor: 3 }).unwrap();
    assert_eq!(lab.host_names(), ["empty", "file"]);
}
