//! Trees are removed whole and never beyond their mount; copies carry everything.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;

use camino::Utf8Path;
use qchroot_api::{ErrorKind, Mount, MountFs, Place, Step};
use qchroot_engine::{Host, Probe};
use rustix::fs::{
    CWD, FileType, IFlags, Mode, Timespec, Timestamps, XattrFlags, fgetxattr, fsetxattr, futimens,
    ioctl_getflags, ioctl_setflags, mkdirat, mknodat, openat,
};

use crate::support::Lab;

fn remove(lab: &Lab) -> Step {
    Step::RemoveTree { at: lab.root.clone() }
}

#[test]
fn a_mount_inside_stops_removal_before_anything_is_lost() {
    let lab = Lab::with_mounts();
    fs::create_dir_all(lab.root.join("z/deep/tmp")).unwrap();
    fs::write(lab.root.join("a"), "first in every order").unwrap();
    let tmp = Mount::new(lab.inside("z/deep/tmp"), MountFs::Tmp { size: 1 << 20, mode: 0o755 });
    lab.apply(&Step::Mount(tmp.clone())).unwrap();
    fs::write(lab.root.join("z/deep/tmp/kept"), "x").unwrap();
    let error = lab.apply(&remove(&lab)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    assert!(error.to_string().contains("z/deep/tmp"), "{error}");
    assert!(lab.root.join("a").exists() && lab.root.join("z/deep/tmp/kept").exists());
    lab.apply(&Step::Unmount(tmp)).unwrap();
    lab.apply(&remove(&lab)).unwrap();
    assert_eq!(lab.probe(&remove(&lab)), Probe::Present);
}

#[test]
fn a_tree_that_is_a_mount_itself_is_not_emptied() {
    let lab = Lab::with_mounts();
    let mount = Mount::new(Place::host(&lab.root), MountFs::Null { source: lab.host.clone() });
    lab.apply(&Step::Mount(mount)).unwrap();
    fs::write(lab.host.join("kept"), "x").unwrap();
    assert_eq!(lab.apply(&remove(&lab)).unwrap_err().kind(), ErrorKind::Busy);
    assert_eq!(lab.host_names(), ["kept"]);
}

#[test]
fn links_in_a_tree_are_removed_and_their_targets_are_not() {
    let lab = Lab::new();
    fs::write(lab.host.join("kept"), "x").unwrap();
    symlink(&lab.host, lab.root.join("dir")).unwrap();
    symlink(lab.host.join("kept"), lab.root.join("file")).unwrap();
    lab.apply(&remove(&lab)).unwrap();
    assert_eq!(lab.host_names(), ["kept"]);
    assert!(!lab.root.exists());
}

#[test]
fn a_tree_that_is_a_link_is_refused() {
    let lab = Lab::new();
    fs::write(lab.host.join("kept"), "x").unwrap();
    fs::remove_dir(&lab.root).unwrap();
    symlink(&lab.host, &lab.root).unwrap();
    let error = lab.apply(&remove(&lab)).unwrap_err();
    assert!(error.to_string().contains("root is a link, not a directory"), "{error}");
    assert!(matches!(lab.probe(&remove(&lab)), Probe::Conflict(_)));
    assert_eq!(lab.host_names(), ["kept"]);
}

#[test]
fn immutable_and_append_only_files_and_directories_are_removed() {
    let lab = Lab::new();
    fs::create_dir_all(lab.root.join("dir/sub")).unwrap();
    fs::write(lab.root.join("dir/sub/file"), "x").unwrap();
    for (path, flag) in
        [("dir/sub/file", IFlags::IMMUTABLE), ("dir/sub", IFlags::APPEND), ("dir", IFlags::IMMUTABLE)]
    {
        let file = fs::File::open(lab.root.join(path)).unwrap();
        let flags = ioctl_getflags(&file).unwrap();
        ioctl_setflags(&file, flags | flag).expect("a file system with flags");
    }
    assert!(fs::remove_file(lab.root.join("dir/sub/file")).is_err());
    lab.apply(&remove(&lab)).unwrap();
    assert!(!lab.root.exists());
}

#[test]
fn a_tree_deeper_than_any_path_is_measured_and_removed() {
    let lab = Lab::new();
    let mut dir = openat(CWD, lab.root.as_str(), rustix::fs::OFlags::RDONLY, Mode::empty()).unwrap();
    for _ in 0..3000 {
        mkdirat(&dir, "deep", Mode::RWXU).unwrap();
        dir = openat(&dir, "deep", rustix::fs::OFlags::RDONLY, Mode::empty()).unwrap();
    }
    drop(dir);
    assert!(lab.machine.disk_usage(&lab.root).unwrap() > 0);
    lab.apply(&remove(&lab)).unwrap();
    assert!(!lab.root.exists());
}

#[test]
fn staging_starts_empty_and_closed() {
    let lab = Lab::new();
    let at = lab.host.join(".staging-web");
    fs::create_dir_all(at.join("left/over")).unwrap();
    lab.apply(&Step::Stage { at: at.clone() }).unwrap();
    assert_eq!(fs::read_dir(&at).unwrap().count(), 0);
    assert_eq!(fs::metadata(&at).unwrap().permissions().mode() & 0o7777, 0o700);
}

/// A file of 8 MiB that is nearly all hole.
fn sparse(at: &Utf8Path) {
    let file = fs::File::create(at).unwrap();
    file.set_len(8 << 20).unwrap();
    rustix::io::pwrite(&file, b"end", 4 << 20).unwrap();
}

fn template(at: &Utf8Path) {
    fs::create_dir_all(at.join("bin")).unwrap();
    fs::write(at.join("bin/su"), "program").unwrap();
    std::os::unix::fs::chown(at.join("bin/su"), Some(7), Some(8)).unwrap();
    fs::set_permissions(at.join("bin/su"), fs::Permissions::from_mode(0o4755)).unwrap();
    fs::hard_link(at.join("bin/su"), at.join("second")).unwrap();
    symlink("/etc/nowhere", at.join("link")).unwrap();
    sparse(&at.join("sparse"));
    mknodat(CWD, at.join("null").as_str(), FileType::CharacterDevice, Mode::from_raw_mode(0o666), 0x103)
        .unwrap();
    mknodat(CWD, at.join("pipe").as_str(), FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    drop(UnixListener::bind(at.join("socket")).unwrap());
    let file = fs::File::open(at.join("bin/su")).unwrap();
    fsetxattr(&file, "user.note", b"kept", XattrFlags::empty()).expect("a file system with attributes");
    let time = Timespec { tv_sec: 1_000_000_000, tv_nsec: 123_456_789 };
    let times = Timestamps { last_access: time, last_modification: time };
    futimens(&file, &times).unwrap();
    fs::set_permissions(at.join("bin"), fs::Permissions::from_mode(0o2751)).unwrap();
    futimens(fs::File::open(at.join("bin")).unwrap(), &times).unwrap();
}

#[test]
fn a_copy_carries_everything_but_sockets() {
    let lab = Lab::new();
    let (from, to) = (lab.host.join("template"), lab.host.join("copy"));
    template(&from);
    let step = Step::CopyTree { from: from.clone(), to: to.clone() };
    assert_eq!(lab.probe(&step), Probe::Absent);
    lab.apply(&step).unwrap();

    let su = fs::metadata(to.join("bin/su")).unwrap();
    assert_eq!((su.uid(), su.gid(), su.mode() & 0o7777), (7, 8, 0o4755));
    assert_eq!((su.mtime(), su.mtime_nsec()), (1_000_000_000, 123_456_789));
    assert_eq!(su.ino(), fs::metadata(to.join("second")).unwrap().ino());
    assert_ne!(su.ino(), fs::metadata(from.join("second")).unwrap().ino());
    let mut note = [0_u8; 16];
    let length = fgetxattr(fs::File::open(to.join("bin/su")).unwrap(), "user.note", &mut note[..]).unwrap();
    assert_eq!(&note[..length], b"kept");
    let bin = fs::metadata(to.join("bin")).unwrap();
    assert_eq!((bin.mode() & 0o7777, bin.mtime_nsec()), (0o2751, 123_456_789));
    assert_eq!(fs::read_link(to.join("link")).unwrap().to_str(), Some("/etc/nowhere"));
    assert_eq!(fs::metadata(to.join("null")).unwrap().rdev(), 0x103);
    assert!(fs::metadata(to.join("pipe")).unwrap().file_type().is_fifo());
    assert!(!to.join("socket").exists());
}

#[test]
fn a_copy_is_as_protected_as_what_was_copied() {
    let lab = Lab::new();
    let (from, to) = (lab.host.join("template"), lab.host.join("copy"));
    fs::create_dir_all(from.join("dir")).unwrap();
    fs::write(from.join("dir/kept"), "kept").unwrap();
    fs::hard_link(from.join("dir/kept"), from.join("second")).unwrap();
    fs::write(from.join("log"), "line").unwrap();
    let flags = [("dir/kept", IFlags::IMMUTABLE), ("log", IFlags::APPEND), ("dir", IFlags::IMMUTABLE)];
    for (path, flag) in flags {
        let file = fs::File::open(from.join(path)).unwrap();
        ioctl_setflags(&file, ioctl_getflags(&file).unwrap() | flag).expect("a file system with flags");
    }
    lab.apply(&Step::CopyTree { from: from.clone(), to: to.clone() }).unwrap();
    for (path, flag) in flags {
        let file = fs::File::open(to.join(path)).unwrap();
        assert!(ioctl_getflags(&file).unwrap().contains(flag), "{path}");
    }
    assert!(fs::write(to.join("second"), "x").is_err());
    for tree in [from, to] {
        lab.apply(&Step::RemoveTree { at: tree.clone() }).unwrap();
        assert!(!tree.exists());
    }
}

#[test]
fn a_single_file_is_copied_and_its_copy_removed() {
    let lab = Lab::new();
    let (from, to) = (lab.host.join("disk"), lab.host.join("copy"));
    sparse(&from);
    lab.apply(&Step::CopyTree { from: from.clone(), to: to.clone() }).unwrap();
    assert_eq!(fs::read(&from).unwrap(), fs::read(&to).unwrap());
    let back = Step::CopyTree { from, to: to.clone() }.inverse().unwrap();
    assert_eq!(lab.probe(&back), Probe::Absent);
    lab.apply(&back).unwrap();
    assert_eq!((lab.probe(&back), lab.host_names()), (Probe::Present, vec!["disk".to_owned()]));
}

#[test]
fn a_copy_of_a_sparse_file_is_equal_and_sparse() {
    let lab = Lab::new();
    let (from, to) = (lab.host.join("template"), lab.host.join("copy"));
    fs::create_dir(&from).unwrap();
    sparse(&from.join("sparse"));
    lab.apply(&Step::CopyTree { from: from.clone(), to: to.clone() }).unwrap();
    assert_eq!(fs::read(from.join("sparse")).unwrap(), fs::read(to.join("sparse")).unwrap());
    assert!(fs::metadata(to.join("sparse")).unwrap().blocks() * 512 < 1 << 20);
    assert!(lab.machine.disk_usage(&to).unwrap() < 1 << 20);
}

#[test]
fn a_copy_never_goes_over_what_is_there() {
    let lab = Lab::new();
    fs::write(lab.root.join("kept"), "x").unwrap();
    let step = Step::CopyTree { from: lab.host.clone(), to: lab.root.clone() };
    assert!(matches!(lab.probe(&step), Probe::Conflict(what) if what.ends_with("exists already")));
    assert_eq!(lab.apply(&step).unwrap_err().kind(), ErrorKind::Exists);
    assert!(lab.root.join("kept").exists());
}

#[test]
fn a_file_with_two_names_takes_its_space_once() {
    let lab = Lab::new();
    fs::write(lab.root.join("one"), vec![1_u8; 1 << 20]).unwrap();
    let before = lab.machine.disk_usage(&lab.root).unwrap();
    fs::hard_link(lab.root.join("one"), lab.root.join("two")).unwrap();
    assert_eq!(lab.machine.disk_usage(&lab.root).unwrap(), before);
    assert_eq!(lab.machine.disk_usage(&lab.root.join("nowhere")).unwrap(), 0);
}
