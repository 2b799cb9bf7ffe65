//! Plug-ins as they were written for border 1.0, with nothing of today's crates: `acme.old`, a release source, and with
//! the feature `storage` a storage. What later versions added is unknown here.

mod host;
#[cfg(not(feature = "storage"))]
mod source;
#[cfg(feature = "storage")]
mod storage;

use abi_stable::library::{CheckTypeLayout, LibHeader, RootModuleResult};
use abi_stable::prefix_type::PrefixTypeTrait;
use abi_stable::sabi_trait::TD_Opaque;
use abi_stable::std_types::{RErr, ROk, RResult, RStr, RString};
use qchroot_abi::{HostRef, Plugin, PluginRef, Port, Port_TO, PortBox};
use serde_json::{Value, json};

#[cfg(not(feature = "storage"))]
use source::answer;
#[cfg(feature = "storage")]
use storage::answer;

struct Old;

impl Port for Old {
    fn call(&self, call: RStr<'_>, host: HostRef<'_>) -> RResult<RString, RString> {
        let answered = serde_json::from_str(&call).map_err(|error| error.to_string());
        match answered.and_then(|call| answer(call, &host::Host(host))) {
            Ok(value) => ROk(value.to_string().into()),
            Err(why) => RErr(error(&why).to_string().into()),
        }
    }
}

fn error(why: &str) -> Value {
    json!({ "kind": "plugin", "message": why, "context": [], "causes": [], "hint": null })
}

extern "C" fn make() -> RResult<PortBox, RString> {
    ROk(Port_TO::from_value(Old, TD_Opaque))
}

extern "C" fn root() -> RootModuleResult {
    fn load() -> PluginRef {
        Plugin { make }.leak_into_prefix()
    }
    abi_stable::library::__call_root_module_loader(load)
}

// SAFETY: no other symbol of this library has the name; the constructor makes what is declared.
#[unsafe(export_name = "QCHROOT_LIBRARY")]
pub static LIBRARY: LibHeader =
    unsafe { LibHeader::from_constructor::<PluginRef>(root, CheckTypeLayout::Yes) };

const BORDER: &str = if cfg!(feature = "says-2-0") {
    "2.0.0"
} else if cfg!(feature = "says-1-9") {
    "1.9.0"
} else {
    "1.0.0"
};
const KIND: &str = if cfg!(feature = "storage") { "shared-storage" } else { "release-source" };

const PARTS: [&str; 5] =
    [r#"{"border":""#, BORDER, r#"","name":"acme.old","kind":""#, KIND, r#"","version":"0.0.1"}"#];

const fn length() -> usize {
    let (mut all, mut part) = (0, 0);
    while part < PARTS.len() {
        all += PARTS[part].len();
        part += 1;
    }
    all
}

const fn text() -> [u8; length()] {
    let (mut all, mut at, mut part) = ([0; length()], 0, 0);
    while part < PARTS.len() {
        let mut byte = 0;
        while byte < PARTS[part].len() {
            all[at] = PARTS[part].as_bytes()[byte];
            at += 1;
            byte += 1;
        }
        part += 1;
    }
    all
}

// SAFETY: no other symbol of this library has the name.
#[unsafe(export_name = "QCHROOT_PLUGIN")]
pub static HEADER: [u8; length()] = text();
