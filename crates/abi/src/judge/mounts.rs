//! Mounts: where they may be made, and what may be shown by them.

use camino::Utf8Path;
use qchroot_api::{Mount, MountFs};

use super::ground::Ground;
use super::{Verdict, require};

/// Judges a mount of a plan for the call `verb`.
pub(super) fn judge(ground: &Ground, verb: &str, mount: &Mount) -> Verdict {
    at(ground, verb, mount)?;
    let of_storage = verb == "attach";
    match &mount.fs {
        MountFs::Null { source } | MountFs::File { source } => view(ground, source, mount.read_only),
        MountFs::Overlay { lower, upper, work } => {
            lower.iter().try_for_each(|layer| ground.read(layer))?;
            ground.change(upper)?;
            ground.change(work)?;
            let apart = !upper.starts_with(work) && !work.starts_with(upper);
            require(apart && !lower.is_empty(), || "whose layers are not apart from each other".to_owned())
        }
        MountFs::Tmp { size, .. } => require(*size > 0, || "which is not limited".to_owned()),
        MountFs::Disk { file, .. } if of_storage => ground.change(file),
        MountFs::Zfs { dataset } if of_storage => {
            let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.:/".contains(c);
            let is_name =
                dataset.starts_with(|c: char| c.is_ascii_alphabetic()) && dataset.chars().all(allowed);
            require(is_name, || "which is no name of a data set".to_owned())
        }
        MountFs::Dev { ruleset } if !of_storage => {
            require(*ruleset > 0, || "whose rule set hides no device".to_owned())
        }
        MountFs::Pts | MountFs::Proc | MountFs::LinuxProc | MountFs::LinuxSys | MountFs::Fdesc { .. }
            if !of_storage =>
        {
            Ok(())
        }
        _ if of_storage => Err("which a storage does not mount".to_owned()),
        _ => Err("which an isolation does not mount".to_owned()),
    }
}

/// A storage mounts on the root and inside it, an isolation inside it.
fn at(ground: &Ground, verb: &str, mount: &Mount) -> Verdict {
    let root = ground.root();
    let inside = root.as_deref() == Some(mount.at.root());
    let is_root = root.is_some_and(|root| mount.at.lexical() == root);
    let deep = inside && !is_root;
    require(deep || (is_root && verb == "attach"), || {
        "which is not inside the root: say it as a place within, ROOT/./PATH".to_owned()
    })
}

/// What is shown a second time: the container's own and what its options name as the plan says, everything else for
/// reading only.
fn view(ground: &Ground, source: &Utf8Path, read_only: bool) -> Verdict {
    if !ground.is_shown(source) {
        ground.read(source)?;
    }
    let is_own = ground.change(source).is_ok() || ground.is_users_tree(source);
    require(read_only || is_own, || "which must be read-only: others have it too".to_owned())
}
