//! All scenarios, by area.

mod boot;
mod capped;
mod consoles;
mod crashes;
mod daemons;
mod devices;
mod flags;
mod installs;
mod isolations;
mod jails;
mod lives;
mod networks;
mod plugins;

use crate::scenario::Scenario;

/// Every one, those for other systems included.
pub(crate) fn all() -> Vec<Scenario> {
    let areas = [
        installs::scenarios,
        lives::scenarios,
        consoles::scenarios,
        devices::scenarios,
        daemons::scenarios,
        capped::scenarios,
        flags::scenarios,
        boot::scenarios,
        plugins::scenarios,
        crashes::scenarios,
        isolations::scenarios,
        jails::scenarios,
        networks::scenarios,
    ];
    areas.into_iter().flat_map(|scenarios| scenarios()).collect()
}
