//! Carries out one step: says only which module does it.

use qchroot_api::{Command, Error, ErrorKind, Result, Step};
use qchroot_engine::Deadline;

use crate::process::{init, sandbox, service, signal};
use crate::{command, copy, device, disk, files, mount, os, ownership, purge, relocate, remove};

/// Applies `step`; steps that wait use force at `deadline`.
pub(crate) fn apply(step: &Step, deadline: Deadline) -> Result<()> {
    match step {
        Step::MakeDir { at, mode } => files::make_dir(at, *mode),
        Step::RemoveDir { at } => files::remove_dir(at),
        Step::Stage { at } => files::stage(at),
        Step::CopyTree { from, to } => copy::copy(from, to),
        Step::CopyInto { from, into } => copy::copy_onto(from, into, &|| true),
        Step::RemoveTree { at } => remove::remove_tree(at),
        Step::WriteFile { at, text, mode, .. } => files::write_file(at, text, *mode),
        Step::RemoveFile { at, .. } => files::remove_file(at),
        Step::Link { at, to, .. } => files::link(at, to),
        Step::Unlink { at, was } => files::unlink(at, was),
        Step::Rename { from, to } | Step::Discard { from, to } => files::rename(from, to),
        Step::Move { from, to } => relocate::relocate(from, to),
        Step::SetAccess { at, to, .. } => relocate::set_access(at, *to),
        Step::Device { at, major, minor } => device::make(at, (*major, *minor)),
        Step::RemoveDevice { at, major, minor } => device::remove(at, (*major, *minor)),
        Step::Own { at, make, uid, gid, mode } => {
            ownership::set(at, &ownership::Wanted { make: *make, uid: *uid, gid: *gid, mode: *mode })
        }
        Step::Purge { root, dirs, booted, .. } => purge::purge(root, dirs, *booted),
        Step::Mount(step) => mount::mount(step),
        Step::Unmount(step) => mount::unmount(step, deadline),
        Step::Disk(step) => disk::apply(step),
        Step::Quota(step) => os::quota::apply(step),
        Step::Group(step) => os::control_group::apply(step, deadline),
        Step::StartInit { container, root, proc } => init::start(container, root, proc.as_ref()),
        Step::StopInit { root, proc, .. } => init::stop(root, proc.as_ref(), deadline),
        Step::StartSandbox(step) => sandbox::start(step),
        Step::StopSandbox(step) => sandbox::stop(&step.root),
        Step::Seal(step) => sandbox::seal(step),
        Step::StopProcesses { root, .. } => sandbox::stop_processes(root, deadline),
        Step::Signal { container, root, pids, signal } => signal::send(container, root, pids, signal),
        Step::StartService(step) => service::start(step, deadline),
        Step::StopService(step) => service::stop(step, deadline),
        Step::Run { argv, .. } => command::run_well(&Command::new(argv.iter().cloned())).map(drop),
        other => Err(Error::new(ErrorKind::Internal, format!("not a step for the machine: {other}"))),
    }
}
