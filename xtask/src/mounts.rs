//! What is mounted beneath a directory, so that no tree is removed through a mount.

use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, umount2};

use crate::Result;

/// Removes `directory`, and first what is still mounted beneath it; fails rather than cross a mount.
pub(crate) fn remove_tree(directory: &Path) -> Result<()> {
    if !directory.exists() {
        return Ok(());
    }
    for mount in beneath(directory)? {
        eprintln!("left mounted, unmounted now: {}", mount.display());
        umount2(&mount, MntFlags::UMOUNT_NOFOLLOW)
            .map_err(|e| format!("cannot unmount {}: {e}", mount.display()))?;
    }
    std::fs::remove_dir_all(directory)
        .map_err(|e| format!("cannot remove {}: {e}", directory.display()).into())
}

/// The mount points beneath `directory`, the latest first.
pub(crate) fn beneath(directory: &Path) -> Result<Vec<PathBuf>> {
    let directory = directory.canonicalize()?;
    let table = std::fs::read_to_string("/proc/self/mountinfo")?;
    Ok(mount_points(&table).into_iter().rev().filter(|mount| mount.starts_with(&directory)).collect())
}

/// The fifth column of mountinfo, see proc_pid_mountinfo(5).
fn mount_points(table: &str) -> Vec<PathBuf> {
    let columns = table.lines().filter_map(|line| line.split(' ').nth(4));
    columns.map(|path| PathBuf::from(unescape(path))).collect()
}

/// Space, tab, line feed and backslash stand there in octal.
fn unescape(path: &str) -> String {
    let pairs = [(r"\040", " "), (r"\011", "\t"), (r"\012", "\n"), (r"\134", r"\")];
    pairs.iter().fold(path.to_owned(), |path, (octal, plain)| path.replace(octal, plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mount_points_are_read_with_their_spaces() {
        let table = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n40 22 0:20 / /mnt/a\\040b rw,nosuid shared:1 - tmpfs tmpfs rw\n";
        assert_eq!(mount_points(table), [Path::new("/"), Path::new("/mnt/a b")]);
    }

    #[test]
    fn what_this_machine_has_mounted_is_found() {
        let all = beneath(Path::new("/")).unwrap();
        assert!(all.contains(&PathBuf::from("/proc")), "{all:?}");
    }
}
