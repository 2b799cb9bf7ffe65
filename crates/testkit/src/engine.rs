//! The engine on a fake machine, with the back ends that a test names. It does not know what is tested.

use camino::Utf8Path;
use qchroot_api::{Name, Progress, Registration, Result, Step};
use qchroot_engine::{Engine, Layout, Point, Registry, Settings, Watch};

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

/// An engine whose system lies under `/q`.
///
/// # Errors
/// What is wrong with the settings there.
pub fn engine<'a>(
    host: &'a FakeHost,
    registry: &'a Registry,
    watch: &'a dyn Watch,
    dry_run: bool,
) -> Result<Engine<'a>> {
    let layout = Layout::under(Utf8Path::new("/q"));
    let settings = Settings::read(host, &layout)?;
    Ok(Engine { host, registry, layout, settings, watch, dry_run })
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
    run(&engine(host, &Registry::of(back_ends)?, &Silent, false)?)
}
