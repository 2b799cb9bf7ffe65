//! Whether a device is mounted in other mount namespaces, mount_namespaces(7): one that is made while a disk is mounted
//! has a copy of its mount. It changes nothing.

use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;

use qchroot_api::Result;

use crate::errors::OrError;
use crate::linux::mountinfo;

/// Whether the mount namespace of a process has a mount from the device `source`, and that of this thread has none.
/// Namespaces that no process is in cannot be looked into.
pub(super) fn only_elsewhere(source: &str) -> Result<bool> {
    let has = |process: &str| {
        mountinfo::of(process).is_ok_and(|lines| lines.iter().any(|line| line.mounted.source == source))
    };
    if has("thread-self") {
        return Ok(false);
    }
    let mut known: HashSet<Option<PathBuf>> = [None, namespace("thread-self")].into();
    let entries = fs::read_dir("/proc").or_error(|| "cannot read /proc".into())?;
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut processes = names.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
    Ok(processes.any(|process| known.insert(namespace(&process)) && has(&process)))
}

/// What tells a process' mount namespace from others; none when it is gone.
fn namespace(process: &str) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{process}/ns/mnt")).ok()
}
