//! Control groups: this system has rctl(8) in their place, which isolations plan as a program.

use camino::Utf8Path;
use qchroot_api::{Command, Error, ErrorKind, GroupStep, GroupUsage, Limits, Result, Unenforced};
use qchroot_engine::{Deadline, Probe};

use super::sysctl;
use crate::running::Nobody;
use crate::{command, rctl};

/// Refuses.
pub(crate) fn apply(step: &GroupStep, _deadline: Deadline) -> Result<()> {
    Err(Error::new(ErrorKind::Unavailable, format!("cannot {step}: this system has no control groups")))
}

/// Nothing can be told.
pub(crate) fn probe(_step: &GroupStep) -> Result<Probe> {
    Ok(Probe::Unknown)
}

/// Nothing to enter: a jail's processes are counted by its name.
pub(crate) fn join(_group: &str) -> Result<()> {
    Ok(())
}

/// What the processes of the jail of this name use, by rctl(8); nothing where the kernel does not count.
pub(crate) fn usage(group: &str) -> Result<Option<GroupUsage>> {
    if !is_counting() {
        return Ok(None);
    }
    let output = command::run(&Command::new(["rctl", "-u", &format!("jail:{group}")]), &mut Nobody)?;
    Ok((output.status == 0).then(|| rctl::usage(&output.stdout)))
}

/// `kern.racct.enable`, which is said at boot.
fn is_counting() -> bool {
    sysctl::bytes("kern.racct.enable").is_ok_and(|value| value.first() == Some(&1))
}

/// Nothing is counted where the kernel was not told to at boot; rctl(8).
pub(crate) fn unenforced(limits: &Limits, _directory: &Utf8Path) -> Result<Vec<Unenforced>> {
    if is_counting() {
        return Ok(vec![]);
    }
    let lacking = |(name, is_given): (&str, bool)| {
        is_given.then(|| Unenforced {
            limit: name.into(),
            why: "the kernel does not count what jails use".into(),
            hint: "put kern.racct.enable=1 into /boot/loader.conf and restart the machine".into(),
        })
    };
    let given = [
        ("cpu", limits.cpu_percent.is_some()),
        ("memory", limits.memory_bytes.is_some()),
        ("processes", limits.processes.is_some()),
        ("read", limits.read_bps.is_some()),
        ("write", limits.write_bps.is_some()),
    ];
    Ok(given.into_iter().filter_map(lacking).collect())
}
