//! Disks are attached and mounted in one step, only once, and leave no device behind.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{
    DiskCheck, DiskFs, DiskInfo, DiskStep, ErrorKind, Mount, MountFs, Observe, Place, Result, Step,
};
use qchroot_engine::Probe;

use crate::support::Lab;

/// What the loop devices show.
fn backing_files() -> Vec<String> {
    let devices = fs::read_dir("/sys/block").unwrap().flatten();
    devices.filter_map(|device| fs::read_to_string(device.path().join("loop/backing_file")).ok()).collect()
}

/// Whether a device shows a file, and goes on to: other tests look at all devices, and the last to look frees one.
pub(crate) fn shown(file: &Utf8Path) -> bool {
    let end = Instant::now() + Duration::from_secs(10);
    let is_shown = || backing_files().iter().any(|line| line.trim_end() == file);
    while is_shown() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(5));
    }
    is_shown()
}

/// Runs a program of the host's; what it prints.
#[expect(clippy::disallowed_methods, reason = "disks are made and attached by the system's own programs")]
pub(crate) fn run(argv: &[&str]) -> String {
    let output = std::process::Command::new(argv[0]).args(&argv[1..]).output().unwrap();
    assert!(output.status.success(), "{argv:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A disk made by Debian's tools.
pub(crate) fn disk(lab: &Lab, fs: DiskFs) -> Utf8PathBuf {
    let path = lab.host.join(format!("{fs}.img"));
    let length = if fs == DiskFs::Ext4 { 64 << 20 } else { 300 << 20 };
    fs::File::create_new(&path).unwrap().set_len(length).unwrap();
    let argv: &[&str] = match fs {
        DiskFs::Ext4 => &["mkfs.ext4", "-q", "-b", "4096"],
        DiskFs::Xfs => &["mkfs.xfs", "-q", "-s", "size=4096"],
        _ => &["mkfs.btrfs", "-q"],
    };
    run(&[argv, &[path.as_str()]].concat());
    path
}

pub(crate) fn mount_of(lab: &Lab, file: &Utf8Path, fs: DiskFs) -> Mount {
    Mount::new(Place::host(&lab.root), MountFs::Disk { file: file.to_owned(), fs })
}

#[test]
fn a_disk_of_each_file_system_is_mounted_keeps_what_is_written_and_leaves_no_device() {
    for fs in [DiskFs::Ext4, DiskFs::Xfs, DiskFs::Btrfs] {
        let lab = Lab::with_mounts();
        let file = disk(&lab, fs);
        let mount = mount_of(&lab, &file, fs);
        let (on, off) = (Step::Mount(mount.clone()), Step::Unmount(mount));
        for round in 0..3 {
            lab.apply(&on).unwrap();
            assert_eq!(lab.probe(&on), Probe::Present, "{fs}");
            let letter = lab.root.join("letter");
            assert!(round == 0 || fs::read_to_string(&letter).unwrap() == "kept", "{fs}");
            fs::write(&letter, "kept").unwrap();
            lab.apply(&off).unwrap();
            assert!(!shown(&file) && lab.probe(&on) == Probe::Absent, "{fs}");
            assert!(!letter.exists());
        }
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the process that has a copy of the mount is this test's own")]
fn a_disk_that_another_mount_namespace_still_has_can_be_mounted_again() {
    let lab = Lab::with_mounts();
    let file = disk(&lab, DiskFs::Ext4);
    let mount = mount_of(&lab, &file, DiskFs::Ext4);
    lab.apply(&Step::Mount(mount.clone())).unwrap();
    fs::write(lab.root.join("letter"), "kept").unwrap();
    let mut other = std::process::Command::new("unshare");
    let other = other.args(["-m", "sh", "-c", "echo; read end"]);
    let mut other = other.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    std::io::Read::read_exact(other.stdout.as_mut().unwrap(), &mut [0]).unwrap();

    lab.apply(&Step::Unmount(mount.clone())).unwrap();
    assert!(shown(&file) && !lab.root.join("letter").exists());
    let (at, log) = (file.clone(), lab.host.join("disk.log"));
    let check = Step::Disk(DiskStep::Check { at, fs: DiskFs::Ext4, how: DiskCheck::Full, log });
    let refused = lab.apply(&check).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Busy, "{refused}");
    lab.apply(&Step::Mount(mount.clone())).unwrap();
    assert_eq!(fs::read_to_string(lab.root.join("letter")).unwrap(), "kept");
    assert_eq!(backing_files().iter().filter(|line| line.trim_end() == file).count(), 1);

    drop(other.stdin.take());
    other.wait().unwrap();
    lab.apply(&Step::Unmount(mount)).unwrap();
    assert!(!shown(&file));
}

#[test]
fn device_nodes_on_a_disk_work_where_the_mount_does_not_forbid_them() {
    let lab = Lab::with_mounts();
    let file = disk(&lab, DiskFs::Ext4);
    let mut mount = mount_of(&lab, &file, DiskFs::Ext4);
    let node = lab.root.join("zero");
    for nodev in [false, true] {
        mount.nodev = nodev;
        lab.apply(&Step::Mount(mount.clone())).unwrap();
        if !nodev {
            run(&["mknod", node.as_str(), "c", "1", "5"]);
        }
        assert_eq!(fs::File::open(&node).is_err(), nodev);
        lab.apply(&Step::Unmount(mount.clone())).unwrap();
    }
}

fn look(lab: &Lab, file: &Utf8Path) -> DiskInfo {
    (&lab.machine as &dyn Observe).disk(file).unwrap().unwrap()
}

/// Writes files until there is no space left; how many bytes that were.
fn fill(dir: &Utf8Path) -> u64 {
    let chunk = vec![0x5a_u8; 1 << 20];
    let mut written = 0;
    for number in 0.. {
        let mut file = fs::File::create(dir.join(number.to_string())).unwrap();
        loop {
            match std::io::Write::write(&mut file, &chunk) {
                Ok(length) => written += length as u64,
                Err(error) => {
                    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull, "{error}");
                    file.sync_all().unwrap();
                    return written;
                }
            }
            if file.metadata().unwrap().len() > 64 << 20 {
                break;
            }
        }
    }
    written
}

#[test]
fn what_is_said_to_be_free_can_be_written_and_no_more() {
    for (fs, off_by) in [(DiskFs::Ext4, 4), (DiskFs::Xfs, 4), (DiskFs::Btrfs, 24)] {
        let lab = Lab::with_mounts();
        let file = disk(&lab, fs);
        let before = look(&lab, &file);
        assert_eq!((before.fs, before.fs_length, before.clean), (Some(fs), before.length, true));
        assert!(before.attached.is_empty() && before.allocated < before.length / 2, "{before:?}");
        let mount = mount_of(&lab, &file, fs);
        lab.apply(&Step::Mount(mount.clone())).unwrap();
        let mounted = look(&lab, &file);
        assert!(mounted.attached.len() == 1 && mounted.attached[0].starts_with("loop"), "{mounted:?}");
        let near = |a: u64, b: u64| assert!(a.abs_diff(b) <= off_by << 20, "{fs}: {a} is not near {b}");
        near(mounted.free, before.free);
        near(fill(&lab.root), mounted.free);
        let full = look(&lab, &file);
        near(full.free, 0);
        assert!(full.used > mounted.used + mounted.free / 2 && full.used <= full.fs_length, "{full:?}");
        lab.apply(&Step::Unmount(mount)).unwrap();
        let after = look(&lab, &file);
        near(after.used, full.used);
        assert!(after.clean && after.attached.is_empty() && after.allocated > mounted.free / 2, "{after:?}");
        assert_eq!(after.length, before.length);
    }
}

#[test]
fn what_is_used_stays_what_it_was_when_the_disk_grows_under_its_mount() {
    for fs in [DiskFs::Xfs, DiskFs::Btrfs] {
        let lab = Lab::with_mounts();
        let file = disk(&lab, fs);
        lab.apply(&Step::Mount(mount_of(&lab, &file, fs))).unwrap();
        fill(&lab.root);
        let full = look(&lab, &file);
        let (from, to, mounted) = (full.length, 2 * full.length, Some(Place::host(&lab.root)));
        let at = file.clone();
        lab.apply(&Step::Disk(DiskStep::Grow { at, fs, from, to, reserve: false, mounted })).unwrap();
        let grown = look(&lab, &file);
        assert!(grown.used.abs_diff(full.used) < full.used / 3, "{full:?} {grown:?}");
        assert!(grown.free > full.length / 2, "{grown:?}");
        lab.apply(&Step::Unmount(mount_of(&lab, &file, fs))).unwrap();
    }
}

#[test]
fn restrictions_hold_on_a_disk_and_none_of_it_spreads() {
    let lab = Lab::with_mounts();
    let file = disk(&lab, DiskFs::Ext4);
    rustix::mount::mount_change("/", rustix::mount::MountPropagationFlags::SHARED).unwrap();
    let mut mount = mount_of(&lab, &file, DiskFs::Ext4).read_only();
    (mount.nosuid, mount.nodev) = (true, true);
    lab.apply(&Step::Mount(mount.clone())).unwrap();
    let table = fs::read_to_string("/proc/thread-self/mountinfo").unwrap();
    let line = table.lines().find(|line| line.contains(lab.root.as_str())).unwrap();
    assert!(line.contains(" ro,nosuid,nodev") && !line.contains("shared:"), "{line}");
    assert!(fs::write(lab.root.join("x"), "x").is_err());
    lab.apply(&Step::Unmount(mount)).unwrap();
    let mount = mount_of(&lab, &file, DiskFs::Ext4);
    lab.apply(&Step::Mount(mount.clone())).unwrap();
    let table = fs::read_to_string("/proc/thread-self/mountinfo").unwrap();
    let line = table.lines().find(|line| line.contains(lab.root.as_str())).unwrap();
    assert!(line.contains(" rw,relatime ") && !line.contains("shared:"), "{line}");
    lab.apply(&Step::Unmount(mount)).unwrap();
    assert!(!shown(&file));
}

#[test]
fn two_hundred_times_on_and_off_leave_no_device() {
    let lab = Lab::in_memory();
    let file = disk(&lab, DiskFs::Ext4);
    let mount = mount_of(&lab, &file, DiskFs::Ext4);
    for _ in 0..200 {
        lab.apply(&Step::Mount(mount.clone())).unwrap();
        lab.apply(&Step::Unmount(mount.clone())).unwrap();
    }
    assert!(!shown(&file));
    assert_eq!(lab.probe(&Step::Mount(mount)), Probe::Absent);
}

/// Programs such as udev's open every device that appears; the last of them frees it.
#[test]
fn a_disk_that_was_just_unmounted_can_be_mounted_though_others_look_at_its_device() {
    let lab = Lab::in_memory();
    let file = disk(&lab, DiskFs::Ext4);
    let mount = mount_of(&lab, &file, DiskFs::Ext4);
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for number in 0..4 {
            let done = &done;
            scope.spawn(move || {
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    drop(fs::File::open(format!("/dev/loop{number}")));
                }
            });
        }
        let cycle = || {
            lab.apply(&Step::Mount(mount.clone()))?;
            lab.apply(&Step::Unmount(mount.clone()))
        };
        let result: Result<()> = (0..50).try_for_each(|_| cycle());
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        result.unwrap();
    });
}

#[test]
fn the_space_of_a_directory_is_that_of_the_file_system_it_is_on() {
    let lab = Lab::with_mounts();
    let file = disk(&lab, DiskFs::Xfs);
    let mount = mount_of(&lab, &file, DiskFs::Xfs);
    lab.apply(&Step::Mount(mount.clone())).unwrap();
    let space = |place: Place| (&lab.machine as &dyn Observe).space(&place);
    fs::create_dir(lab.root.join("below")).unwrap();
    let found = space(lab.inside("below")).unwrap();
    assert_eq!(found.fs, "xfs");
    assert!(
        found.total <= 300 << 20 && found.free < found.total && found.free > found.total / 2,
        "{found:?}"
    );
    assert!(found.files > 0 && found.files_free < found.files, "{found:?}");
    assert_ne!(space(Place::host(&lab.host)).unwrap(), found);
    assert!(space(lab.inside("nothing")).is_err());
    lab.apply(&Step::Unmount(mount)).unwrap();
}
