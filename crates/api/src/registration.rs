//! How back ends make themselves known. It knows no back end by name.

use crate::{Isolation, ReleaseSource, SharedStorage};

/// One back end that is linked into the program; each submits its own with [`inventory::submit!`].
#[derive(Debug, Clone, Copy)]
pub enum Registration {
    /// A release source.
    Source(fn() -> Box<dyn ReleaseSource>),
    /// A storage.
    Storage(fn() -> Box<dyn SharedStorage>),
    /// An isolation.
    Isolation(fn() -> Box<dyn Isolation>),
}

inventory::collect!(Registration);

/// Everything that registered itself, in no particular order.
pub fn registrations() -> impl Iterator<Item = &'static Registration> {
    inventory::iter::<Registration>.into_iter()
}
