//! A release source whose side of the border is written by hand, and answers with what is no answer.

use qchroot_plugin::abi::HEADER_SYMBOL;
use qchroot_plugin::abi::abi_stable::library::{CheckTypeLayout, LibHeader, RootModuleResult};
use qchroot_plugin::abi::abi_stable::prefix_type::PrefixTypeTrait;
use qchroot_plugin::abi::abi_stable::sabi_trait::TD_Opaque;
use qchroot_plugin::abi::abi_stable::std_types::{RErr, ROk, RResult, RStr, RString};
use qchroot_plugin::abi::module::{HostRef, Plugin, PluginRef, Port, Port_TO, PortBox};

const INFO: &str = r#"{"name":"acme.garbage","kind":"release-source","summary":"garbage","platforms":["linux"],
    "capabilities":[],"options":[{"key":"do","kind":"text","default":"","summary":"what"}],"programs":[]}"#;

struct Garbage;

impl Port for Garbage {
    fn call(&self, call: RStr<'_>, host: HostRef<'_>) -> RResult<RString, RString> {
        let call = call.as_str();
        let wants = |what: &str| call.contains(&format!(r#""do":"{what}""#));
        if call.contains(r#""call":"info""#) {
            return ROk(INFO.into());
        }
        if call.contains(r#""call":"check""#) {
            return ROk("null".into());
        }
        if wants("nothing") {
            return ROk(RString::new());
        }
        if wants("another type") {
            return ROk(r#"[{"do":"remove-tree","at":"/etc"}]"#.into());
        }
        if wants("wrong types") {
            return ROk(r#"{"version":1,"brand":"plan9","digest":[],"pins":"none","options":0}"#.into());
        }
        if wants("nested") {
            return ROk("[".repeat(1_000_000).into());
        }
        if wants("nested options") {
            let (open, close) = (r#"{"a":"#.repeat(100_000), "}".repeat(100_000));
            return ROk(format!(
                r#"{{"version":"1","brand":"linux","digest":"","pins":{{}},"options":{open}1{close}}}"#
            )
            .into());
        }
        if wants("100 MB") {
            return ROk(format!(r#"{{"version":"{}"}}"#, "x".repeat(100 << 20)).into());
        }
        if wants("100 MB of error") {
            return RErr("x".repeat(100 << 20).into());
        }
        if wants("garbage asked") {
            return match host.ask("{\"ask\":\"everything\"}".into(), Default::default()) {
                ROk(told) => ROk(told.json),
                RErr(error) => RErr(error),
            };
        }
        if wants("100 MB asked") {
            return match host.ask("x".repeat(100 << 20).as_str().into(), Default::default()) {
                ROk(told) => ROk(told.json),
                RErr(error) => RErr(error),
            };
        }
        RErr("not even an error".into())
    }
}

extern "C" fn make() -> RResult<PortBox, RString> {
    ROk(Port_TO::from_value(Garbage, TD_Opaque))
}

extern "C" fn root() -> RootModuleResult {
    qchroot_plugin::abi::root_module(|| Plugin { make }.leak_into_prefix())
}

// SAFETY: no other symbol has this name; the constructor makes what is declared.
#[unsafe(export_name = "QCHROOT_LIBRARY")]
pub static LIBRARY: LibHeader =
    unsafe { LibHeader::from_constructor::<PluginRef>(root, CheckTypeLayout::Yes) };

const TEXT: &[u8] = br#"{"border":"1.0.0","name":"acme.garbage","kind":"release-source","version":"0.1.0"}"#;

const _: () = assert!(matches!(HEADER_SYMBOL.as_bytes(), b"QCHROOT_PLUGIN"));

// SAFETY: no other symbol has this name.
#[unsafe(export_name = "QCHROOT_PLUGIN")]
pub static HEADER: [u8; TEXT.len()] = {
    let mut header = [0; TEXT.len()];
    header.copy_from_slice(TEXT);
    header
};
