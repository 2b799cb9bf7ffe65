//! The author's side of a call: from its text to the method of a trait and back. Whatever panics there becomes an error.
//! It knows no library.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe, catch_unwind};

use abi_stable::library::RootModuleResult;
use abi_stable::sabi_trait::TD_Opaque;
use abi_stable::std_types::{RErr, ROk, RResult, RStr, RString};
use qchroot_api::{Backend, Error, ErrorKind, Isolation, Observe, ReleaseSource, Result, SharedStorage};

use super::far::{Far, FarWork};
use crate::Call;
use crate::module::{HostRef, PluginRef, Port, Port_TO, PortBox};
use crate::text::{error_text, from_text, to_text};

/// The one back end of a plug-in.
pub enum Exported {
    /// A release source.
    Source(Box<dyn ReleaseSource>),
    /// A storage.
    Storage(Box<dyn SharedStorage>),
    /// An isolation.
    Isolation(Box<dyn Isolation>),
}

impl Exported {
    fn backend(&self) -> &dyn Backend {
        match self {
            Self::Source(it) => &**it,
            Self::Storage(it) => &**it,
            Self::Isolation(it) => &**it,
        }
    }

    /// The back end with its side of the border.
    #[must_use]
    pub fn port(self) -> PortBox {
        Port_TO::from_value(self, TD_Opaque)
    }

    fn answer(&self, call: Call, far: &Far<'_>) -> Result<String> {
        match (self, call) {
            (it, Call::Info) => to_text(&it.backend().info()),
            (it, Call::Check { options }) => to_text(&it.backend().check(&options)?),
            (Self::Source(source), call) => of_source(&**source, call, far),
            (Self::Storage(storage), call) => of_storage(&**storage, call, far),
            (Self::Isolation(isolation), call) => of_isolation(&**isolation, call, far),
        }
    }
}

impl Port for Exported {
    fn call(&self, call: RStr<'_>, host: HostRef<'_>) -> RResult<RString, RString> {
        let answered = guard("the plug-in", || self.answer(from_text("qchroot", &call)?, &Far::new(host)));
        match answered {
            Ok(text) => ROk(text.into()),
            Err(error) => RErr(error_text(&error).into()),
        }
    }
}

thread_local! {
    /// Where in the author's sources the last panic was; none outside of [`guard`].
    static PANICKED_AT: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Has panics that become errors leave the terminal alone. Others, as in threads of the author's, are told as ever.
fn hush() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map(|place| format!(" at {place}")).unwrap_or_default();
        let guarded = PANICKED_AT.with_borrow_mut(|at| at.as_mut().map(|at| *at = place).is_some());
        if !guarded {
            usual(panic);
        }
    }));
}

/// Makes the back end for [`crate::module::Plugin::make`].
pub fn make(back_end: impl FnOnce() -> Result<Exported>) -> RResult<PortBox, RString> {
    hush();
    match guard("making the plug-in", back_end) {
        Ok(exported) => ROk(exported.port()),
        Err(error) => RErr(error_text(&error).into()),
    }
}

/// Runs what an author wrote; a panic is an error.
///
/// # Errors
/// What it says, or plug-in with the panic's words.
pub(crate) fn guard<T>(what: &str, run: impl FnOnce() -> Result<T>) -> Result<T> {
    let outer = PANICKED_AT.replace(Some(String::new()));
    let done = catch_unwind(AssertUnwindSafe(run));
    let place = PANICKED_AT.replace(outer).unwrap_or_default();
    done.unwrap_or_else(|panic| {
        let error = Error::new(ErrorKind::Plugin, format!("{what} panicked{place}"));
        Err(words(&*panic).map_or(error.clone(), |words| error.cause(words)))
    })
}

fn words(panic: &(dyn Any + Send)) -> Option<String> {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
}

fn of_source(source: &dyn ReleaseSource, call: Call, far: &Far<'_>) -> Result<String> {
    match call {
        Call::Resolve { want } => to_text(&source.resolve(&want, far)?),
        Call::Fill { release, staging, cache, log } => {
            to_text(&source.fill(&release, &mut FarWork::new(far, staging, cache, log))?)
        }
        call => Err(unknown(source, &call)),
    }
}

fn of_storage(storage: &dyn SharedStorage, call: Call, far: &Far<'_>) -> Result<String> {
    let host: &dyn Observe = far;
    match call {
        Call::Create { base, container } => to_text(&storage.create(&base, &container, host)?),
        Call::Attach { base, container } => to_text(&storage.attach(&base, &container, host)?),
        Call::Layers { base, container } => to_text(&storage.layers(&base, &container)?),
        Call::Private { container } => to_text(&storage.private(&container)?),
        Call::Derived { base, container } => to_text(&storage.derived(&base, &container)?),
        Call::Usage { container } => to_text(&storage.usage(&container, host)?),
        Call::Resize { base, container, to } => to_text(&storage.resize(&base, &container, to, host)?),
        Call::Examine { container, how } => to_text(&storage.examine(&container, how, host)?),
        Call::Delete { container } => to_text(&storage.delete(&container, host)?),
        Call::Prune { installed } => to_text(&storage.prune(&installed, host)?),
        Call::Rename { container, to } => to_text(&storage.rename(&container, &to, host)?),
        Call::CloneOf { base, from, to } => to_text(&storage.clone_of(&base, &from, &to, host)?),
        Call::Receive { base, container, disk } => {
            to_text(&storage.receive(&base, &container, disk.as_deref(), host)?)
        }
        Call::Snapshot { container, name } => to_text(&storage.snapshot(&container, &name, host)?),
        Call::Restore { container, name } => to_text(&storage.restore(&container, &name, host)?),
        Call::Forget { container, name } => to_text(&storage.forget(&container, &name, host)?),
        Call::Snapshots { container } => to_text(&storage.snapshots(&container, host)?),
        call => Err(unknown(storage, &call)),
    }
}

fn of_isolation(isolation: &dyn Isolation, call: Call, far: &Far<'_>) -> Result<String> {
    let host: &dyn Observe = far;
    match call {
        Call::Enclose { container } => to_text(&isolation.enclose(&container, host)?),
        Call::Up { base, container } => to_text(&isolation.up(&base, &container, host)?),
        Call::Services { container } => to_text(&isolation.services(&container)?),
        Call::Facts { container } => to_text(&isolation.facts(&container, host)?),
        Call::Way { container } => to_text(&isolation.way(&container, host)?),
        call => Err(unknown(isolation, &call)),
    }
}

fn unknown(backend: &(impl Backend + ?Sized), call: &Call) -> Error {
    let info = backend.info();
    let call = format!("{call:?}");
    let verb = call.split([' ', '{']).next().unwrap_or_default();
    Error::new(ErrorKind::Plugin, format!("{} is a {} and has no {verb}", info.name, info.kind))
}

/// What [`crate::LIBRARY_SYMBOL`]'s constructor answers.
#[must_use]
pub fn root_module(load: fn() -> PluginRef) -> RootModuleResult {
    abi_stable::library::__call_root_module_loader(load)
}
