//! `snapshot`, `rollback`, `clone` and `rename` as clap sees them, with their examples.

use clap::Args;

pub(super) const ROLLBACK: &str = "Examples:
  qchroot --dry-run rollback web
  qchroot rollback web
  qchroot rollback web --snapshot before-upgrade

What the upgrade replaced comes back. What was edited since stays beside it as
FILE.edited; nothing else is touched.

With --snapshot, everything inside and the release become what they were when the
snapshot was taken; what was written since is gone. Services and options stay as
they are now, and the snapshot stays, too.";

pub(super) const SNAPSHOT: &str = "Examples:
  qchroot snapshot web                     named after the time, such as 20261122T101500Z
  qchroot snapshot web before-upgrade
  qchroot snapshot web --list
  qchroot rollback web --snapshot before-upgrade
  qchroot snapshot web --remove before-upgrade";

pub(super) const CLONE: &str = "Examples:
  qchroot clone web web2

The copy has everything inside and the administration file, with services and
options. It has no logs and no snapshots.";

pub(super) const RENAME: &str = "Examples:
  qchroot rename web shop";

#[derive(Debug, Args)]
pub(crate) struct Rollback {
    /// Containers
    #[arg(required = true)]
    pub(crate) names: Vec<String>,
    /// Go back to this snapshot instead
    #[arg(long, value_name = "SNAPSHOT")]
    pub(crate) snapshot: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Snapshot {
    /// The container
    pub(crate) name: String,
    /// Letters, digits, dash, underscore and dot [default: the time in UTC]
    #[arg(conflicts_with_all = ["list", "remove"])]
    pub(crate) snapshot: Option<String>,
    /// List the container's snapshots
    #[arg(long, conflicts_with = "remove")]
    pub(crate) list: bool,
    /// Remove this snapshot
    #[arg(long, value_name = "SNAPSHOT")]
    pub(crate) remove: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Pair {
    /// The container
    pub(crate) name: String,
    /// The new name: letters, digits, dash and underscore; not all digits
    pub(crate) new: String,
}
