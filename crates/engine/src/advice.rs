//! What to do when a container's disk is damaged or cannot be mounted: the host layer, which finds it out, knows no
//! container. It looks at nothing.

use qchroot_api::{DiskCheck, DiskStep, Error, ErrorKind, MountFs, Name, Step};

/// The error of a step, with what a user can do about it.
pub(crate) fn advise(error: Error, step: &Step, container: Option<&Name>) -> Error {
    let Some(name) = container else { return error };
    match step {
        Step::Disk(DiskStep::Check { how: DiskCheck::Repair, log, .. }) => error
            .with("container", name)
            .hint(format!("what was done is in {log}; bring the disk back from a snapshot or a copy")),
        Step::Disk(DiskStep::Check { how: DiskCheck::Full, log, .. }) => error.with("container", name).hint(
            format!("`qchroot check {name} --repair` repairs all it can; copy the disk first; see {log}"),
        ),
        Step::Disk(DiskStep::Check { log, .. }) => error
            .with("container", name)
            .hint(format!("run `qchroot check {name}`; what was found is in {log}")),
        Step::Mount(mount) if matches!(mount.fs, MountFs::Disk { .. }) && error.kind() != ErrorKind::Busy => {
            error.with("container", name).hint(format!("run `qchroot check {name}`"))
        }
        _ => error,
    }
}
