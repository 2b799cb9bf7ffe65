//! What a plug-in for qchroot is written with.
//!
//! A plug-in is one back end in one shared library: a release source, a storage or an isolation. Implement
//! [`Backend`] and the trait of its kind, and export it by one line. The crate that does so has
//! `crate-type = ["cdylib"]`. `qchroot plugin new DIR` writes one that works. This is a whole release source:
//!
//! ```
//! use qchroot_plugin::*;
//!
//! struct Motd;
//!
//! impl Backend for Motd {
//!     fn info(&self) -> Info {
//!         Info::new(Kind::ReleaseSource, "acme.motd", "a userland of one file")
//!     }
//! }
//!
//! impl ReleaseSource for Motd {
//!     fn resolve(&self, want: &ReleaseWish, _host: &dyn Observe) -> Result<Release> {
//!         Ok(Release::new("motd-1", Brand::Linux, digest_of([("motd", MOTD)]), &want.options))
//!     }
//!
//!     fn fill(&self, _release: &Release, work: &mut dyn Work) -> Result<()> {
//!         work.tree().write(&Node::directory("."), &mut std::io::empty())?;
//!         work.tree().write(&Node::file("etc/motd", MOTD.len() as u64), &mut MOTD.as_bytes())?;
//!         work.tree().finish()
//!     }
//! }
//!
//! const MOTD: &str = "hello\n";
//!
//! qchroot_plugin::export! { release_source "acme.motd" = Motd }
//! # fn main() {}
//! ```
//!
//! Options are a struct of the author's: [`options_of`], [`check`], [`read`]. Downloads are [`Work::fetch`],
//! [`Work::unpack`] and `get` of [`Observe`]. With the feature `testing` there is a host in memory for unit tests.

mod digest;
mod options;
mod schema;
mod size;
#[cfg(feature = "testing")]
pub mod testing;

pub use digest::{digest_of, sha256_of, sha256_of_file};
pub use options::{check, options_of, read};
pub use size::{HostPath, Size};

#[doc(hidden)]
pub use qchroot_abi as abi;
pub use qchroot_api::*;
pub use {schemars, serde};

/// Exports one back end: its kind (`release_source`, `storage` or `isolation`), its name, and how it is made. The name
/// carries a dot: names without one are qchroot's own. Making it may fail: `= Thing::new()?`.
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
                $crate::abi::make(|| Ok($crate::abi::Exported::$variant(::std::boxed::Box::new($made))))
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
