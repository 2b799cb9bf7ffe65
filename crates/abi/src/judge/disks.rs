//! Disks: which files they may be.

use qchroot_api::{DiskStep, Place};

use super::ground::{Ground, is_plain_inside};
use super::{Verdict, require};

/// Judges a change to a disk.
pub(super) fn judge(ground: &Ground, step: &DiskStep) -> Verdict {
    match step {
        DiskStep::Template { at, tree, dirs, links, .. } => {
            ground.change(at)?;
            ground.read(tree)?;
            let mut inside = dirs.iter().chain(links.iter().map(|(at, _)| at));
            require(inside.all(|path| is_plain_inside(path)), || {
                "whose directories and links are not all inside".to_owned()
            })
        }
        DiskStep::Clone { from, to, .. } | DiskStep::Rebuild { from, to, .. } => {
            ground.read(from)?;
            ground.change(to)
        }
        DiskStep::Grow { at, mounted, .. } => {
            ground.change(at)?;
            let is_root = |place: &Place| ground.root().as_ref() == Some(&place.lexical());
            require(mounted.as_ref().is_none_or(is_root), || "which is not mounted on the root".to_owned())
        }
        DiskStep::Check { at, log, .. } => {
            ground.examine(at)?;
            ground.log(log)
        }
        DiskStep::Remove { at } => ground.remove(at),
        _ => Err("which is not known here".to_owned()),
    }
}
