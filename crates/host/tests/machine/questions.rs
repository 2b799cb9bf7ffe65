//! What the machine says when it is asked.

use std::fs;
use std::os::unix::fs::symlink;

use qchroot_api::{ErrorKind, FileKind, Observe, Place, Platform};
use qchroot_engine::Host;

use crate::support::Lab;

fn ask(lab: &Lab) -> &dyn Observe {
    &lab.machine
}

#[test]
fn links_in_a_container_lead_to_the_containers_own_files() {
    let lab = Lab::new();
    fs::create_dir_all(lab.root.join("private/etc")).unwrap();
    fs::write(lab.root.join("private/etc/passwd"), "inside").unwrap();
    symlink("/private/etc", lab.root.join("etc")).unwrap();
    symlink("../../../../private/etc/passwd", lab.root.join("up")).unwrap();
    assert_eq!(ask(&lab).read(&lab.inside("etc/passwd")).unwrap(), "inside");
    assert_eq!(ask(&lab).read(&lab.inside("up")).unwrap(), "inside");
    assert_eq!(ask(&lab).list(&lab.inside("etc")).unwrap(), ["passwd"]);
    assert_eq!(ask(&lab).stat(&lab.inside("etc")).unwrap().unwrap().kind, FileKind::Link);
    assert_eq!(ask(&lab).link(&lab.inside("etc")).unwrap().unwrap(), "/private/etc");
    assert_eq!(ask(&lab).link(&lab.inside("private")).unwrap(), None);
}

#[test]
fn a_link_to_the_hosts_file_does_not_show_it() {
    let lab = Lab::new();
    fs::write(lab.host.join("secret"), "x").unwrap();
    symlink(lab.host.join("secret"), lab.root.join("passwd")).unwrap();
    let error = ask(&lab).read(&lab.inside("passwd")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
}

#[test]
fn only_files_are_read_and_what_is_missing_is_not_found() {
    let lab = Lab::new();
    let read = |path: &str| ask(&lab).read(&lab.inside(path)).unwrap_err();
    fs::create_dir(lab.root.join("dir")).unwrap();
    fs::write(lab.root.join("bytes"), b"\xff\xfe").unwrap();
    assert_eq!(read("dir").kind(), ErrorKind::BadData);
    assert_eq!(read("bytes").kind(), ErrorKind::BadData);
    assert_eq!(read("nowhere").kind(), ErrorKind::NotFound);
    assert_eq!(ask(&lab).list(&lab.inside("nowhere")).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(ask(&lab).stat(&lab.inside("no/where")).unwrap(), None);
    let device = ask(&lab).read(&Place::host("/dev/null")).unwrap_err();
    assert!(device.to_string().contains("is a device, not a file"), "{device}");
}

#[test]
fn a_file_longer_than_the_limit_is_refused() {
    let lab = Lab::new();
    fs::File::create(lab.root.join("long")).unwrap().set_len((16 << 20) + 1).unwrap();
    let error = ask(&lab).read(&lab.inside("long")).unwrap_err();
    assert!(error.to_string().contains("16 MiB"), "{error}");
}

#[test]
fn a_device_is_told_with_its_numbers() {
    let lab = Lab::new();
    let stat = ask(&lab).stat(&Place::host("/dev/null")).unwrap().unwrap();
    assert_eq!(stat.kind, FileKind::CharDevice);
    assert!(stat.device.is_some());
}

#[test]
fn programs_are_found_only_in_the_systems_own_directories() {
    let lab = Lab::new();
    let found = ask(&lab).program("sh").unwrap().unwrap();
    assert!(found.is_absolute() && found.ends_with("sh"));
    for name in ["no-such-program", "../bin/sh", ""] {
        assert_eq!(ask(&lab).program(name).unwrap(), None, "{name}");
    }
}

#[test]
fn the_machine_knows_itself() {
    let lab = Lab::new();
    let linux = cfg!(target_os = "linux");
    assert_eq!(ask(&lab).platform().unwrap(), if linux { Platform::Linux } else { Platform::Freebsd });
    assert!(!ask(&lab).host_release().unwrap().is_empty());
    assert!(ask(&lab).has_fs("nullfs").unwrap() && ask(&lab).has_fs("tmpfs").unwrap());
    assert!(!ask(&lab).has_fs("no-such-fs").unwrap());
    let boot = lab.machine.boot_id().unwrap();
    assert!(!boot.is_empty() && boot == lab.machine.boot_id().unwrap());
    assert!(lab.machine.wall_clock() > 1_600_000_000);
    assert!(ask(&lab).mounts().unwrap().iter().any(|mounted| mounted.at == "/"));
}
