//! Files that are no disks, or not ours alone, are refused with their reason before anything is attached.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, chown, symlink};

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{DiskFs, Error, ErrorKind, Mount, MountFs, Observe, Place, Step};
use qchroot_engine::Probe;
use rustix::mount::{MountFlags, mount, mount_bind};

use crate::disks::{disk, mount_of, run, shown};
use crate::support::Lab;

/// What mounting a file as ext4 fails with; nothing is mounted or attached then.
#[track_caller]
fn refused(lab: &Lab, file: &Utf8Path) -> Error {
    let step = Step::Mount(mount_of(lab, file, DiskFs::Ext4));
    let error = lab.apply(&step).expect_err("it is no disk to mount");
    assert!(error.to_string().contains(file.file_name().unwrap()), "{error}");
    assert!(!shown(file) && lab.probe(&step) == Probe::Absent, "{error}");
    error
}

#[test]
fn what_is_no_file_of_the_superusers_alone_is_refused() {
    let lab = Lab::with_mounts();
    let file = disk(&lab, DiskFs::Ext4);
    let beside = |name: &str| lab.host.join(name);
    symlink(&file, beside("link")).unwrap();
    symlink(&lab.host, beside("way")).unwrap();
    fs::create_dir(beside("dir")).unwrap();
    fs::copy(&file, beside("foreign-owner")).unwrap();
    chown(beside("foreign-owner"), Some(5), None).unwrap();
    fs::copy(&file, beside("open-to-all")).unwrap();
    fs::set_permissions(beside("open-to-all"), fs::Permissions::from_mode(0o622)).unwrap();
    for (path, kind, why) in [
        (beside("link"), ErrorKind::Exists, "a link"),
        (beside("way").join("ext4.img"), ErrorKind::Exists, "way is a link"),
        (beside("dir"), ErrorKind::Exists, "a directory"),
        (beside("missing"), ErrorKind::NotFound, "no such file"),
        (beside("foreign-owner"), ErrorKind::Permission, "user 5"),
        (beside("open-to-all"), ErrorKind::Permission, "others"),
        ("/dev/null".into(), ErrorKind::Exists, "a device"),
    ] {
        let error = refused(&lab, &path);
        assert!(error.kind() == kind && error.to_string().contains(why), "{path}: {error}");
    }
    fs::hard_link(&file, beside("second")).unwrap();
    let error = refused(&lab, &file);
    assert!(
        error.to_string().contains("2 names") && error.hint_text().unwrap().contains("find /"),
        "{error}"
    );
}

#[test]
fn a_file_that_another_program_has_attached_is_refused_by_whatever_path_it_did() {
    let lab = Lab::with_mounts();
    let file = disk(&lab, DiskFs::Ext4);
    let elsewhere = lab.host.join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    mount_bind(lab.host.as_str(), elsewhere.as_str()).unwrap();
    for path in [file.clone(), elsewhere.join("ext4.img")] {
        let device = run(&["losetup", "-f", "--show", path.as_str()]);
        assert!(device.starts_with("/dev/loop"), "losetup gave {device:?}");
        let error = lab.apply(&Step::Mount(mount_of(&lab, &file, DiskFs::Ext4))).unwrap_err();
        let looked = (&lab.machine as &dyn Observe).disk(&file).unwrap().unwrap();
        run(&["losetup", "-d", &device]);
        assert_eq!((error.kind(), error.fact("device")), (ErrorKind::Busy, device.strip_prefix("/dev/")));
        assert!(error.hint_text().unwrap().contains(&format!("losetup -j {file}")), "{error:?}");
        assert_eq!(looked.attached, [device.strip_prefix("/dev/").unwrap()]);
    }
    lab.apply(&Step::Mount(mount_of(&lab, &file, DiskFs::Ext4))).unwrap();
    lab.apply(&Step::Unmount(mount_of(&lab, &file, DiskFs::Ext4))).unwrap();
    rustix::mount::unmount(elsewhere.as_str(), rustix::mount::UnmountFlags::empty()).unwrap();
}

