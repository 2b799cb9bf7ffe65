//! Control groups, cgroups(7): made, looked at, entered and removed, in whatever hierarchies this machine has. It does
//! not know containers; a group is known by its name.

mod hierarchy;
mod members;
mod setting;

use std::fs;
use std::io::ErrorKind as Io;
use std::time::{Duration, Instant};

use camino::Utf8Path;
use qchroot_api::{Error, ErrorKind, GroupStep, GroupUsage, Limits, Result, Unenforced};
use qchroot_engine::{Deadline, Probe};

use crate::clock;
use crate::errors::OrError;
use hierarchy::Hierarchy;
use setting::Limit;

/// How long the kernel may take to let go of processes that have ended.
const DRAIN: Duration = Duration::from_secs(10);

/// Makes or removes a group.
pub(crate) fn apply(step: &GroupStep, deadline: Deadline) -> Result<()> {
    match step {
        GroupStep::Make { group, limits, directory } => make(group, &setting::of(limits, directory)?),
        GroupStep::Remove { group, .. } => remove(group, deadline),
        other => Err(Error::new(ErrorKind::Internal, format!("not a step on control groups: {other}"))),
    }
}

/// Whether a group is there with its limits, or gone.
pub(crate) fn probe(step: &GroupStep) -> Result<Probe> {
    let is_there = match step {
        GroupStep::Make { group, limits, directory } => stands(group, &setting::of(limits, directory)?)?,
        GroupStep::Remove { group, .. } => hierarchy::all()?.iter().all(|it| it.find(group).is_none()),
        _ => return Ok(Probe::Unknown),
    };
    Ok(if is_there { Probe::Present } else { Probe::Absent })
}

/// Puts the calling process into a group, in every hierarchy that has it. A container without limits has no group, and
/// so there is nothing to enter.
///
/// It reads the host's `/proc` and `/sys/fs/cgroup`: call it before the root or the mount namespace is changed, and as
/// root. What the process forks from then on is in the group, too.
pub(crate) fn join(group: &str) -> Result<()> {
    for directory in hierarchy::all()?.iter().filter_map(|it| it.find(group)) {
        let processes = directory.join("cgroup.procs");
        fs::write(&processes, "0").or_error(|| format!("cannot enter control group {directory}"))?;
    }
    Ok(())
}

/// What a group's processes use together.
pub(crate) fn usage(group: &str) -> Result<Option<GroupUsage>> {
    let mut usage = None;
    for (hierarchy, directory) in hierarchy::all()?.iter().filter_map(|it| Some((it, it.find(group)?))) {
        let usage = usage.get_or_insert_with(GroupUsage::default);
        let read =
            |names: [&str; 2]| fs::read_to_string(directory.join(names[usize::from(hierarchy.unified)]));
        let number = |text: std::io::Result<String>| text.ok()?.trim().parse::<u64>().ok();
        let or = |old: Option<u64>, new: Option<u64>| old.or(new);
        usage.memory_bytes =
            or(usage.memory_bytes, number(read(["memory.usage_in_bytes", "memory.current"])));
        usage.processes = or(usage.processes, number(read(["pids.current", "pids.current"])));
        let micros = number(read(["cpuacct.usage", "none"])).map(|nanos| nanos / 1000);
        let stat = read(["none", "cpu.stat"]).ok().and_then(|text| setting::field(&text, "usage_usec"));
        usage.cpu_millis = or(usage.cpu_millis, or(micros, stat).map(|micros| micros / 1000));
    }
    Ok(usage)
}

/// The limits that no hierarchy here can keep, with what is in the way.
pub(crate) fn unenforced(limits: &Limits, directory: &Utf8Path) -> Result<Vec<Unenforced>> {
    let mut lacking = Vec::new();
    let hierarchies = hierarchy::all()?;
    for (name, limit) in setting::each(limits, directory) {
        let refused = match limit {
            Ok(limit) => carrier(&hierarchies, &limit).and_then(|it| it.check_writable()).err(),
            Err(error) => Some(error),
        };
        lacking.extend(refused.map(|error| Unenforced {
            limit: name.into(),
            why: error.to_string(),
            hint: error.hint_text().unwrap_or_default().to_owned(),
        }));
    }
    Ok(lacking)
}

/// The hierarchy that keeps a limit.
fn carrier<'h>(hierarchies: &'h [Hierarchy], limit: &Limit) -> Result<&'h Hierarchy> {
    hierarchies.iter().find(|it| it.has(limit.controller(it.unified))).ok_or_else(|| {
        let name = limit.controller(true);
        if hierarchies.is_empty() {
            return Error::new(ErrorKind::Unavailable, "no control group hierarchy is mounted")
                .hint("mount -t cgroup2 cgroup2 /sys/fs/cgroup");
        }
        Error::new(ErrorKind::Unavailable, format!("no control group hierarchy has the controller {name}")).hint(
            format!("see /proc/cgroups; a kernel that has {name} switched off is told `cgroup_enable={name}` at boot"),
        )
    })
}

fn make(group: &str, limits: &[Limit]) -> Result<()> {
    let hierarchies = hierarchy::all()?;
    for limit in limits {
        let hierarchy = carrier(&hierarchies, limit)?;
        let directory = hierarchy.make(group, limit.controller(hierarchy.unified))?;
        for file in limit.files(hierarchy.unified) {
            file.write(&directory)?;
        }
    }
    Ok(())
}

/// Whether all limits stand as wanted.
fn stands(group: &str, limits: &[Limit]) -> Result<bool> {
    let hierarchies = hierarchy::all()?;
    let holds = |limit: &Limit| {
        let Ok(hierarchy) = carrier(&hierarchies, limit) else { return false };
        let files = limit.files(hierarchy.unified);
        hierarchy.find(group).is_some_and(|at| files.iter().all(|file| file.holds(&at)))
    };
    Ok(limits.iter().all(holds))
}

/// Removes a group from every hierarchy, with what was made below it from inside.
fn remove(group: &str, deadline: Deadline) -> Result<()> {
    let left = deadline.0.saturating_sub(clock::steady()).max(DRAIN);
    let end = Instant::now() + left;
    for hierarchy in hierarchy::all()? {
        let Some(directory) = hierarchy.find(group) else { continue };
        for below in members::deepest_first(&directory)? {
            remove_one(&below, end)?;
        }
        // Another container's group keeps it.
        let _ = directory.parent().map(fs::remove_dir);
    }
    Ok(())
}

/// Removes one group as soon as its last process is gone.
fn remove_one(directory: &Utf8Path, end: Instant) -> Result<()> {
    loop {
        match fs::remove_dir(directory) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == Io::NotFound => return Ok(()),
            Err(error) if error.kind() != Io::ResourceBusy || Instant::now() > end => {
                let left = members::of(directory).iter().map(ToString::to_string).collect::<Vec<_>>();
                return Err(Error::from_io(&error, format!("cannot remove control group {directory}"))
                    .with("pids", left.join(" "))
                    .hint("`qchroot doctor --repair` tries again"));
            }
            Err(_) => {
                members::kill(directory)?;
                members::wait_for_change(directory);
            }
        }
    }
}

#[cfg(test)]
mod tests;
