//! What a medium is, told by its files; what is not checked or not a userland is refused.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};

use qchroot_api::{Brand, ErrorKind, toml};

use crate::support::{Lab, run, says, sha256};

#[test]
fn an_install_medium_names_its_release_and_gives_its_sets() {
    let lab = Lab::new();
    lab.put_sets(
        "usr/freebsd-dist",
        &[("base", &["bin/sh", "etc/rc.conf"]), ("lib32", &["usr/lib32/libc.so"])],
    );
    lab.put("bin/freebsd-version", "#!/bin/sh\nUSERLAND_VERSION=\"14.3-RELEASE\"\n");
    let release = Lab::resolve(&lab.medium, None, false, toml::Table::new()).unwrap();
    assert_eq!((release.version.as_str(), release.brand), ("14.3-RELEASE", Brand::Freebsd));
    lab.fill(&release).unwrap();
    assert_eq!(lab.text("bin/sh"), "bin/sh");
    assert!(!lab.staging.join("usr").exists(), "lib32 was not asked for");
    let full = Lab::resolve(&lab.medium, None, false, toml::toml! { dists = ["full"] }).unwrap();
    assert_ne!(full.digest, release.digest);
    lab.fill(&full).unwrap();
    assert_eq!(lab.text("usr/lib32/libc.so"), "usr/lib32/libc.so");
}

#[test]
fn only_the_release_that_was_asked_for_and_only_production() {
    let lab = Lab::new();
    lab.put_sets("14.3-RELEASE", &[("base", &["bin/sh"])]);
    let resolve = |release, any| Lab::resolve(&lab.medium, release, any, toml::Table::new());
    assert_eq!(resolve(None, false).unwrap().version, "14.3-RELEASE");
    assert_eq!(resolve(Some("14.3-RELEASE"), false).unwrap().version, "14.3-RELEASE");
    says(&resolve(Some("13.2-RELEASE"), true).unwrap_err(), ErrorKind::BadData, &["13.2-RELEASE/MANIFEST"]);
    fs::rename(lab.medium.join("14.3-RELEASE"), lab.medium.join("14.3-RC1")).unwrap();
    says(&resolve(None, false).unwrap_err(), ErrorKind::BadData, &["14.3-RC1", "--any-release"]);
    assert_eq!(resolve(None, true).unwrap().version, "14.3-RC1");
}

#[test]
fn a_release_that_nothing_names_must_be_named() {
    let lab = Lab::new();
    lab.put_sets("", &[("base", &["bin/sh"])]);
    let resolve = |release| Lab::resolve(&lab.medium, release, false, toml::Table::new());
    says(&resolve(None).unwrap_err(), ErrorKind::Usage, &["--release"]);
    lab.fill(&resolve(Some("14.3-RELEASE")).unwrap()).unwrap();
    assert_eq!(lab.text("bin/sh"), "bin/sh");
}

