//! The author's side of the border: calls become methods of the traits, and what these ask becomes questions. It knows
//! neither libraries nor processes.

mod exported;
mod far;

pub(crate) use exported::guard;
pub use exported::{Exported, make, root_module};
