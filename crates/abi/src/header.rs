//! What a plug-in's file says before anything of it runs: a constant under a name that an ELF file lists. It opens no
//! file.

use qchroot_api::Kind;
use serde::{Deserialize, Serialize};

/// The name of the constant: an exported symbol, whose bytes are [`Header`] as JSON.
pub const HEADER_SYMBOL: &str = "QCHROOT_PLUGIN";

/// The name under which a library offers its root module, as abi_stable's `LibHeader`.
pub const LIBRARY_SYMBOL: &str = "QCHROOT_LIBRARY";

/// The version of the border, `MAJOR.MINOR.0`. The major number changes when plug-ins must be built again; the minor one
/// when something was added that older programs do not know. `docs/plugin-compatibility.md` has the rules; it is the
/// version of this package, too, because abi_stable compares that.
#[macro_export]
macro_rules! border {
    () => {
        "1.1.0"
    };
}

/// The same.
pub const BORDER_TEXT: &str = border!();

/// The constant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The version of the border that the plug-in was built for.
    pub border: String,
    /// The back end's name.
    pub name: String,
    /// The back end's kind.
    pub kind: Kind,
    /// The plug-in's own version.
    pub version: String,
}
