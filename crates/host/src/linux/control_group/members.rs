//! The processes of one group. It knows groups by their directories only.

use std::fs::{self, File};
use std::os::fd::AsFd;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use qchroot_api::Result;

use crate::errors::OrError;
use crate::process::Handle;

/// Version 1 tells of no event when a group becomes empty.
const BREATH: Duration = Duration::from_millis(5);

/// Version 2 tells; it is looked at again after this many milliseconds all the same.
const PATIENCE: u16 = 100;

/// The processes that are in a group at this moment.
pub(super) fn of(directory: &Utf8Path) -> Vec<i32> {
    let text = fs::read_to_string(directory.join("cgroup.procs")).unwrap_or_default();
    text.lines().filter_map(|line| line.parse().ok()).filter(|&pid| pid > 0).collect()
}

/// Ends by force what is in a group. A number that went to another process since is not signalled: the group is looked
/// at again when the process is held.
pub(super) fn kill(directory: &Utf8Path) -> Result<()> {
    for pid in of(directory) {
        if let Some(process) = Handle::open(pid)?
            && of(directory).contains(&pid)
        {
            process.signal(Signal::SIGKILL)?;
        }
    }
    Ok(())
}

/// Comes back when a group may have become empty.
pub(super) fn wait_for_change(directory: &Utf8Path) {
    match File::open(directory.join("cgroup.events")) {
        Ok(events) if !of(directory).is_empty() => {
            let mut polled = [PollFd::new(events.as_fd(), PollFlags::POLLPRI)];
            let _ = poll(&mut polled, PollTimeout::from(PATIENCE));
        }
        _ => std::thread::sleep(BREATH),
    }
}

/// A group and all groups below it, each after those below it.
pub(super) fn deepest_first(directory: &Utf8Path) -> Result<Vec<Utf8PathBuf>> {
    let mut found = vec![directory.to_owned()];
    let mut next = 0;
    while let Some(at) = found.get(next).cloned() {
        next += 1;
        let entries = match fs::read_dir(&at) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            entries => entries.or_error(|| format!("cannot list control group {at}"))?,
        };
        let groups = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        found.extend(groups.filter_map(|entry| Utf8PathBuf::from_path_buf(entry.path()).ok()));
    }
    found.reverse();
    Ok(found)
}
