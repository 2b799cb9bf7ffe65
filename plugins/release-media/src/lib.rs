//! Release source: media.

#![forbid(unsafe_code)]
