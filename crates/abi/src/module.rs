//! What stands on the border itself: a handful of types whose layout abi_stable fixes and checks. Everything that is
//! said across it is text (JSON of the api types), but the content of files.
//!
//! It knows neither back ends nor how a library is found.

// What the macros of abi_stable write is theirs.
#![allow(missing_docs, non_local_definitions, reason = "the macros of abi_stable write undocumented items")]

use abi_stable::library::RootModule;
use abi_stable::sabi_types::{RMut, RRef, VersionStrings};
use abi_stable::std_types::{RBox, ROption, RResult, RSliceMut, RStr, RString, RVec};
use abi_stable::{StableAbi, sabi_trait};

/// What a plug-in's library offers.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = PluginRef, prefix_fields = PluginPrefix)))]
pub struct Plugin {
    /// Makes the back end; the error is an api error as JSON.
    #[sabi(last_prefix_field)]
    pub make: extern "C" fn() -> RResult<PortBox, RString>,
}

impl RootModule for PluginRef {
    abi_stable::declare_root_module_statics! {PluginRef}
    const BASE_NAME: &'static str = "qchroot_plugin";
    const NAME: &'static str = "qchroot plug-in";
    // The border's version, not the package's: what abi_stable compares.
    const VERSION_STRINGS: VersionStrings = VersionStrings::new(crate::BORDER_TEXT);
}

/// One back end behind the border.
#[sabi_trait]
pub trait Port: Send + Sync + 'static {
    /// Answers one [`crate::Call`], given and answered as JSON; the error is an api error as JSON.
    #[sabi(last_prefix_field)]
    fn call(&self, call: RStr<'_>, host: HostRef<'_>) -> RResult<RString, RString>;
}

/// A back end that is owned.
pub type PortBox = Port_TO<RBox<()>>;

/// What a back end may ask while it is called.
#[sabi_trait]
pub trait HostPort {
    /// Answers one [`crate::Ask`], given as JSON; `content` is what a file to write holds. The error is an api error as JSON.
    #[sabi(last_prefix_field)]
    fn ask(&self, ask: RStr<'_>, content: ROption<ContentRef<'_>>) -> RResult<Told, RString>;
}

/// The host, for as long as one call takes.
pub type HostRef<'a> = HostPort_TO<'a, RRef<'a, ()>>;

/// What the host told.
#[repr(C)]
#[derive(StableAbi)]
pub struct Told {
    /// The answer as JSON.
    pub json: RString,
    /// Bytes that belong to it.
    pub bytes: RVec<u8>,
    /// Whether the user has given up.
    pub cancelled: bool,
}

/// The content of a file.
#[sabi_trait]
pub trait Content {
    /// The next bytes, 0 at the end; the error is an api error as JSON.
    #[sabi(last_prefix_field)]
    fn read(&mut self, into: RSliceMut<'_, u8>) -> RResult<usize, RString>;
}

/// Content that is lent for as long as one question takes.
pub type ContentRef<'a> = Content_TO<'a, RMut<'a, ()>>;
