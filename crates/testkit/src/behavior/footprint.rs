//! Which paths of the host's a step names: those it writes and those it reads.

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{DiskStep, MountFs, Plan, Step};

/// Paths that a step changes, as text. The disk that is made for a base is the base's, and a log is one for all.
fn writes(step: &Step) -> Vec<Utf8PathBuf> {
    match step {
        Step::MakeDir { at, .. }
        | Step::RemoveDir { at }
        | Step::WriteFile { at, .. }
        | Step::RemoveFile { at, .. }
        | Step::Link { at, .. }
        | Step::Unlink { at, .. }
        | Step::Device { at, .. }
        | Step::Own { at, .. }
        | Step::RemoveDevice { at, .. } => vec![at.lexical()],
        Step::Stage { at }
        | Step::RemoveTree { at }
        | Step::CopyTree { to: at, .. }
        | Step::CopyInto { into: at, .. } => vec![at.clone()],
        Step::Rename { from, to } => vec![from.clone(), to.clone()],
        Step::Move { from, to } => vec![from.lexical(), to.lexical()],
        Step::Disk(
            DiskStep::Clone { to: at, .. }
            | DiskStep::Rebuild { to: at, .. }
            | DiskStep::Grow { at, .. }
            | DiskStep::Check { at, .. }
            | DiskStep::Remove { at },
        ) => vec![at.clone()],
        Step::Mount(mount) | Step::Unmount(mount) => match &mount.fs {
            MountFs::Overlay { upper, work, .. } => vec![mount.at.lexical(), upper.clone(), work.clone()],
            _ => vec![mount.at.lexical()],
        },
        Step::StartInit { root, proc, .. } | Step::StopInit { root, proc, .. } => {
            proc.iter().map(|at| at.lexical()).chain([root.clone()]).collect()
        }
        _ => vec![],
    }
}

/// Paths that a step takes content from.
fn reads(step: &Step) -> Vec<Utf8PathBuf> {
    match step {
        Step::CopyTree { from, .. } | Step::CopyInto { from, .. } => vec![from.clone()],
        Step::Disk(DiskStep::Template { at, tree, .. }) => vec![at.clone(), tree.clone()],
        Step::Disk(DiskStep::Clone { from, .. } | DiskStep::Rebuild { from, .. }) => vec![from.clone()],
        Step::Disk(DiskStep::Check { log, .. }) => vec![log.clone()],
        Step::Mount(mount) => match &mount.fs {
            MountFs::Disk { file, .. } => vec![file.clone()],
            MountFs::Null { source } | MountFs::File { source } => vec![source.clone()],
            MountFs::Overlay { lower, .. } => lower.clone(),
            _ => vec![],
        },
        _ => vec![],
    }
}

/// No step writes outside `own` or reads outside `own` and `others`.
#[track_caller]
pub(crate) fn stays_within(plan: &Plan, own: &Utf8Path, others: &[Utf8PathBuf]) {
    for step in plan {
        for path in writes(step) {
            assert!(path.starts_with(own), "{step} changes {path}, outside {own}");
        }
        for path in reads(step) {
            let known = path.starts_with(own) || others.iter().any(|other| path.starts_with(other));
            assert!(known, "{step} reads {path}");
        }
    }
}
