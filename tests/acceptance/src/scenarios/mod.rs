//! All scenarios, by area.

mod consoles;
mod installs;
mod lives;

use crate::scenario::Scenario;

/// Every one, those for other systems included.
pub(crate) fn all() -> Vec<Scenario> {
    [installs::scenarios(), lives::scenarios(), consoles::scenarios()].concat()
}
