//! The table: which steps a plan may hold, by the call that it answers. It knows nothing of where a step acts.

use qchroot_api::Step;

use super::word_of;

/// Calls, and what their plans may hold. A step is named as in its text form; those on disks, quotas and control groups
/// with what they do.
const TABLE: &[(&str, &str)] = &[
    ("create", MAKING),
    ("clone-of", MAKING),
    ("receive", MAKING),
    ("attach", "make-dir, write-file, link, own, set-access, copy-tree, copy-into, mount, disk check, run"),
    (
        "resize",
        "move, rename, disk check, disk clone, disk rebuild, disk grow, disk remove, quota limit, run",
    ),
    ("examine", "disk check, run"),
    ("delete", "remove-dir, remove-tree, remove-file, unlink, disk remove, quota forget, run"),
    ("prune", "run"),
    ("rename", "write-file, link, unlink, move, rename, run"),
    (
        "snapshot",
        "make-dir, write-file, link, copy-tree, copy-into, move, rename, disk check, disk clone, run",
    ),
    (
        "restore",
        "make-dir, remove-dir, write-file, link, copy-tree, copy-into, remove-tree, move, rename, \
         disk check, disk clone, disk rebuild, disk remove, quota limit, run",
    ),
    ("forget", "remove-dir, remove-tree, remove-file, unlink, disk remove, run"),
    ("enclose", "make-dir, write-file, link, group make, start-sandbox, run"),
    ("up", "make-dir, write-file, link, own, set-access, device, mount, group make, start-init, seal, run"),
];

/// What a container can come into being by.
const MAKING: &str = "make-dir, remove-dir, write-file, link, own, set-access, copy-tree, copy-into, \
                      remove-tree, move, rename, disk template, disk clone, disk check, quota limit, run";

/// The steps that plans for the call `verb` may hold, separated by commas.
pub(super) fn steps_of(verb: &str) -> &'static str {
    TABLE.iter().find(|(name, _)| *name == verb).map_or("", |(_, steps)| steps)
}

/// Whether a plan for the call `verb` may hold this step.
pub(super) fn allows(verb: &str, step: &Step) -> bool {
    let kind = kind_of(step);
    steps_of(verb).split(", ").any(|allowed| allowed == kind)
}

/// What a step is called in the table.
fn kind_of(step: &Step) -> String {
    let kind = word_of(step, "do").unwrap_or_default();
    let act = match step {
        Step::Disk(step) => word_of(step, "act"),
        Step::Quota(step) => word_of(step, "act"),
        Step::Group(step) => word_of(step, "what"),
        _ => None,
    };
    act.map_or(kind.clone(), |act| format!("{kind} {act}"))
}
