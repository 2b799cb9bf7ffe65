//! Programs of this machine, looked at and taken for real. These tests need the superuser.

#![expect(clippy::unwrap_used, reason = "a test that cannot prepare has failed")]

mod freebsd;
mod programs;
mod refusals;
mod support;