#[test]
fn of_many_at_the_same_moment_one_gets_it() {
    let lab = Lab::with_mounts();
    let file = disk(&lab, DiskFs::Ext4);
    for round in 0..10 {
        let roots: Vec<Utf8PathBuf> = (0..8).map(|n| lab.root.join(format!("{round}-{n}"))).collect();
        roots.iter().for_each(|root| fs::create_dir(root).unwrap());
        let on = |root: &Utf8PathBuf| {
            Mount::new(Place::host(root), MountFs::Disk { file: file.clone(), fs: DiskFs::Ext4 })
        };
        let gate = std::sync::Barrier::new(roots.len());
        let got: Vec<_> = std::thread::scope(|scope| {
            let start = |root| {
                let (gate, lab, on) = (&gate, &lab, &on);
                scope.spawn(move || {
                    gate.wait();
                    lab.apply(&Step::Mount(on(root))).map_err(|error| error.kind())
                })
            };
            let threads: Vec<_> = roots.iter().map(start).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(got.iter().filter(|result| result.is_ok()).count(), 1, "{got:?}");
        assert!(got.iter().all(|result| matches!(result, Ok(()) | Err(ErrorKind::Busy))), "{got:?}");
        let winner = got.iter().position(Result::is_ok).unwrap();
        lab.apply(&Step::Unmount(on(&roots[winner]))).unwrap();
    }
    assert!(!shown(&file));
}

#[test]
fn a_disk_that_is_cut_short_is_refused_with_both_lengths_and_one_that_is_longer_is_fine() {
    let lab = Lab::with_mounts();
    let file = disk(&lab, DiskFs::Ext4);
    let handle = File::options().write(true).open(&file).unwrap();
    handle.set_len(60 << 20).unwrap();
    let error = refused(&lab, &file);
    assert_eq!(error.kind(), ErrorKind::BadData);
    assert!(error.to_string().contains("62914560") && error.to_string().contains("67108864"), "{error}");
    assert!(error.hint_text().unwrap().contains("qchroot check"), "{error:?}");
    handle.set_len(70 << 20).unwrap();
    lab.apply(&Step::Mount(mount_of(&lab, &file, DiskFs::Ext4))).unwrap();
    lab.apply(&Step::Unmount(mount_of(&lab, &file, DiskFs::Ext4))).unwrap();
}

#[test]
fn a_disk_with_something_else_in_it_is_refused_by_name() {
    let lab = Lab::with_mounts();
    let xfs = disk(&lab, DiskFs::Xfs);
    assert!(refused(&lab, &xfs).to_string().contains("holds xfs, not ext4"));
    let file = disk(&lab, DiskFs::Ext4);
    let squashfs = lab.host.join("squashfs.img");
    run(&["mksquashfs", "/etc/hostname", squashfs.as_str(), "-quiet"]);
    assert!(refused(&lab, &squashfs).to_string().contains("holds squashfs, not ext4"));
    for (name, bytes) in [("empty", vec![]), ("zeros", vec![0; 1 << 20]), ("text", b"no disk".to_vec())] {
        fs::write(lab.host.join(name), bytes).unwrap();
        let error = refused(&lab, &lab.host.join(name));
        assert!(
            error.kind() == ErrorKind::BadData && error.to_string().contains("no file system"),
            "{error}"
        );
    }
    let mut bytes = fs::read(&file).unwrap();
    bytes[1024 + 0x18] ^= 0x40;
    fs::write(&file, bytes).unwrap();
    let error = refused(&lab, &file);
    assert!(
        error.to_string().contains("superblock") && error.hint_text().unwrap().contains("check"),
        "{error}"
    );
}

/// The superblock is in order, but nothing that it leads to: the kernel alone can tell, and says so in its log.
#[test]
fn what_the_kernel_says_about_a_damaged_disk_is_passed_on() {
    let lab = Lab::with_mounts();
    let file = disk(&lab, DiskFs::Ext4);
    let mut bytes = fs::read(&file).unwrap();
    bytes[4096..65536].fill(0xff);
    fs::write(&file, bytes).unwrap();
    let error = refused(&lab, &file);
    assert_eq!(error.kind(), ErrorKind::BadData);
    assert!(error.causes().iter().any(|cause| cause.contains("EXT4-fs (loop")), "{error}");
    assert!(error.hint_text().unwrap().contains("qchroot check"), "{error:?}");
}

#[test]
fn without_loop_devices_that_is_what_is_said() {
    let lab = Lab::with_mounts();
    let file = disk(&lab, DiskFs::Ext4);
    mount("none", "/dev", "tmpfs", MountFlags::empty(), None).unwrap();
    let error = refused(&lab, &file);
    rustix::mount::unmount("/dev", rustix::mount::UnmountFlags::empty()).unwrap();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("no loop device"), "{error}");
    assert!(error.hint_text().unwrap().contains("modprobe loop"), "{error:?}");
}

#[test]
fn a_disk_whose_device_somebody_holds_is_busy_after_it_was_unmounted_and_then_free() {
    let lab = Lab::with_mounts();
    let file = disk(&lab, DiskFs::Ext4);
    let mount = mount_of(&lab, &file, DiskFs::Ext4);
    lab.apply(&Step::Mount(mount.clone())).unwrap();
    let device = (&lab.machine as &dyn Observe).disk(&file).unwrap().unwrap().attached[0].clone();
    let held = File::open(format!("/dev/{device}")).unwrap();
    let error = lab.apply(&Step::Unmount(mount.clone())).unwrap_err();
    assert!(error.kind() == ErrorKind::Busy && error.to_string().contains(&device), "{error}");
    drop(held);
    lab.apply(&Step::Mount(mount.clone())).unwrap();
    lab.apply(&Step::Unmount(mount)).unwrap();
}
