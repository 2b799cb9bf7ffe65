//! What the engine tells whoever watches: steps, progress, results, warnings. It knows nothing of terminals.

use qchroot_api::{Name, Progress, Step};

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// A dry run: it would be applied.
    Planned,
    /// About to be applied; the journal says so already.
    Begun,
    /// Applied.
    Done,
    /// Was there already.
    Skipped,
    /// About to be taken back.
    Undoing,
    /// Taken back.
    Undone,
}

/// The watcher.
pub trait Watch: Sync {
    /// A step has come to a point; `step` is the inverse for the last two.
    fn step(&self, point: Point, step: &Step);

    /// How far a long piece of work is.
    fn progress(&self, progress: &Progress);

    /// The result line of one container, such as "Start chroot completed."
    fn said(&self, container: &Name, phrase: &str);

    /// Something the user should know; not an error.
    fn warn(&self, text: &str);
}
