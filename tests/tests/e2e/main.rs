//! The real program on the real kernel, as root, each test with a qchroot system of its own below `/var/tmp`.
//!
//! `QCHROOT_BIN` names the program, built with `--features crash-points`; without it the program is built first.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    unreachable_pub,
    reason = "tests report by panicking, and run programs of the host's"
)]

mod adopt;
mod adopt_crash;
mod adopt_refused;
mod archives;
mod bases;
mod boot;
mod brands;
mod buildworld;
mod capped;
mod capped_faults;
mod console;
mod copies;
mod copies_crash;
mod crash;
mod declared;
mod disks_refused;
mod distset;
mod distset_layout;
mod downloads;
mod dry_run;
mod escapes;
mod everything;
mod example_btrfs;
mod exec;
mod export;
mod guide;
mod host_daemons;
mod host_disk;
mod hostile;
mod import_refused;
mod input;
mod interruptions;
mod leaf;
mod lifecycle;
mod limits;
mod logs;
mod many;
mod media;
mod minimal;
mod misbehaviour;
mod misbehaviour_plans;
mod mounted_inside;
mod namespaces;
mod namespaces_crash;
mod namespaces_life;
mod networks;
mod oci;
mod old_plugins;
mod order;
mod overlay_quota;
mod pkgbase;
mod plugin_check;
mod plugin_list;
mod plugin_loading;
mod plugins;
mod plugins_crash;
mod pool;
mod processes;
mod program;
mod reboot;
mod releases;
mod resize;
mod resize_crash;
mod same_daemon;
mod sandbox;
mod service_order;
mod service_ready;
mod services;
mod short_host;
mod stale;
mod surroundings;
mod terminal;
mod three_services;
mod trace_files;
mod trash;
mod tree;
mod trees;
mod trees_refused;
mod upgrade;
mod userland;
mod world;
mod zfs;
