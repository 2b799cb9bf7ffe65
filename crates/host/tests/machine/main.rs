//! The machine on a real kernel. These tests change mounts and make device nodes: they need the superuser.

#[cfg(target_os = "linux")]
mod links;
#[cfg(target_os = "linux")]
mod mounts;
#[cfg(target_os = "linux")]
mod overlay;
mod own;
mod probes;
mod questions;
mod support;
#[cfg(target_os = "linux")]
mod trees;
mod writer;
