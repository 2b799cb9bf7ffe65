//! All scenarios, by area.

mod adoptions;
mod boot;
mod capped;
mod consoles;
mod copies;
mod crashes;
mod daemons;
mod devices;
mod disks;
mod flags;
mod installs;
mod isolations;
mod jails;
mod lives;
mod networks;
mod plugins;
mod programs;
mod releases;
mod trees;

use crate::scenario::Scenario;

/// Every one, those for other systems included.
pub(crate) fn all() -> Vec<Scenario> {
    let areas: [fn() -> Vec<Scenario>; _] = [
        installs::scenarios,
        releases::scenarios,
        lives::scenarios,
        consoles::scenarios,
        programs::scenarios,
        devices::scenarios,
        daemons::scenarios,
        capped::scenarios,
        copies::scenarios,
        disks::scenarios,
        flags::scenarios,
        trees::scenarios,
        boot::scenarios,
        plugins::scenarios,
        isolations::scenarios,
        jails::scenarios,
        networks::scenarios,
        adoptions::scenarios,
    ];
    // What takes longest comes last.
    areas.into_iter().chain([crashes::scenarios as fn() -> _]).flat_map(|scenarios| scenarios()).collect()
}
