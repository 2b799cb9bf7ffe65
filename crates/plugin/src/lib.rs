//! What a plug-in for qchroot is written with.
//!
//! A plug-in is one back end in one shared library: a release source, a storage or an isolation. Implement
//! [`Backend`] and the trait of its kind, and export it by one line:
//!
//! ```text
//! qchroot_plugin::export! { release_source "acme.thing" = Thing }
//! ```
//!
//! The crate that does so has `crate-type = ["cdylib"]`. Its name carries a dot: names without one are qchroot's own.

#[doc(hidden)]
pub use qchroot_abi as abi;
pub use qchroot_api::*;
pub use serde;

/// Exports one back end: its kind (`release_source`, `storage` or `isolation`), its name, and how it is made.
#[macro_export]
macro_rules! export {
    (release_source $name:literal = $made:expr) => {
        $crate::export! { @ "release-source" Source $name $made }
    };
    (storage $name:literal = $made:expr) => {
        $crate::export! { @ "shared-storage" Storage $name $made }
    };
    (isolation $name:literal = $made:expr) => {
        $crate::export! { @ "isolation" Isolation $name $made }
    };
    (@ $kind:literal $variant:ident $name:literal $made:expr) => {
        const _: () = {
            use $crate::abi::abi_stable::library::{CheckTypeLayout, LibHeader, RootModuleResult};
            use $crate::abi::abi_stable::prefix_type::PrefixTypeTrait;
            use $crate::abi::abi_stable::std_types::{RResult, RString};
            use $crate::abi::module::{Plugin, PluginRef, PortBox};

            extern "C" fn make() -> RResult<PortBox, RString> {
                $crate::abi::make(|| $crate::abi::Exported::$variant(::std::boxed::Box::new($made)))
            }

            extern "C" fn root() -> RootModuleResult {
                $crate::abi::root_module(|| Plugin { make }.leak_into_prefix())
            }

            // SAFETY: no other symbol of a plug-in has this name; the constructor makes what is declared.
            #[unsafe(export_name = "QCHROOT_LIBRARY")]
            pub static LIBRARY: LibHeader =
                unsafe { LibHeader::from_constructor::<PluginRef>(root, CheckTypeLayout::Yes) };

            const TEXT: &[u8] = $crate::header_text!($kind, $name).as_bytes();

            const fn text<const N: usize>(from: &[u8]) -> [u8; N] {
                let mut to = [0; N];
                to.copy_from_slice(from);
                to
            }

            // SAFETY: no other symbol of a plug-in has this name.
            #[unsafe(export_name = "QCHROOT_PLUGIN")]
            pub static HEADER: [u8; TEXT.len()] = text(TEXT);
        };
    };
}

/// The header's text; for [`export!`].
#[doc(hidden)]
#[macro_export]
macro_rules! header_text {
    ($kind:literal, $name:literal) => {
        concat!(
            r#"{"border":""#,
            $crate::abi::border!(),
            r#"","name":""#,
            $name,
            r#"","kind":""#,
            $kind,
            r#"","version":""#,
            env!("CARGO_PKG_VERSION"),
            r#""}"#
        )
    };
}
