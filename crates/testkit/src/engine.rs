//! The engine on a fake machine, with the back ends that a test names. It does not know what is tested.

use camino::Utf8Path;
use qchroot_api::{Name, Progress, Registration, Result, Step};
use qchroot_engine::{Engine, Layout, Point, Registry, Watch};

use crate::FakeHost;

/// Hears everything and says nothing.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Watch for Silent {
    fn step(&self, _: Point, _: &Step) {}
    fn progress(&self, _: &Progress) {}
    fn said(&self, _: &Name, _: &str) {}
    fn warn(&self, _: &str) {}
}

/// Runs something with an engine whose system lies under `/q`.
///
/// # Errors
/// What `run` answers.
pub fn with_engine<T>(
    host: &FakeHost,
    back_ends: &[Registration],
    run: impl FnOnce(&Engine<'_>) -> Result<T>,
) -> Result<T> {
    let registry = Registry::of(back_ends)?;
    run(&Engine::open(host, &registry, Layout::under(Utf8Path::new("/q")), &Silent, false)?)
}
