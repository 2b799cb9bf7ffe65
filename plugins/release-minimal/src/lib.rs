//! Release source: minimal.

#![forbid(unsafe_code)]
