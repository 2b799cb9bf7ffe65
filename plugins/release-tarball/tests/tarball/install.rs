//! What is asked for, what is checked, and what comes of it.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use qchroot_api::{Brand, ErrorKind, Release, toml};
use tar::{Builder, EntryType, Header};

use crate::support::{fill, options, resolve, says};

/// A small userland: a program with its set-id bit, a hard link, links, a device, a FIFO.
fn archive(dir: &Path) -> PathBuf {
    let path = dir.join("tiny-1.0.tar");
    let mut tar = Builder::new(File::create(&path).unwrap());
    let mut add = |name: &str, kind: EntryType, link: &str, mode: u32, content: &[u8]| {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(5);
        header.set_mtime(1_700_000_000);
        header.set_size(content.len() as u64);
        header.set_device_major(1).unwrap();
        header.set_device_minor(3).unwrap();
        if !link.is_empty() {
            header.set_link_name_literal(link).unwrap();
        }
        tar.append_data(&mut header, name, content).unwrap();
    };
    add("usr/bin/tool", EntryType::Regular, "", 0o4755, b"#!/bin/sh\n");
    add("usr/bin/also", EntryType::Link, "usr/bin/tool", 0o4755, b"");
    add("bin", EntryType::Symlink, "usr/bin", 0o777, b"");
    add("dev/null", EntryType::Char, "", 0o666, b"");
    add("run/fifo", EntryType::Fifo, "", 0o600, b"");
    tar.into_inner().unwrap();
    path
}

fn checked(path: &Path) -> Release {
    checked_with(path, &resolve(options(path), true).unwrap().digest)
}

fn checked_with(path: &Path, digest: &str) -> Release {
    let mut options = options(path);
    options.insert("sha256".into(), digest.to_uppercase().into());
    resolve(options, false).unwrap()
}

#[test]
fn a_checked_archive_becomes_a_userland() {
    let (dir, staging) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let release = checked(&archive(dir.path()));
    assert_eq!((release.version.as_str(), release.brand), ("tiny-1.0", Brand::Linux));
    assert!(release.id().unwrap().as_str().starts_with("tiny-1.0-"));
    fill(&release, staging.path()).unwrap();
    let stat = |path: &str| fs::symlink_metadata(staging.path().join(path)).unwrap();
    let tool = stat("usr/bin/tool");
    assert_eq!((tool.permissions().mode() & 0o7777, tool.gid(), tool.mtime()), (0o4755, 5, 1_700_000_000));
    assert_eq!((tool.ino(), tool.nlink()), (stat("usr/bin/also").ino(), 2));
    assert_eq!(fs::read_link(staging.path().join("bin")).unwrap(), Path::new("usr/bin"));
    assert_eq!(stat("dev/null").rdev(), fs::metadata("/dev/null").unwrap().rdev());
    assert_eq!(stat("").permissions().mode() & 0o7777, 0o755);
}

#[test]
fn only_checked_material_by_default() {
    let (dir, staging) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = archive(dir.path());
    let digest = resolve(options(&path), true).unwrap().digest;
    says(&resolve(options(&path), false).unwrap_err(), ErrorKind::BadData, &[&digest, "--any-release"]);
    let mut wrong = options(&path);
    wrong.insert("sha256".into(), "0".repeat(64).into());
    let release = resolve(wrong.clone(), true).unwrap();
    let error = fill(&release, staging.path()).unwrap_err();
    says(&error, ErrorKind::BadData, &[&digest, "tiny-1.0.tar"]);
    wrong.insert("sha256".into(), "xyz".into());
    says(&resolve(wrong, true).unwrap_err(), ErrorKind::Config, &["xyz"]);
}

#[test]
fn what_is_no_archive_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing.tar");
    for sha256 in [None, Some("0".repeat(64))] {
        let with = |path| {
            let mut options = options(path);
            sha256.iter().for_each(|sha256| drop(options.insert("sha256".into(), sha256.clone().into())));
            resolve(options, true).unwrap_err()
        };
        says(&with(&missing), ErrorKind::NotFound, &["missing.tar"]);
        says(&with(dir.path()), ErrorKind::BadData, &["directory"]);
    }
    says(&resolve(toml::Table::new(), true).unwrap_err(), ErrorKind::Config, &["path"]);
}

#[test]
fn an_archive_that_changes_after_the_check_is_refused() {
    let (dir, staging) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = archive(dir.path());
    let release = resolve(options(&path), true).unwrap();
    let mut file = File::options().write(true).open(&path).unwrap();
    file.seek(SeekFrom::Start(512)).unwrap();
    file.write_all(b"#!/evil").unwrap();
    says(&fill(&release, staging.path()).unwrap_err(), ErrorKind::BadData, &["SHA-256", "tiny-1.0.tar"]);
}

#[test]
fn an_archive_with_a_known_digest_is_not_read_before_it_is_unpacked() {
    let dir = tempfile::tempdir().unwrap();
    let path = archive(dir.path());
    let release = checked(&path);
    fs::write(&path, "something else").unwrap();
    assert_eq!(checked_with(&path, &release.digest), release);
}
