//! The suite for a plug-in in a shared library: what all of its kind must do, and what its file promises. It does not know
//! how a library is opened.

use std::sync::Arc;

use qchroot_abi::{Header, Remote};
use qchroot_api::{Backend, Kind, ReleaseWish, Result};

use super::real::SourceOnMachine;
use super::subject::Subject;
use super::trial::{Scene, Trial};
use super::{isolation, source, storage};

/// Opens the library anew.
type Open = Arc<dyn Fn() -> Result<Remote> + Send + Sync>;

/// A plug-in and what it is examined with.
#[derive(Clone)]
pub struct Examined {
    /// What its file says of it.
    pub header: Header,
    /// Opens it. Each check has one of its own.
    pub open: Open,
    /// What a release source is asked for; of other kinds the options count, for their containers.
    pub wish: ReleaseWish,
}

/// The checks of a plug-in.
///
/// # Errors
/// Those of opening it.
pub fn plugin(examined: &Examined) -> Result<Vec<Trial>> {
    // What follows asks it who it is, and reports by panicking when it cannot be opened.
    (examined.open)()?;
    let mut trials = as_its_file_says(examined);
    let (own, options) = (examined.clone(), examined.wish.options.clone());
    trials.extend(match examined.header.kind {
        Kind::SharedStorage => {
            storage::storage(&Subject::new(move || Box::new(made(&own)) as _).with(options))
        }
        Kind::Isolation => {
            isolation::isolation(&Subject::new(move || Box::new(made(&own)) as _).with(options))
        }
        Kind::ReleaseSource => of_source(examined),
    });
    Ok(trials)
}

/// Makes what is examined; it was opened before.
fn made(examined: &Examined) -> Remote {
    (examined.open)().unwrap_or_else(|error| panic!("it cannot be opened again: {error}"))
}

/// A check by name.
type Check = (&'static str, fn(&Examined));

fn as_its_file_says(examined: &Examined) -> Vec<Trial> {
    let checks: [Check; 2] = [
        ("its name carries a dot", |examined| {
            let name = &examined.header.name;
            assert!(name.contains('.'), "{name:?} has none: names without one are qchroot's own");
        }),
        ("it is what its file says that it is", |examined| {
            let info = made(examined).info();
            assert_eq!((info.name, info.kind), (examined.header.name.clone(), examined.header.kind));
        }),
    ];
    let trial = |(name, check): Check| {
        let examined = examined.clone();
        Trial::new(Scene::Description, name, move || check(&examined))
    };
    checks.into_iter().map(trial).collect()
}

fn of_source(examined: &Examined) -> Vec<Trial> {
    let (own, wish) = (examined.clone(), examined.wish.clone());
    let subject = Subject::new(move || Box::new(made(&own)) as _);
    let prepare: source::Prepare = Arc::new(move |_| wish.clone());
    let mut trials = source::source(&subject, &prepare);
    let wish = examined.wish.clone();
    trials.extend(SourceOnMachine::of(subject, move |_| wish.clone()).checks());
    trials
}
