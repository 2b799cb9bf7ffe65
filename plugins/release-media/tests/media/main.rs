//! Media as people have them, through the real machine. These tests change owners and make devices: they need the
//! superuser.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that cannot prepare has failed; images are made by programs"
)]

mod images;
mod layouts;
mod old;
mod support;
