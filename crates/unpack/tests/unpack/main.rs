//! Unpacking as a release source sees it.

#![expect(clippy::unwrap_used, reason = "a test that cannot make its archive has failed")]

mod formats;
mod hostile;
mod signatures;
mod support;
