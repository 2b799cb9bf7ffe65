//! Disks opened where nobody sees them, and devices, on the real kernel: what is written stays, nothing else does.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use camino::Utf8PathBuf;
use qchroot_api::{Command, DiskFs, ErrorKind};
use tempfile::TempDir;

use super::*;
use crate::command::run_well;

/// A directory with an empty file of 64 MiB.
fn blank() -> (TempDir, Utf8PathBuf) {
    assert!(rustix::process::geteuid().is_root(), "this test needs the superuser");
    let dir = tempfile::tempdir().unwrap();
    let file = Utf8Path::from_path(dir.path()).unwrap().canonicalize_utf8().unwrap().join("disk.img");
    File::create(&file).unwrap().set_len(64 << 20).unwrap();
    (dir, file)
}

fn mkfs(path: &Utf8Path) {
    let made = run_well(&Command::new(["mkfs.ext4", "-q", "-b", "4096", path.as_str()]));
    made.expect("Debian's e2fsprogs is installed");
}

fn devices_of(file: &Utf8Path) -> Vec<String> {
    attached(File::open(file).unwrap()).unwrap()
}

/// Other tests look at all devices, and the last one who does frees one.
fn wait_until_free(file: &Utf8Path) {
    let file = File::open(file).unwrap();
    for number in loop_device::showing(&file).unwrap() {
        loop_device::wait_until_free(number, &file, clock::steady() + PATIENCE).unwrap();
    }
}

#[test]
fn a_disk_is_open_where_no_mount_table_has_it_and_keeps_what_is_written() {
    let (_dir, file) = blank();
    mkfs(&file);
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let disk = open(&file, DiskFs::Ext4, false).unwrap();
    fs::write(disk.path().join("letter"), "kept").unwrap();
    assert_eq!(devices_of(&file).len(), 1);
    assert_eq!(fs::read_to_string("/proc/self/mountinfo").unwrap().lines().count(), table.lines().count());
    let listed = run_well(&Command::new(["cat", disk.path().join("letter").as_str()])).unwrap();
    assert_eq!(listed.stdout, "kept", "programs that are started see it too");
    disk.close().unwrap();
    assert!(devices_of(&file).is_empty());
    let disk = open(&file, DiskFs::Ext4, true).unwrap();
    assert_eq!(fs::read_to_string(disk.path().join("letter")).unwrap(), "kept");
    assert!(fs::write(disk.path().join("letter"), "x").is_err(), "it is read-only");
    drop(disk);
    wait_until_free(&file);
}

#[test]
fn a_disk_is_open_once_and_what_holds_it_is_named() {
    let (_dir, file) = blank();
    mkfs(&file);
    let disk = open(&file, DiskFs::Ext4, false).unwrap();
    for refused in [open(&file, DiskFs::Ext4, true).err(), device(&file, true).err()] {
        let refused = refused.unwrap();
        assert!(refused.kind() == ErrorKind::Busy && refused.to_string().contains("loop"), "{refused}");
        assert!(refused.hint_text().unwrap().contains(&format!("losetup -j {file}")), "{refused:?}");
    }
    disk.close().unwrap();
    let claimed = claim(&file, true).unwrap();
    let refused = open(&file, DiskFs::Ext4, false).unwrap_err();
    assert!(refused.to_string().contains("another process"), "{refused}");
    drop(claimed);
    open(&file, DiskFs::Ext4, false).unwrap().close().unwrap();
}

#[test]
fn a_blank_file_is_a_device_for_tools_and_free_again() {
    let (_dir, file) = blank();
    let shown = device(&file, false).unwrap();
    let name = shown.path().file_name().unwrap().to_owned();
    let sector = fs::read_to_string(format!("/sys/block/{name}/queue/logical_block_size")).unwrap();
    assert_eq!(sector.trim(), "4096");
    mkfs(shown.path());
    shown.close().unwrap();
    assert!(devices_of(&file).is_empty());
    open(&file, DiskFs::Ext4, false).unwrap().close().unwrap();
}

#[test]
fn a_disk_that_was_not_unmounted_in_order_is_not_opened_read_only_but_writable() {
    let (dir, file) = blank();
    mkfs(&file);
    let disk = open(&file, DiskFs::Ext4, false).unwrap();
    fs::write(disk.path().join("letter"), "kept").unwrap();
    syncfs(disk.root()).unwrap();
    let cut = Utf8Path::from_path(dir.path()).unwrap().canonicalize_utf8().unwrap().join("cut.img");
    fs::copy(&file, &cut).unwrap();
    disk.close().unwrap();
    let refused = open(&cut, DiskFs::Ext4, true).unwrap_err();
    assert!(refused.kind() == ErrorKind::BadData && refused.to_string().contains("in order"), "{refused}");
    assert!(refused.hint_text().unwrap().contains("qchroot check"));
    wait_until_free(&cut);
    let disk = open(&cut, DiskFs::Ext4, false).unwrap();
    assert_eq!(fs::read_to_string(disk.path().join("letter")).unwrap(), "kept");
    disk.close().unwrap();
}

/// The part of a process that dies between attaching and mounting, when it is told a file.
const DIES_WITH: &str = "QCHROOT_TEST_DIES_WITH_DISK";

#[test]
#[expect(clippy::disallowed_methods, reason = "the process that dies is this test's own")]
fn a_process_that_is_killed_between_attaching_and_mounting_leaves_no_device() {
    if let Ok(file) = std::env::var(DIES_WITH) {
        let claimed = claim(Utf8Path::new(&file), false).unwrap();
        let _shown = attach(&claimed, false, SECTOR, false).unwrap();
        writeln!(std::io::stdout(), "\nattached").unwrap();
        loop {
            std::thread::park();
        }
    }
    let (_dir, file) = blank();
    let name = std::thread::current().name().unwrap().to_owned();
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &name, "--nocapture"])
        .env(DIES_WITH, &file)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "attached"));
    assert_eq!(devices_of(&file).len(), 1);
    child.kill().unwrap();
    child.wait().unwrap();
    wait_until_free(&file);
    mkfs(&file);
    open(&file, DiskFs::Ext4, false).unwrap().close().unwrap();
}
