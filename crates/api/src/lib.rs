//! Types and traits that every back end of qchroot is written against.
//!
//! This crate does no I/O, makes no system call and knows no operating system beyond its name: storage and
//! isolation back ends turn options and observations into a [`Plan`], release sources fill a staging
//! directory through [`Work`], and somebody else carries it all out.
//!
//! What a back end is told is read without regard to fields that are unknown, so that one built against an older version
//! understands a newer program; what it says itself is read strictly, and fields that came later have a default.

#![forbid(unsafe_code)]

mod backend;
mod capabilities;
mod check;
mod container;
mod copies;
mod derived;
mod devices;
mod disk;
mod download;
mod entry;
mod error;
mod export;
mod freebsd;
mod group;
mod host_trees;
mod jail;
mod leaf;
mod limits;
mod listener;
mod mount;
mod name;
mod nearest;
mod observe;
mod options;
mod os_path;
mod place;
mod platform;
mod questions;
mod quota;
mod registration;
mod release;
mod rules;
mod run_files;
mod sandbox;
mod service;
mod shared_part;
mod step;
mod step_text;
mod syscalls;
mod tree;
mod usage;

pub use backend::{Backend, Capability, Info, Isolation, Kind, ReleaseSource, SharedStorage};
pub use capabilities::{CAPABILITIES, KEPT_CAPABILITIES, kept_capabilities};
pub use check::Check;
pub use container::{Base, Container};
pub use copies::{forget_steps, restore_steps, snapshot_data, snapshot_dir, snapshot_steps, snapshots_of};
pub use derived::Derived;
pub use devices::{SAFE_DEVICES, device_steps, proc_steps, pts_steps};
pub use disk::{DiskCheck, DiskFs, DiskInfo, DiskStep, Space};
pub use download::{Download, Reply};
pub use entry::{Credentials, Entry, UserName, Way};
pub use error::{Error, ErrorKind, Result};
pub use export::{Part, TakeNode};
pub use freebsd::{KernelViews, freebsd_mounts};
pub use group::{GroupStep, GroupUsage, group_steps, in_group};
pub use host_trees::{check_host_trees, host_trees_plan, host_trees_spec};
pub use jail::{jail_facts, jail_limits, jail_rules, jail_step, refuse_in_jail};
pub use leaf::require_leaf;
pub use limits::{Limits, Unenforced};
pub use listener::{Listener, Transport};
pub use mount::{Mount, MountFs, Mounted};
pub use name::{Name, RESERVED};
pub use observe::{Answer, FileKind, Observe, Process, ProgramOutput, Query, Stat};
pub use options::{OptionKind, OptionSpec, Options, check_options, parse_size, size_text};
pub use place::Place;
pub use platform::{Brand, Platform};
pub use quota::{Quota, QuotaStep};
pub use registration::{Registration, registrations};
pub use release::{Release, ReleaseId, ReleaseWish};
pub use rules::{Rules, SyscallRules};
pub use run_files::{RUN_DIRS, is_stale_after_boot, is_stale_without_processes};
pub use sandbox::{IdRange, Network, SandboxStep, SealStep, sandbox_lock};
pub use service::{Health, Ready, Restart, Service, ServiceRun, ServiceStatus, Standing};
pub use shared_part::{SHARED_PART, into_shared, shared_links, shared_plan};
pub use step::{Access, Plan, ServiceStep, Step};
pub use syscalls::{CallNumbers, check_calls};
pub use tree::{Cancelled, Command, Node, NodeKind, Output, Progress, Take, TreeWriter, Work};
pub use usage::{Snapshot, Usage};

/// Re-exported so that a back end needs no other crate to name these types.
pub use {camino, inventory, toml};
