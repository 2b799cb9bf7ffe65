//! The only crate of qchroot that changes the machine: files, mounts, devices, programs and processes.
//!
//! It carries out steps and answers questions; which steps and why is the engine's business.

mod beneath;
mod clock;
mod errors;
mod mount;

#[cfg(target_os = "freebsd")]
mod freebsd;
#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "freebsd")]
use freebsd as os;
#[cfg(target_os = "linux")]
use linux as os;

/// The machine qchroot runs on.
#[derive(Debug, Default)]
pub struct Machine {}
