//! The second half of the suites: the real machine, as root, with a userland of one program. Whoever
//! runs it has given it a mount namespace of its own, so that nothing stays mounted whatever goes wrong.

mod isolation;
mod lab;
mod snapshot;
mod source;
mod storage;

use qchroot_api::{Kind, Observe, Platform};
use qchroot_engine::Host;
use qchroot_host::Machine;

use super::trial::{Scene, Trial};

pub(crate) use isolation::isolation;
pub use source::{SourceOnMachine, source_on_machine};
pub(crate) use storage::storage;

/// The kernel the suite runs on.
fn here() -> Platform {
    let machine = Machine::new();
    (&machine as &dyn Observe).platform().expect("the machine knows its kernel")
}

/// A trial's name and what it does.
type Check = (&'static str, Box<dyn FnOnce() + Send>);

/// Trials for the real machine, none where the back end does not work on this kernel.
fn trials(kind: Kind, platforms: &[Platform], unable: Option<String>, all: Vec<Check>) -> Vec<Trial> {
    if !platforms.contains(&here()) {
        return vec![];
    }
    let trial = |(name, run): Check| Trial::new(Scene::Machine(kind), name, run).unless(unable.clone());
    all.into_iter().map(trial).collect()
}

/// Why nothing can be tried out by this user, if it cannot.
fn no_superuser() -> Option<String> {
    (!Machine::new().is_superuser()).then(|| "needs root".to_owned())
}
