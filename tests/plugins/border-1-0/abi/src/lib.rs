//! The types on the border as they were in version 1.0.

#![allow(non_local_definitions, reason = "the macros of abi_stable write them")]

use abi_stable::library::RootModule;
use abi_stable::sabi_types::{RMut, RRef, VersionStrings};
use abi_stable::std_types::{RBox, ROption, RResult, RSliceMut, RStr, RString, RVec};
use abi_stable::{StableAbi, sabi_trait};

#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = PluginRef, prefix_fields = PluginPrefix)))]
pub struct Plugin {
    #[sabi(last_prefix_field)]
    pub make: extern "C" fn() -> RResult<PortBox, RString>,
}

impl RootModule for PluginRef {
    abi_stable::declare_root_module_statics! {PluginRef}
    const BASE_NAME: &'static str = "qchroot_plugin";
    const NAME: &'static str = "qchroot plug-in";
    const VERSION_STRINGS: VersionStrings = VersionStrings::new("1.0.0");
}

#[sabi_trait]
pub trait Port: Send + Sync + 'static {
    #[sabi(last_prefix_field)]
    fn call(&self, call: RStr<'_>, host: HostRef<'_>) -> RResult<RString, RString>;
}

pub type PortBox = Port_TO<RBox<()>>;

#[sabi_trait]
pub trait HostPort {
    #[sabi(last_prefix_field)]
    fn ask(&self, ask: RStr<'_>, content: ROption<ContentRef<'_>>) -> RResult<Told, RString>;
}

pub type HostRef<'a> = HostPort_TO<'a, RRef<'a, ()>>;

#[repr(C)]
#[derive(StableAbi)]
pub struct Told {
    pub json: RString,
    pub bytes: RVec<u8>,
    pub cancelled: bool,
}

#[sabi_trait]
pub trait Content {
    #[sabi(last_prefix_field)]
    fn read(&mut self, into: RSliceMut<'_, u8>) -> RResult<usize, RString>;
}

pub type ContentRef<'a> = Content_TO<'a, RMut<'a, ()>>;
