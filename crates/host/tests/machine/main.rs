//! The machine on a real kernel. These tests change mounts and make device nodes: they need the superuser.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot set itself up has failed")]

#[cfg(target_os = "linux")]
mod disk_check;
#[cfg(target_os = "linux")]
mod disk_files;
#[cfg(target_os = "linux")]
mod disk_grow;
#[cfg(target_os = "linux")]
mod disk_host;
#[cfg(target_os = "linux")]
mod disk_make;
#[cfg(target_os = "linux")]
mod disks;
#[cfg(target_os = "linux")]
mod disks_hostile;
#[cfg(target_os = "linux")]
mod disks_refused;
#[cfg(target_os = "linux")]
mod flags;
#[cfg(target_os = "linux")]
mod links;
#[cfg(target_os = "linux")]
mod media;
#[cfg(target_os = "linux")]
mod mounts;
#[cfg(target_os = "linux")]
mod overlay;
mod own;
mod probes;
#[cfg(target_os = "linux")]
mod programs;
mod questions;
mod support;
mod taking;
#[cfg(target_os = "linux")]
mod trees;
mod writer;
