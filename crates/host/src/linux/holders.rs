//! Finds the processes that keep a mount in use, for a message only. It ends none of them.

use std::fs;
use std::path::{Path, PathBuf};

use qchroot_api::Place;
use rustix::fs::{AtFlags, CWD, StatxFlags, statx};

use super::mount;
use crate::beneath;

/// At most this many are named.
const ENOUGH: usize = 5;

/// Processes with their root, working directory, program, an open file or a mapping on the mount, as
/// `PID (COMMAND)`. Empty when there is none, or when the place cannot be looked at.
pub(crate) fn holders(at: &Place) -> Vec<String> {
    let Ok(id) = beneath::open_dir(at).and_then(mount::id) else { return vec![] };
    let own = rustix::process::getpid().as_raw_nonzero().to_string();
    let Ok(processes) = fs::read_dir("/proc") else { return vec![] };
    processes
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|pid| pid.bytes().all(|b| b.is_ascii_digit()) && *pid != own)
        .filter(|pid| holds(&Path::new("/proc").join(pid), id))
        .map(|pid| format!("{pid} ({})", command(&pid)))
        .take(ENOUGH)
        .collect()
}

fn holds(process: &Path, id: u64) -> bool {
    let direct = ["root", "cwd", "exe"].iter().map(|name| process.join(name));
    let listed = ["fd", "map_files"].iter().flat_map(|name| entries(&process.join(name)));
    direct.chain(listed).any(|file| mount_of(&file) == Some(id))
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    fs::read_dir(dir)
        .map(|all| all.filter_map(|entry| Some(entry.ok()?.path())).collect())
        .unwrap_or_default()
}

fn mount_of(file: &Path) -> Option<u64> {
    statx(CWD, file, AtFlags::STATX_DONT_SYNC, StatxFlags::MNT_ID).ok().map(|stat| stat.stx_mnt_id)
}

fn command(pid: &str) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm")).map(|text| text.trim_end().to_owned()).unwrap_or_default()
}
