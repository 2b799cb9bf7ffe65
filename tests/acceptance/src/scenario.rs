//! What a scenario is: a name, the systems it is for, a limit, and a function.

use std::time::Duration;

use crate::world::World;

/// One thing to try.
#[derive(Clone, Copy)]
pub(crate) struct Scenario {
    /// `area::what_is_so`.
    pub(crate) name: &'static str,
    /// How long it may take.
    pub(crate) limit: Duration,
    /// Whether it is for this system.
    pub(crate) here: bool,
    /// Panics when something is not as it should be.
    pub(crate) play: fn(&World),
}

impl Scenario {
    /// The same with another limit, in seconds.
    pub(crate) fn limit(self, seconds: u64) -> Self {
        Self { limit: Duration::from_secs(seconds), ..self }
    }
}

/// A scenario for both systems.
pub(crate) fn both(name: &'static str, play: fn(&World)) -> Scenario {
    Scenario { name, limit: Duration::from_secs(120), here: true, play }
}

/// A scenario about something that only FreeBSD has.
pub(crate) fn freebsd(name: &'static str, play: fn(&World)) -> Scenario {
    Scenario { here: cfg!(target_os = "freebsd"), ..both(name, play) }
}

/// A scenario about something that only Linux has.
pub(crate) fn linux(name: &'static str, play: fn(&World)) -> Scenario {
    Scenario { here: cfg!(target_os = "linux"), ..both(name, play) }
}
