//! One check of a suite: its name, where it happens, and what it does. It does not know who runs it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use qchroot_api::{Kind, Platform};

/// Where a check happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scene {
    /// Nowhere: the back end is asked about itself.
    Description,
    /// On the fake machine with this kernel.
    Fake(Platform),
    /// On the machine that this process runs on.
    Machine(Kind),
}

/// One check.
pub struct Trial {
    scene: Scene,
    name: String,
    prefix: &'static str,
    unable: Option<String>,
    run: Box<dyn FnOnce() + Send>,
}

impl Trial {
    /// A check that fails by panicking.
    pub(crate) fn new(scene: Scene, name: impl Into<String>, run: impl FnOnce() + Send + 'static) -> Self {
        Self { scene, name: name.into(), prefix: "", unable: None, run: Box::new(run) }
    }

    /// The same where it cannot be done, and why, for those who want to know before.
    pub(crate) fn unless(self, unable: Option<String>) -> Self {
        Self { unable: self.unable.or(unable), ..self }
    }

    /// The same, of a back end that is met through the border.
    pub(crate) fn behind_the_border(self) -> Self {
        Self { prefix: "behind the border: ", ..self }
    }

    /// Where it happens.
    #[must_use]
    pub fn scene(&self) -> Scene {
        self.scene
    }

    /// What must be so; unique within the scene.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name with the scene in front; unique within a suite.
    #[must_use]
    pub fn full_name(&self) -> String {
        let (prefix, name) = (self.prefix, &self.name);
        match self.scene {
            Scene::Description => format!("{prefix}{name}"),
            Scene::Fake(platform) => format!("{prefix}{}: {name}", platform.to_string().to_lowercase()),
            Scene::Machine(kind) => format!("{prefix}real {kind}: {name}"),
        }
    }

    /// Why it cannot be done here, by this user, with what was given.
    #[must_use]
    pub fn unable(&self) -> Option<&str> {
        self.unable.as_deref()
    }

    /// Does it; the error says what is wrong. What the panic hook prints is for the caller to decide.
    pub fn run(self) -> Result<(), String> {
        catch_unwind(AssertUnwindSafe(self.run)).map_err(|panic| words(&*panic))
    }
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "it panicked".into())
}
