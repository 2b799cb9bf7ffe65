//! Images of discs, read with the kernel where it can and without it where it cannot.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown, symlink};

use qchroot_api::{ErrorKind, toml};

use crate::support::{Lab, run, says, sha256};

#[test]
fn a_root_on_an_image_keeps_owners_modes_links_and_devices() {
    let lab = Lab::new();
    lab.put("bin/busybox", vec![7; 300_000]);
    fs::hard_link(lab.medium.join("bin/busybox"), lab.medium.join("bin/sh")).unwrap();
    fs::create_dir_all(lab.medium.join("etc")).unwrap();
    fs::create_dir_all(lab.medium.join("dev")).unwrap();
    lab.put("usr/bin/A long Name, with Case.txt", "name");
    chown(lab.medium.join("bin/busybox"), Some(3), Some(5)).unwrap();
    fs::set_permissions(lab.medium.join("bin/busybox"), fs::Permissions::from_mode(0o4711)).unwrap();
    symlink("/etc/shadow", lab.medium.join("etc/shadow")).unwrap();
    run("mknod", &["dev/null", "c", "1", "3"], &lab.medium);
    run("mkfifo", &["dev/log"], &lab.medium);
    let image = lab.image(&["-R", "--hardlinks"]);
    let release = Lab::resolve(&image, None, true, toml::Table::new()).unwrap();
    assert_eq!(release.version, "cd");
    lab.fill(&release).unwrap();
    let stat = |path: &str| fs::symlink_metadata(lab.staging.join(path)).unwrap();
    let program = stat("bin/busybox");
    assert_eq!((program.mode() & 0o7777, program.uid(), program.gid()), (0o4711, 3, 5));
    assert_eq!((program.nlink(), program.ino()), (2, stat("bin/sh").ino()));
    assert_eq!(fs::read(lab.staging.join("bin/sh")).unwrap(), vec![7; 300_000]);
    assert_eq!(fs::read_link(lab.staging.join("etc/shadow")).unwrap().to_str(), Some("/etc/shadow"));
    assert_eq!(stat("dev/null").rdev(), fs::metadata("/dev/null").unwrap().rdev());
    assert!(stat("dev/log").file_type().is_fifo());
    assert_eq!(lab.text("usr/bin/A long Name, with Case.txt"), "name");
}

#[test]
fn a_directory_deeper_than_iso_9660_allows_is_where_it_was() {
    let lab = Lab::new();
    lab.put("bin/sh", "shell");
    let deep = "etc/1/2/3/4/5/6/7/8/9/10/11/deep";
    lab.put(deep, "found");
    let image = lab.image(&["-R"]);
    lab.fill(&Lab::resolve(&image, None, true, toml::Table::new()).unwrap()).unwrap();
    assert_eq!(lab.text(deep), "found");
}

#[test]
fn an_image_must_have_the_digest_that_was_given() {
    let lab = Lab::new();
    lab.put("bin/sh", "shell");
    lab.put("etc/passwd", "root");
    let image = lab.image(&["-R"]);
    let digest = sha256(&image);
    let error = Lab::resolve(&image, None, false, toml::Table::new()).unwrap_err();
    says(&error, ErrorKind::BadData, &["cd.iso cannot be checked", &digest]);
    let options = |digest: &str| toml::Table::from_iter([("sha256".to_owned(), digest.into())]);
    lab.fill(&Lab::resolve(&image, None, false, options(&digest)).unwrap()).unwrap();
    assert_eq!(lab.text("bin/sh"), "shell");
    let other = Lab::new();
    let wrong = Lab::resolve(&image, None, false, options(&"0".repeat(64))).unwrap();
    says(&other.fill(&wrong).unwrap_err(), ErrorKind::BadData, &["cd.iso has the SHA-256", &digest]);
    assert_eq!(fs::read_dir(&other.staging).unwrap().count(), 0, "nothing of it was unpacked");
}

#[test]
fn sets_on_an_image_are_checked_by_their_manifest() {
    let lab = Lab::new();
    lab.put_sets(
        "usr/freebsd-dist",
        &[("base", &["bin/sh", "etc/rc.conf"]), ("lib32", &["usr/lib32/libc.so"])],
    );
    let image = lab.image(&["-R", "-V", "14_3_RELEASE_AMD64_CD"]);
    let release = Lab::resolve(&image, None, false, toml::toml! { dists = ["base", "lib32"] }).unwrap();
    assert_eq!(release.version, "14.3-RELEASE");
    lab.fill(&release).unwrap();
    assert_eq!(lab.text("usr/lib32/libc.so"), "usr/lib32/libc.so");
    let error = Lab::resolve(&image, None, false, toml::toml! { dists = ["lib33"] }).unwrap_err();
    says(&error, ErrorKind::NotFound, &["did you mean lib32?"]);
    lab.put("usr/freebsd-dist/base.txz", "something else");
    let changed = lab.image(&["-R", "-V", "14_3_RELEASE_AMD64_CD"]);
    let release = Lab::resolve(&changed, None, false, toml::Table::new()).unwrap();
    assert_eq!(Lab::new().fill(&release).unwrap_err().kind(), ErrorKind::BadData);
}

#[test]
fn a_live_system_on_an_image_is_found() {
    let lab = Lab::new();
    let root = lab.path("live");
    fs::create_dir_all(root.join("usr/bin")).unwrap();
    fs::write(root.join("usr/bin/tool"), "from the live system").unwrap();
    fs::create_dir(lab.medium.join("live")).unwrap();
    let packed = lab.medium.join("live/filesystem.squashfs");
    run("mksquashfs", &[root.to_str().unwrap(), packed.to_str().unwrap(), "-quiet"], &lab.medium);
    let image = lab.image(&["-R"]);
    lab.fill(&Lab::resolve(&image, None, true, toml::Table::new()).unwrap()).unwrap();
    assert_eq!(lab.text("usr/bin/tool"), "from the live system");
}

#[test]
fn a_root_without_owners_is_refused() {
    let lab = Lab::new();
    lab.put("bin/sh", "shell");
    lab.put("etc/passwd", "root");
    let image = lab.image(&["-J", "--norock"]);
    let release = Lab::resolve(&image, None, true, toml::Table::new());
    let error = release.and_then(|release| lab.fill(&release)).unwrap_err();
    says(&error, ErrorKind::BadData, &["Rock Ridge"]);
}

#[test]
fn a_damaged_image_is_refused_wherever_the_damage_is() {
    let lab = Lab::new();
    lab.put("bin/sh", vec![1; 50_000]);
    lab.put("etc/passwd", "root");
    let whole = fs::read(lab.image(&["-R"])).unwrap();
    let image = lab.path("damaged.iso");
    for length in [0, 100, 33_000, 36_000, 60_000] {
        fs::write(&image, &whole[..length]).unwrap();
        let lab = Lab::new();
        let done =
            Lab::resolve(&image, None, true, toml::Table::new()).and_then(|release| lab.fill(&release));
        assert!(done.is_err(), "{length} bytes of {} were enough", whole.len());
    }
    // Whatever a byte of the descriptors and directories says, there is an answer, and it is not a crash.
    for at in (32_768..whole.len().min(65_536)).step_by(61) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        fs::write(&image, &bytes).unwrap();
        let lab = Lab::new();
        let done =
            Lab::resolve(&image, None, true, toml::Table::new()).and_then(|release| lab.fill(&release));
        if let Err(error) = done {
            assert_ne!(error.kind(), ErrorKind::Internal, "byte {at}: {error}");
        }
    }
}
