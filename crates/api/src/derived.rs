//! What a container's private data has of its base: what an upgrade to another base must know to merge the two.

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

/// Where a container keeps what came from its base while it is stopped, and how that hides the base.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "as", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Derived {
    /// A copy of the base's template: what the template changes later does not show by itself.
    Copy {
        /// The host's directory that has the copy.
        at: Utf8PathBuf,
        /// Links that the storage put into it beside the template: where, and their targets.
        links: Vec<(Utf8PathBuf, Utf8PathBuf)>,
    },
    /// A layer over template and shared part, as overlayfs knows it: what is not in the layer shows through.
    Layer {
        /// The host's directory that has the layer.
        at: Utf8PathBuf,
    },
}
