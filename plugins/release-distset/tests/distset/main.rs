//! Distribution sets made by tar and xz as FreeBSD makes them, installed into real directories.

#![expect(clippy::unwrap_used, reason = "a test that cannot prepare has failed")]
#![expect(clippy::disallowed_methods, reason = "sets are made with the programs that everybody uses")]

mod manifest;
mod nearby;
mod network;
mod releases;
mod signed;
mod split;
mod support;
