//! Mounts data sets of ZFS by mount(8), as zfsprops(7) has it for those whose `mountpoint` is `legacy`: its helper
//! mount.zfs(8) loads the module and heeds the data set's properties.

use qchroot_api::{Command, Error, ErrorKind, Mount, Place, Result};
use rustix::fd::OwnedFd;

use crate::{beneath, command};

/// Mounts a data set on a directory of the host's, with the mount's restrictions; what shows there then.
pub(super) fn mount(dataset: &str, mount: &Mount) -> Result<OwnedFd> {
    if mount.at.is_within() {
        let message = format!("cannot mount {mount}: a data set covers directories of the host's alone");
        return Err(Error::new(ErrorKind::Internal, message));
    }
    let at = mount.at.lexical();
    let options = options(mount);
    let argv = ["mount", "-t", "zfs", "-o", &options, dataset, at.as_str()];
    command::run_well(&Command::new(argv)).map_err(|error| hinted(error, dataset))?;
    beneath::open_dir(&Place::host(at))
}

/// What the kernel sets before anybody can see the mount.
fn options(mount: &Mount) -> String {
    let words =
        [(mount.read_only, "ro"), (mount.nosuid, "nosuid"), (mount.nodev, "nodev"), (mount.noexec, "noexec")];
    let set = words.iter().filter_map(|&(set, word)| set.then_some(word));
    ["defaults"].into_iter().chain(set).collect::<Vec<_>>().join(",")
}

fn hinted(error: Error, dataset: &str) -> Error {
    if error.to_string().contains("unknown filesystem type") {
        return error.of_kind(ErrorKind::Unavailable).hint("`apt install zfsutils-linux`");
    }
    error.hint(format!(
        "`zfs list {dataset}` shows whether it is there, `zpool import` whether its pool can be"
    ))
}
