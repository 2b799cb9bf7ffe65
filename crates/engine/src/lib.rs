//! The engine: registry, configuration, layout, journal, transactions and the operations.
//!
//! It knows no plug-in by name and no operating system, and it touches nothing by itself: every effect goes
//! through the [`Host`] port.

#![forbid(unsafe_code)]

mod port;

pub use port::{Deadline, Guard, Held, Host, Probe};
