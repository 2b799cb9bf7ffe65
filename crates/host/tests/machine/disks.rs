//! Disks are attached and mounted in one step, only once, and leave no device behind.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{DiskFs, Mount, MountFs, Place, Step};
use qchroot_engine::Probe;

use crate::support::Lab;

/// What the loop devices show.
fn backing_files() -> Vec<String> {
    let devices = fs::read_dir("/sys/block").unwrap().flatten();
    devices.filter_map(|device| fs::read_to_string(device.path().join("loop/backing_file")).ok()).collect()
}

fn shown(file: &Utf8Path) -> bool {
    backing_files().iter().any(|line| line.trim_end() == file)
}

fn run(argv: &[&str]) {
    let output = std::process::Command::new(argv[0]).args(&argv[1..]).output().unwrap();
    assert!(output.status.success(), "{argv:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A disk made by Debian's tools.
fn disk(lab: &Lab, fs: DiskFs) -> Utf8PathBuf {
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

fn mount_of(lab: &Lab, file: &Utf8Path, fs: DiskFs) -> Mount {
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
            assert!(shown(&file) && lab.probe(&on) == Probe::Present, "{fs}");
            let letter = lab.root.join("letter");
            assert!(round == 0 || fs::read_to_string(&letter).unwrap() == "kept", "{fs}");
            fs::write(&letter, "kept").unwrap();
            lab.apply(&off).unwrap();
            assert!(!shown(&file) && lab.probe(&on) == Probe::Absent, "{fs}");
            assert!(!letter.exists());
        }
    }
}
