//! Plug-ins as files: which ones there are, who may have written them, what they say of themselves before anything of
//! them runs, and opening one. It does not know what anybody wants with them.

mod elf;
mod open;
mod ownership;
mod plugins;

pub use elf::read_header;
pub use open::open;
pub use ownership::require_superusers;
pub use plugins::{Found, OpenHere, Opener, Plugins, Verdict};
