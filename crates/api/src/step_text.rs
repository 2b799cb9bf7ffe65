//! A step in one line for people. It knows nothing of how a step is kept or done.

use std::fmt;

use crate::{Network, Step};

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MakeDir { at, mode } => write!(f, "make directory {at} (mode {mode:04o})"),
            Self::RemoveDir { at } => write!(f, "remove directory {at} if empty"),
            Self::Stage { at } => write!(f, "make staging directory {at}"),
            Self::CopyTree { from, to } => write!(f, "copy {from} to {to}"),
            Self::CopyInto { from, into } => write!(f, "copy what {from} holds into {into}"),
            Self::RemoveTree { at } => write!(f, "remove tree {at}"),
            Self::WriteFile { at, text, mode, .. } => {
                write!(f, "write file {at} ({} bytes, mode {mode:04o})", text.len())
            }
            Self::RemoveFile { at, .. } => write!(f, "remove file {at}"),
            Self::Link { at, to, .. } => write!(f, "link {at} to {to}"),
            Self::Unlink { at, .. } => write!(f, "remove link {at}"),
            Self::Rename { from, to } => write!(f, "rename {from} to {to}"),
            Self::Discard { from, to } => write!(f, "discard {from} (as {to})"),
            Self::Move { from, to } => write!(f, "move {from} to {to}"),
            Self::SetAccess { at, to, .. } => {
                write!(f, "give {at} to {}:{} (mode {:04o})", to.uid, to.gid, to.mode)
            }
            Self::Device { at, major, minor } => write!(f, "make device {at} ({major}:{minor})"),
            Self::RemoveDevice { at, .. } => write!(f, "remove device {at}"),
            Self::Own { at, uid, gid, mode, .. } => write!(f, "give {at} to {uid}:{gid} (mode {mode:04o})"),
            Self::Mount(mount) => write!(f, "mount {mount}"),
            Self::Unmount(mount) => write!(f, "unmount {} from {}", mount.fs.name(), mount.at),
            Self::Disk(step) => write!(f, "{step}"),
            Self::Quota(step) => write!(f, "{step}"),
            Self::Fill { source, release, into } => {
                write!(f, "fill {into} with {} from source {source}", release.version)
            }
            Self::Split { tree, sharedfs, template, .. } => {
                write!(f, "split {tree} into {sharedfs} and {template}")
            }
            Self::Unpack { file, into, .. } => write!(f, "unpack {file} into {into}"),
            Self::Record { base } => write!(f, "record the files of {base}"),
            Self::Run { argv, .. } => write!(f, "run {}", argv.join(" ")),
            other => of_processes(other, f),
        }
    }
}

fn of_processes(step: &Step, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match step {
        Step::StartInit { container, root, proc } => {
            write!(f, "start init of {container} in {root}")?;
            proc.as_ref().map_or(Ok(()), |at| write!(f, " with proc on {at}"))
        }
        Step::StopInit { container, .. } => write!(f, "stop every process of {container}"),
        Step::StartSandbox(s) => {
            write!(f, "start sandbox of {} with network {}", s.container, network(&s.network))?;
            s.users.map_or(Ok(()), |ids| write!(f, " and users from {} on", ids.first))
        }
        Step::StopSandbox(s) => write!(f, "end sandbox of {}", s.container),
        Step::Seal(s) => {
            write!(f, "seal sandbox of {}: own /dev and /proc, root is {}", s.container, s.root)
        }
        Step::StopProcesses { container, .. } => {
            write!(f, "stop every process of {container} but its init")
        }
        Step::Purge { container, booted, .. } => {
            write!(f, "remove stale run files of {container}")?;
            if *booted { f.write_str(", all since the boot") } else { Ok(()) }
        }
        Step::Group(step) => write!(f, "{step}"),
        Step::Signal { container, pids, signal, .. } if pids.is_empty() => {
            write!(f, "send {signal} to every process of {container}")
        }
        Step::Signal { container, pids, signal, .. } => {
            let pids: Vec<String> = pids.iter().map(ToString::to_string).collect();
            write!(f, "send {signal} to {} of {container}", pids.join(" "))
        }
        Step::StartService(s) => write!(f, "start service {} of {}", s.service, s.container),
        Step::StopService(s) => write!(f, "stop service {} of {}", s.service, s.container),
        _ => Ok(()),
    }
}

fn network(network: &Network) -> &str {
    match network {
        Network::Host => "host",
        Network::None => "none",
        Network::Named { name } => name,
    }
}
