//! The border between qchroot and plug-ins that are shared libraries.
//!
//! The three traits of qchroot-api cross it as text: a [`Call`] goes to the back end, each [`Ask`] comes back, and what
//! both carry are the api's own types as JSON, so that there is no second set of types to keep. The few types with a
//! layout that matters are in [`module`]; abi_stable checks them when a library is opened.
//!
//! [`Exported`] is the author's side, [`Remote`] the program's; what carries calls from one to the other is a
//! [`Carrier`]. What a third party answers is judged before it is handed on. This crate knows no back end by name.

mod ask;
mod author;
mod call;
#[cfg(feature = "host")]
mod child;
mod header;
mod host_side;
mod in_process;
mod judge;
#[cfg(feature = "host")]
mod library;
pub mod module;
mod remote;
mod text;

pub use ask::Ask;
pub use author::{Exported, make, root_module};
pub use call::Call;
#[cfg(feature = "host")]
pub use child::{Caller, Heard, InChild, Launch, Peer, serve};
pub use header::{BORDER_TEXT, HEADER_SYMBOL, Header, LIBRARY_SYMBOL, is_plugin_name};
pub use host_side::{Answered, HostSide};
pub use in_process::InProcess;
#[cfg(feature = "host")]
pub use library::{Found, OpenHere, Opener, Plugins, Verdict, open, read_header, require_superusers};
pub use remote::{Carrier, Remote};
pub use text::MOST_TEXT;

/// What the macro of qchroot-plugin writes refers to it.
pub use abi_stable;
