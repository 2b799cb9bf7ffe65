//! Processes: who belongs to a container, its init, how a program gets inside, services and their supervisors.
//!
//! It must not know mount tables, images or configuration, and it stores nothing: what it says of a process it
//! was told by the kernel a moment ago.

pub(crate) mod background;
mod channel;
pub(crate) mod enter;
pub(crate) mod fork;
pub(crate) mod give_up;
pub(crate) mod guard;
mod identity;
pub(crate) mod log;
pub(crate) mod plugin;
pub(crate) mod plugin_main;
mod program;
mod reaper;
mod rules;
pub(crate) mod service;
pub(crate) mod signal;
mod signals;
pub(crate) mod supervisor;
mod terminal;

#[cfg(target_os = "linux")]
#[path = "../linux/process_confine.rs"]
mod confine;
#[cfg(target_os = "linux")]
#[path = "../linux/process_filter.rs"]
mod filter;
#[cfg(target_os = "linux")]
#[path = "../linux/process_init.rs"]
pub(crate) mod init;
#[cfg(target_os = "linux")]
#[path = "../linux/process_jail.rs"]
mod jail;
#[cfg(target_os = "linux")]
#[path = "../linux/process.rs"]
mod kernel;
#[cfg(target_os = "linux")]
#[path = "../linux/process_login.rs"]
mod login;
#[cfg(target_os = "linux")]
#[path = "../linux/process_member.rs"]
mod member;
#[cfg(target_os = "linux")]
#[path = "../linux/process_members.rs"]
pub(crate) mod members;
#[cfg(target_os = "linux")]
#[path = "../linux/process_namespaces.rs"]
mod namespaces;
#[cfg(target_os = "linux")]
#[path = "../linux/process_program.rs"]
pub(crate) mod own_program;
#[cfg(target_os = "linux")]
#[path = "../linux/process_rest.rs"]
mod rest;
#[cfg(target_os = "linux")]
#[path = "../linux/sandbox/mod.rs"]
pub(crate) mod sandbox;
#[cfg(target_os = "linux")]
#[path = "../linux/process_stop.rs"]
mod stop;
#[cfg(target_os = "linux")]
#[path = "../linux/process_trace.rs"]
mod trace;

#[cfg(target_os = "freebsd")]
#[path = "../freebsd/process_confine.rs"]
mod confine;
#[cfg(target_os = "freebsd")]
#[path = "../freebsd/process_init.rs"]
pub(crate) mod init;
#[cfg(target_os = "freebsd")]
#[path = "../freebsd/process_jail.rs"]
mod jail;
#[cfg(target_os = "freebsd")]
#[path = "../freebsd/process.rs"]
mod kernel;
#[cfg(target_os = "freebsd")]
#[path = "../freebsd/process_login.rs"]
mod login;
#[cfg(target_os = "freebsd")]
#[path = "../freebsd/process_member.rs"]
mod member;
#[cfg(target_os = "freebsd")]
#[path = "../freebsd/process_members.rs"]
pub(crate) mod members;
#[cfg(target_os = "freebsd")]
#[path = "../freebsd/process_program.rs"]
pub(crate) mod own_program;
#[cfg(target_os = "freebsd")]
#[path = "../freebsd/process_rest.rs"]
mod rest;
#[cfg(target_os = "freebsd")]
#[path = "../freebsd/sandbox.rs"]
pub(crate) mod sandbox;
#[cfg(target_os = "freebsd")]
#[path = "../freebsd/process_trace.rs"]
mod trace;

#[cfg(target_os = "linux")]
pub(crate) use kernel::Handle;