#[test]
fn sets_that_are_not_what_manifest_lists_are_refused() {
    let lab = Lab::new();
    lab.put_sets("14.3-RELEASE", &[("base", &["bin/sh"])]);
    let pinned =
        toml::toml! { manifest_sha256 = "0000000000000000000000000000000000000000000000000000000000000000" };
    let error = Lab::resolve(&lab.medium, None, true, pinned).unwrap_err();
    says(&error, ErrorKind::BadData, &["MANIFEST has the SHA-256"]);
    let release = Lab::resolve(&lab.medium, None, false, toml::Table::new()).unwrap();
    lab.pack(&["bin/evil"], &["-cJf", lab.medium.join("14.3-RELEASE/base.txz").to_str().unwrap()]);
    says(&lab.fill(&release).unwrap_err(), ErrorKind::BadData, &["base.txz"]);
    fs::remove_file(lab.medium.join("14.3-RELEASE/base.txz")).unwrap();
    assert_eq!(lab.fill(&release).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn a_plain_root_is_taken_only_when_the_user_insists() {
    let lab = Lab::new();
    lab.put("bin/sh", "a shell");
    lab.put("etc/os-release", "ID=tiny\nVERSION_ID=\"1.0\"\n");
    symlink("/etc/shadow", lab.medium.join("etc/shadow")).unwrap();
    fs::hard_link(lab.medium.join("bin/sh"), lab.medium.join("bin/ash")).unwrap();
    let resolve = |any| Lab::resolve(&lab.medium, None, any, toml::Table::new());
    says(&resolve(false).unwrap_err(), ErrorKind::BadData, &["cannot be checked", "--any-release"]);
    let release = resolve(true).unwrap();
    assert_eq!((release.version.as_str(), release.brand), ("tiny-1.0", Brand::Linux));
    lab.fill(&release).unwrap();
    let stat = |path: &str| fs::symlink_metadata(lab.staging.join(path)).unwrap();
    assert_eq!((stat("bin/sh").ino(), stat("bin/sh").mode()), (stat("bin/ash").ino(), 0o100_755));
    assert!(stat("etc/shadow").is_symlink(), "the host's file is not read");
    lab.put("bin/sh", "A shell");
    assert_ne!(resolve(true).unwrap().digest, release.digest, "one letter is another release");
}

#[test]
fn one_archive_at_the_top_is_a_userland() {
    let lab = Lab::new();
    let archive = lab.medium.join("rootfs.tar.xz");
    lab.pack(&["bin/sh", "etc/passwd"], &["-cJf", archive.to_str().unwrap()]);
    let digest = sha256(&archive);
    let error = Lab::resolve(&lab.medium, None, false, toml::Table::new()).unwrap_err();
    says(&error, ErrorKind::BadData, &[&digest, "--any-release"]);
    let options = toml::Table::from_iter([("sha256".to_owned(), digest.into())]);
    let release = Lab::resolve(&lab.medium, Some("mine-1"), false, options.clone()).unwrap();
    assert_eq!(release.version, "mine-1");
    lab.fill(&release).unwrap();
    assert_eq!(lab.text("etc/passwd"), "etc/passwd");
    lab.pack(&["bin/evil"], &["-cJf", archive.to_str().unwrap()]);
    says(&lab.fill(&release).unwrap_err(), ErrorKind::BadData, &["rootfs.tar.xz has the SHA-256"]);
    lab.put("other.tar", "");
    assert!(Lab::resolve(&lab.medium, None, false, options.clone()).is_ok(), "rootfs is the one");
    fs::rename(&archive, lab.medium.join("third.tar.xz")).unwrap();
    let error = Lab::resolve(&lab.medium, None, false, options).unwrap_err();
    says(&error, ErrorKind::BadData, &["several archives", "tarball"]);
}

#[test]
fn a_live_system_is_taken_out_of_its_image() {
    let lab = Lab::new();
    let root = lab.path("live");
    fs::create_dir_all(root.join("usr/bin")).unwrap();
    fs::write(root.join("usr/bin/tool"), "from the live system").unwrap();
    fs::create_dir(lab.medium.join("live")).unwrap();
    let image = lab.medium.join("live/filesystem.squashfs");
    run("mksquashfs", &[root.to_str().unwrap(), image.to_str().unwrap(), "-quiet"], &lab.medium);
    let options = toml::Table::from_iter([("sha256".to_owned(), sha256(&image).into())]);
    let release = Lab::resolve(&lab.medium, Some("live-12"), false, options.clone()).unwrap();
    lab.fill(&release).unwrap();
    assert_eq!(lab.text("usr/bin/tool"), "from the live system");
    fs::write(&image, "hsqs, no more").unwrap();
    says(&lab.fill(&release).unwrap_err(), ErrorKind::BadData, &["filesystem.squashfs has the SHA-256"]);
}

#[test]
fn what_is_no_userland_is_refused_with_what_was_looked_for() {
    let lab = Lab::new();
    lab.put("README", "nothing here");
    let resolve = || Lab::resolve(&lab.medium, None, true, toml::Table::new()).unwrap_err();
    says(
        &resolve(),
        ErrorKind::BadData,
        &["usr/freebsd-dist/MANIFEST", "live/filesystem.squashfs", "usr/bin"],
    );
    fs::create_dir_all(lab.medium.join("dists/bookworm")).unwrap();
    fs::create_dir_all(lab.medium.join("pool/main")).unwrap();
    says(&resolve(), ErrorKind::BadData, &["--source debian", "mirror=file:"]);
    let error = Lab::resolve(&lab.path("missing"), None, true, toml::Table::new()).unwrap_err();
    says(&error, ErrorKind::NotFound, &["missing"]);
    let error = Lab::resolve(&lab.medium.join("README"), None, true, toml::Table::new()).unwrap_err();
    says(&error, ErrorKind::BadData, &["README", "--source tarball"]);
}
