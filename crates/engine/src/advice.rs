//! What to do when a container's disk is damaged or cannot be mounted: the host layer, which finds it out, knows no
//! container. It looks at nothing.

use qchroot_api::{DiskCheck, DiskStep, Error, MountFs, Name, Step};

/// The error of a step on `container`, with what a user can do about it.
pub(crate) fn advise(error: Error, step: &Step, container: Option<&Name>) -> Error {
    let Some(name) = container else { return error };
    let hint = match step {
        Step::Disk(DiskStep::Check { how: DiskCheck::Repair, log, .. }) => {
            format!("what was found and done is in {log}; bring back a snapshot or an export")
        }
        Step::Disk(DiskStep::Check { how: DiskCheck::Full, log, .. }) => {
            format!("what was found is in {log}; `qchroot check {name} --repair` answers yes to every repair")
        }
        Step::Disk(DiskStep::Check { log, .. }) => {
            format!("what was found is in {log}; `qchroot check {name}` looks at all of it")
        }
        Step::Mount(mount) if matches!(mount.fs, MountFs::Disk { .. }) => {
            format!("`qchroot check {name}` looks whether its disk is in order")
        }
        _ => return error,
    };
    let named = format!("`qchroot check {name}`");
    error.with("container", name).hint(hint).with_hint(|hint| hint.replace("`qchroot check`", &named))
}
