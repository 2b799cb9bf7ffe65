//! Tells how the machine stands to a step before it is applied. It changes nothing.

use camino::Utf8Path;
use qchroot_api::{Access, Check, Command, Error, ErrorKind, Mount, Place, Result, Step};
use qchroot_engine::Probe;
use rustix::fs::FileType;

use crate::beneath::{self, describe, file_type};
use crate::device::{self, Node};
use crate::mount::{self, Standing};
use crate::process::{init, sandbox, service};
use crate::{command, compare, disk, files, os, ownership, relocate};

/// How the machine stands to `step`.
pub(crate) fn probe(step: &Step) -> Result<Probe> {
    match step {
        Step::MakeDir { at, .. } => making(make_dir(at)),
        Step::RemoveDir { at } => taking(gone(at)),
        Step::Stage { at } => making(stage(at)),
        Step::CopyTree { to, .. } => making(copy(to)),
        Step::RemoveTree { at } => taking(remove_tree(at)),
        Step::WriteFile { at, text, mode, was } => making(compare::file(at, text, *mode, was.as_deref())),
        Step::RemoveFile { at, .. } => taking(gone_or(at, FileType::RegularFile)),
        Step::Link { at, to, was } => making(link(at, to, was.as_deref())),
        Step::Unlink { at, was } => taking(unlink(at, was)),
        Step::Rename { from, to } => rename(&Place::host(from), &Place::host(to)),
        Step::Discard { from, to } => discard(&Place::host(from), &Place::host(to)),
        Step::Move { from, to } => settle(rename(from, to), Probe::Absent),
        Step::SetAccess { at, to, was } => making(access(at, *to, *was)),
        Step::Device { at, major, minor } => making(device(at, (*major, *minor))),
        Step::RemoveDevice { at, major, minor } => taking(remove_device(at, (*major, *minor))),
        Step::Own { at, make, uid, gid, mode } => {
            let wanted = ownership::Wanted { make: *make, uid: *uid, gid: *gid, mode: *mode };
            making(ownership::probe(at, &wanted))
        }
        Step::Mount(step) => making(mounted(step)),
        Step::Unmount(step) => settle(unmounted(step), Probe::Present),
        Step::Disk(step) => making(disk::probe(step)),
        Step::Quota(step) => making(os::quota::probe(step)),
        Step::Group(step) => os::control_group::probe(step),
        Step::StartInit { root, proc, .. } => with_init(root, proc.as_ref()),
        Step::StopInit { root, proc, .. } => with_init(root, proc.as_ref()).map(opposite),
        Step::StartSandbox(step) => sandbox::probe(&step.root),
        Step::StopSandbox(step) => sandbox::probe_stopped(&step.root),
        Step::Seal(step) => sandbox::probe_seal(&step.root),
        Step::StopProcesses { root, .. } => sandbox::probe_processes(root),
        Step::StartService(step) => service::probe(step),
        Step::StopService(step) => service::probe(step).map(opposite),
        Step::Run { check: Some(check), .. } => run(check),
        _ => Ok(Probe::Unknown),
    }
}

/// For steps that make something: a way that does not exist yet is made by a step before.
fn making(result: Result<Probe>) -> Result<Probe> {
    settle(result, Probe::Absent)
}

/// For steps that take something away: without a way to it, or with something else in the way, it is gone.
fn taking(result: Result<Probe>) -> Result<Probe> {
    Ok(files::reachable(result)?.unwrap_or(Probe::Present))
}

fn settle(result: Result<Probe>, missing: Probe) -> Result<Probe> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(missing),
        Err(error) if error.kind() == ErrorKind::Exists => Ok(conflict(&error)),
        result => result,
    }
}

fn conflict(error: &Error) -> Probe {
    Probe::Conflict(error.to_string())
}

fn opposite(probe: Probe) -> Probe {
    match probe {
        Probe::Present => Probe::Absent,
        Probe::Absent => Probe::Present,
        other => other,
    }
}

/// An init that died leaves its procfs behind: then half of the step stands.
fn with_init(root: &Utf8Path, proc: Option<&Place>) -> Result<Probe> {
    let probe = init::probe(root)?;
    let Some(at) = proc.filter(|_| probe == Probe::Absent) else { return Ok(probe) };
    let at = at.lexical();
    let left = mount::table()?.iter().any(|mounted| mounted.at == at);
    Ok(if left { Probe::Unknown } else { Probe::Absent })
}

/// What is at a place, not followed.
fn there(at: &Place) -> Result<Option<FileType>> {
    let spot = beneath::parent(at)?;
    file_type(&spot.dir, &spot.name)
}

fn taken(at: &Place, found: FileType, wanted: FileType) -> Probe {
    Probe::Conflict(format!("{at} is {}, not {}", describe(found), describe(wanted)))
}

fn make_dir(at: &Place) -> Result<Probe> {
    Ok(match there(at)? {
        None => Probe::Absent,
        Some(FileType::Directory) => Probe::Present,
        Some(other) => taken(at, other, FileType::Directory),
    })
}

