//! Single files of the host's come along as they are, each in the way that was asked for.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use camino::Utf8Path;
use qchroot_api::{ErrorKind, Progress, Result, Take};
use qchroot_engine::{Host, Workplace};
use rustix::fs::{CWD, FileType, Mode, XattrFlags, mknodat};

use crate::support::Lab;

fn take(lab: &Lab, from: &str, to: &str, how: Take) -> Result<()> {
    take_to(lab, &lab.root, from, to, how)
}

fn take_to(lab: &Lab, root: &Utf8Path, from: &str, to: &str, how: Take) -> Result<()> {
    let mut show = |_: &Progress| {};
    let mut work = lab.machine.work(&Workplace::beside(root), &mut show)?;
    work.take(&lab.host.join(from), Path::new(to), how)?;
    work.tree().finish()
}

/// A set-id program of somebody's, with an attribute, in a directory of its own kind.
fn lab() -> Lab {
    let lab = Lab::new();
    let program = lab.host.join("program");
    fs::write(&program, "content").unwrap();
    std::os::unix::fs::chown(&program, Some(12), Some(34)).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o4751)).unwrap();
    rustix::fs::setxattr(program.as_str(), "user.note", b"kept", XattrFlags::empty()).unwrap();
    fs::create_dir(lab.host.join("dir")).unwrap();
    fs::set_permissions(lab.host.join("dir"), fs::Permissions::from_mode(0o1770)).unwrap();
    symlink("../nowhere", lab.host.join("link")).unwrap();
    lab
}

#[test]
fn a_file_keeps_what_it_carries() {
    for how in [Take::Copy, Take::Reflink, Take::Link] {
        let lab = lab();
        take(&lab, "program", "usr/bin/program", how).unwrap();
        let path = lab.root.join("usr/bin/program");
        let (there, here) = (fs::metadata(lab.host.join("program")).unwrap(), fs::metadata(&path).unwrap());
        assert_eq!((here.uid(), here.gid(), here.mode() & 0o7777), (12, 34, 0o4751), "{how:?}");
        assert_eq!(there.modified().unwrap(), here.modified().unwrap(), "{how:?}");
        let mut value = [0; 16];
        let length = rustix::fs::getxattr(path.as_str(), "user.note", &mut value).unwrap();
        assert_eq!(&value[..length], b"kept", "{how:?}");
        assert_eq!(there.ino() == here.ino(), how == Take::Link, "{how:?}");
        fs::write(lab.host.join("program"), "changed").unwrap();
        let shows = fs::read_to_string(&path).unwrap();
        assert_eq!(shows == "changed", how == Take::Link, "{how:?}");
        take(&lab, "program", "usr/bin/program", how).expect("what is there already is replaced");
        assert_eq!(fs::read_to_string(&path).unwrap(), "changed", "{how:?}");
    }
}

#[test]
fn links_and_directories_come_alone() {
    let lab = lab();
    fs::write(lab.host.join("dir/inside"), "").unwrap();
    for how in [Take::Copy, Take::Reflink, Take::Link] {
        take(&lab, "link", "link", how).unwrap();
        assert_eq!(fs::read_link(lab.root.join("link")).unwrap(), Path::new("../nowhere"));
        take(&lab, "dir", "dir", how).unwrap();
        assert_eq!(fs::metadata(lab.root.join("dir")).unwrap().mode() & 0o7777, 0o1770);
        assert_eq!(fs::read_dir(lab.root.join("dir")).unwrap().count(), 0);
    }
}

#[test]
fn nothing_else_is_taken_and_nothing_is_waited_for() {
    let lab = lab();
    mknodat(CWD, lab.host.join("pipe").as_str(), FileType::Fifo, Mode::RWXU, 0).unwrap();
    for how in [Take::Copy, Take::Reflink, Take::Link] {
        let error = take(&lab, "pipe", "pipe", how).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadData);
        assert!(error.message().contains("pipe is a named pipe"), "{error}");
        assert_eq!(take(&lab, "gone", "gone", how).unwrap_err().kind(), ErrorKind::NotFound);
        symlink(&lab.host, lab.root.join("out")).unwrap();
        assert_eq!(take(&lab, "program", "out/new", how).unwrap_err().kind(), ErrorKind::BadData);
        assert_eq!(take(&lab, "program", "../new", how).unwrap_err().kind(), ErrorKind::BadData);
        fs::remove_file(lab.root.join("out")).unwrap();
    }
    assert!(!lab.host.join("new").exists());
}

#[test]
#[cfg(target_os = "linux")]
fn a_link_to_another_file_system_is_refused_with_what_to_do() {
    let lab = lab();
    let elsewhere = tempfile::tempdir_in("/dev/shm").unwrap();
    let root = Utf8Path::from_path(elsewhere.path()).unwrap();
    let error = take_to(&lab, root, "program", "program", Take::Link).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message().contains("program: it is on another file system"), "{error}");
    assert!(error.hint_text().is_some());
    take_to(&lab, root, "program", "program", Take::Reflink).expect("what cannot share blocks is a copy");
}
