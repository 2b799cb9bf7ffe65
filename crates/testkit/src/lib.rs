//! A fake machine with state, fixtures on it, and the behaviour suites that every back end must pass.
//!
//! Tests depend on this crate, and the program for `plugin check`. It reports by panicking, as tests do; a
//! [`behavior::Trial`] catches that.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test kit reports by panicking")]

pub mod behavior;
mod deaths;
mod engine;
mod fake;
pub mod fixture;
pub mod server;
pub mod stream;
pub mod zfs;

pub use deaths::{carried_out, deaths, is_before_or_after};
pub use engine::{Silent, engine, with_engine};
pub use fake::{FakeHost, Flaw, Guards, Moment, Snapshot};
