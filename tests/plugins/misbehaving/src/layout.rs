//! A library whose header is right, and whose root module is laid out in another way than this border's.

use abi_stable::StableAbi;
use abi_stable::library::{CheckTypeLayout, LibHeader, RootModule, RootModuleResult};
use abi_stable::prefix_type::PrefixTypeTrait;
use abi_stable::sabi_types::VersionStrings;

#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = PluginRef, prefix_fields = PluginPrefix)))]
#[sabi(missing_field(panic))]
pub struct Plugin {
    #[sabi(last_prefix_field)]
    pub make: extern "C" fn(u64) -> u64,
}

impl RootModule for PluginRef {
    abi_stable::declare_root_module_statics! {PluginRef}
    const BASE_NAME: &'static str = "qchroot_plugin";
    const NAME: &'static str = "qchroot plug-in";
    const VERSION_STRINGS: VersionStrings = VersionStrings::new(qchroot_plugin::abi::BORDER_TEXT);
}

extern "C" fn make(number: u64) -> u64 {
    number
}

extern "C" fn root() -> RootModuleResult {
    abi_stable::library::__call_root_module_loader(|| Plugin { make }.leak_into_prefix())
}

// SAFETY: no other symbol has this name; the constructor makes what is declared.
#[unsafe(export_name = "QCHROOT_LIBRARY")]
pub static LIBRARY: LibHeader =
    unsafe { LibHeader::from_constructor::<PluginRef>(root, CheckTypeLayout::Yes) };

const TEXT: &[u8] = br#"{"border":"1.0.0","name":"acme.source","kind":"release-source","version":"0.1.0"}"#;

// SAFETY: no other symbol has this name.
#[unsafe(export_name = "QCHROOT_PLUGIN")]
pub static HEADER: [u8; TEXT.len()] = {
    let mut header = [0; TEXT.len()];
    header.copy_from_slice(TEXT);
    header
};
