//! Linux, by proc(5) and sysfs(5).

use std::fs;
use std::path::{Path, PathBuf};

use super::{Disk, output};

/// The isolations that containers can have here.
pub(crate) const ISOLATIONS: [&str; 2] = ["chroot", "namespaces"];

/// Where scripts of services stand in a container.
pub(crate) const SERVICES: &str = "etc/init.d";

/// Mount points at or below a directory, in the order of mounting.
pub(crate) fn mounts_below(dir: &Path) -> Vec<PathBuf> {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let points = table.lines().filter_map(|line| line.split(' ').nth(4).map(PathBuf::from));
    points.filter(|at| at.starts_with(dir)).collect()
}

/// Processes that have their root, their program, their directory or an open file at or below a directory, and those
/// in mount namespaces of their own in which something of it is mounted.
pub(crate) fn processes_below(dir: &Path) -> Vec<i32> {
    pids().filter(|&pid| holds(pid, dir) || is_in_sandbox(pid, dir)).collect()
}

/// Those of them whose root is at or below the directory, or in a sandbox.
pub(crate) fn processes_inside(dir: &Path) -> Vec<i32> {
    let root = |pid| fs::read_link(format!("/proc/{pid}/root")).is_ok_and(|root| root.starts_with(dir));
    pids().filter(|&pid| root(pid) || is_in_sandbox(pid, dir)).collect()
}

fn pids() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn holds(pid: i32, dir: &Path) -> bool {
    let process = PathBuf::from(format!("/proc/{pid}"));
    let files = fs::read_dir(process.join("fd")).into_iter().flatten().flatten().map(|entry| entry.path());
    let own = ["root", "cwd", "exe"].map(|name| process.join(name));
    own.into_iter().chain(files).any(|link| fs::read_link(link).is_ok_and(|at| at.starts_with(dir)))
}

fn is_in_sandbox(pid: i32, dir: &Path) -> bool {
    let namespace = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/mnt")).ok();
    let (its, own) = (namespace(&pid.to_string()), namespace("self"));
    let table = || fs::read_to_string(format!("/proc/{pid}/mountinfo")).unwrap_or_default();
    its.is_some() && its != own && table().contains(&format!("{}/", dir.display()))
}

/// Disks on files at or below a directory.
pub(crate) fn disks_below(dir: &Path) -> Vec<Disk> {
    let devices = fs::read_dir("/sys/block").unwrap().flatten();
    let disk = |device: fs::DirEntry| {
        let file = fs::read_to_string(device.path().join("loop/backing_file")).ok()?;
        Some(Disk { device: device.file_name().into_string().ok()?, file: file.trim_end().into() })
    };
    devices.filter_map(disk).filter(|disk| disk.file.starts_with(dir)).collect()
}

/// What more there is to be taken away: nothing here.
pub(crate) fn jails_below(_: &Path) -> Vec<String> {
    Vec::new()
}

/// Nothing, as there are none.
pub(crate) fn remove_jail(_: &str) {}

/// Unmounts, in use or not.
pub(crate) fn unmount(at: &Path) {
    output("umount", &["--lazy", at.to_str().unwrap()]);
}

/// Attaches a file as anybody could; no device has a label.
pub(crate) fn attach(file: &Path, _label: Option<&str>) -> Disk {
    let node = output("losetup", &["-f", "--show", file.to_str().unwrap()]);
    Disk { device: node.trim().trim_start_matches("/dev/").into(), file: file.into() }
}

/// Detaches a disk.
pub(crate) fn detach(disk: &Disk) {
    output("losetup", &["-d", &format!("/dev/{}", disk.device)]);
}

/// Lets a tree be removed whatever flags its files have.
pub(crate) fn clear_flags(dir: &Path) {
    output("chattr", &["-R", "-f", "-i", "-a", dir.to_str().unwrap()]);
}

/// Makes a file immutable.
pub(crate) fn make_immutable(file: &Path) {
    assert_eq!(output("chattr", &["+i", file.to_str().unwrap()]), "");
}

/// What helps to understand a failure: programs to run, with their arguments.
pub(crate) const FACTS: &[(&str, &[&str])] = &[
    ("ps", &["--ppid", "2", "-p", "2", "--deselect", "-o", "pid,ppid,stat,etime,args"]),
    ("losetup", &["--list"]),
];
