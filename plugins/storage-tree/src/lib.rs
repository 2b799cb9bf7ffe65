//! Storage: an existing tree.

#![forbid(unsafe_code)]
