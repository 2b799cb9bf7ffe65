//! Release source: buildworld.

#![forbid(unsafe_code)]
