//! Release source: distset.

#![forbid(unsafe_code)]