/// A directory that is not empty stays as it is, which only the attempt tells.
fn gone(at: &Place) -> Result<Probe> {
    Ok(match there(at)? {
        Some(FileType::Directory) => Probe::Absent,
        _ => Probe::Present,
    })
}

fn gone_or(at: &Place, kind: FileType) -> Result<Probe> {
    Ok(match there(at)? {
        None => Probe::Present,
        Some(found) if found == kind => Probe::Absent,
        Some(other) => taken(at, other, kind),
    })
}

fn remove_tree(at: &Utf8Path) -> Result<Probe> {
    let at = Place::host(at);
    Ok(match there(&at)? {
        None => Probe::Present,
        Some(FileType::Directory | FileType::RegularFile) => Probe::Absent,
        Some(other) => taken(&at, other, FileType::Directory),
    })
}

fn stage(at: &Utf8Path) -> Result<Probe> {
    let at = Place::host(at);
    Ok(match there(&at)? {
        None | Some(FileType::Directory) => Probe::Absent,
        Some(other) => taken(&at, other, FileType::Directory),
    })
}

fn copy(to: &Utf8Path) -> Result<Probe> {
    Ok(match there(&Place::host(to))? {
        None => Probe::Absent,
        Some(_) => Probe::Conflict(format!("{to} exists already")),
    })
}

fn link(at: &Place, to: &Utf8Path, was: Option<&Utf8Path>) -> Result<Probe> {
    match there(at)? {
        None => return Ok(Probe::Absent),
        Some(FileType::Symlink) => {}
        Some(other) => return Ok(taken(at, other, FileType::Symlink)),
    }
    Ok(match files::link_target(at)? {
        Some(target) if target == to.as_str() => Probe::Present,
        Some(target) if was.is_none_or(|was| target != was.as_str()) => {
            Probe::Conflict(format!("{at} is a link to {target}"))
        }
        _ => Probe::Absent,
    })
}

fn unlink(at: &Place, was: &Utf8Path) -> Result<Probe> {
    match there(at)? {
        None => return Ok(Probe::Present),
        Some(FileType::Symlink) => {}
        Some(other) => return Ok(taken(at, other, FileType::Symlink)),
    }
    Ok(match files::link_target(at)? {
        Some(target) if target != was.as_str() => Probe::Conflict(format!("{at} is a link to {target}")),
        _ => Probe::Absent,
    })
}

fn access(at: &Place, to: Access, was: Access) -> Result<Probe> {
    Ok(match relocate::access(at)? {
        found if found == to => Probe::Present,
        found if found == was => Probe::Absent,
        found => Probe::Conflict(format!("{at} has {}:{} mode {:04o}", found.uid, found.gid, found.mode)),
    })
}

fn rename(from: &Place, to: &Place) -> Result<Probe> {
    let exists = |place: &Place| match there(place) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        found => Ok::<_, Error>(found?.is_some()),
    };
    Ok(match (exists(from)?, exists(to)?) {
        (true, false) => Probe::Absent,
        (false, true) => Probe::Present,
        (true, true) => Probe::Conflict(format!("{to} exists already")),
        (false, false) => Probe::Conflict(format!("neither {from} nor {to} exists")),
    })
}

/// What is gone from both places was removed already.
fn discard(from: &Place, to: &Place) -> Result<Probe> {
    Ok(if there(from)?.is_some() { rename(from, to)? } else { Probe::Present })
}

fn device(at: &Place, numbers: (u32, u32)) -> Result<Probe> {
    Ok(match device::look(at, numbers)? {
        Node::There => Probe::Present,
        Node::Free { .. } => Probe::Absent,
        Node::Taken(what) => Probe::Conflict(what),
    })
}

fn remove_device(at: &Place, numbers: (u32, u32)) -> Result<Probe> {
    Ok(match device::look(at, numbers)? {
        Node::There => Probe::Absent,
        Node::Free { .. } => Probe::Present,
        Node::Taken(what) => Probe::Conflict(what),
    })
}

fn mounted(step: &Mount) -> Result<Probe> {
    Ok(match mount::standing(step)? {
        Standing::Mounted => Probe::Present,
        Standing::Free => Probe::Absent,
        Standing::Taken(what) => Probe::Conflict(format!("{}: {what}", step.at)),
    })
}

fn unmounted(step: &Mount) -> Result<Probe> {
    Ok(match mount::standing(step)? {
        Standing::Free if os::mount::is_clear(step)? => Probe::Present,
        Standing::Mounted | Standing::Free => Probe::Absent,
        Standing::Taken(what) => Probe::Conflict(format!("{}: {what}", step.at)),
    })
}

fn run(check: &Check) -> Result<Probe> {
    let ask =
        |argv: &[String]| command::run(&Command::new(argv.iter().cloned()), &mut crate::running::Nobody);
    let output = ask(check.argv())?;
    let is_done = check.holds(output.status, &output.stdout)
        && match check.fails() {
            Some(argv) => ask(argv)?.status != 0,
            None => true,
        };
    Ok(if is_done { Probe::Present } else { Probe::Absent })
}
