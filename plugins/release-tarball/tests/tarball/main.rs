//! Archives as a user has them, through the real writer.

#![expect(clippy::unwrap_used, reason = "a test that cannot prepare has failed")]

mod attributes;
mod hostile;
mod install;
mod signed;
mod support;
