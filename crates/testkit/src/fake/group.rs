//! Control groups of the fake machine, which can keep every limit on Linux, and signals to processes.

use camino::Utf8Path;
use qchroot_api::{Error, ErrorKind, GroupStep, GroupUsage, Limits, Result, Unenforced};
use qchroot_engine::Probe;

use super::state::State;

impl State {
    pub(crate) fn act_on_group(&mut self, step: &GroupStep) -> Result<()> {
        if !self.on_linux() {
            let message = format!("cannot {step}: this kernel has no control groups");
            return Err(Error::new(ErrorKind::Unavailable, message));
        }
        match step {
            GroupStep::Make { group, limits, .. } => drop(self.groups.insert(group.clone(), limits.clone())),
            GroupStep::Remove { group, .. } => drop(self.groups.remove(group)),
            other => return Err(Error::new(ErrorKind::Internal, format!("not known here: {other}"))),
        }
        Ok(())
    }

    pub(crate) fn probe_group(&self, step: &GroupStep) -> Probe {
        let is_done = match step {
            GroupStep::Make { group, limits, .. } => self.groups.get(group) == Some(limits),
            GroupStep::Remove { group, .. } => !self.groups.contains_key(group),
            _ => return Probe::Unknown,
        };
        if is_done { Probe::Present } else { Probe::Absent }
    }

    /// As many limits as a test took from the machine; on FreeBSD all, unless it counts.
    pub(crate) fn unenforced(&self, limits: &Limits) -> Vec<Unenforced> {
        let lacks = |limit: &&String| limits.clone().without(limit) != *limits;
        let lack = |limit: &String| Unenforced {
            limit: limit.clone(),
            why: format!("the fake kernel has no controller for {limit}"),
            hint: "take another kernel".into(),
        };
        let all = ["cpu", "memory", "processes", "read", "write"].map(str::to_owned);
        let counts = self.on_linux() || self.freebsd.counts;
        let uncounted = if counts { &[][..] } else { &all[..] };
        self.missing_controllers.iter().chain(uncounted).filter(lacks).map(lack).collect()
    }

    pub(crate) fn group_usage(&self, group: &str) -> Option<GroupUsage> {
        self.groups.contains_key(group).then(GroupUsage::default)
    }

    /// TERM and KILL end a process; the rest does nothing here.
    pub(crate) fn signal(&mut self, root: &Utf8Path, pids: &[i32], signal: &str) -> Result<()> {
        let is_meant = |pid: i32| pids.is_empty() || pids.contains(&pid);
        let strangers: Vec<i32> = pids
            .iter()
            .copied()
            .filter(|&pid| !self.processes.iter().any(|p| p.info.pid == pid && p.info.root.starts_with(root)))
            .collect();
        if let Some(stranger) = strangers.first() {
            return Err(Error::new(ErrorKind::NotFound, format!("process {stranger} is not in {root}")));
        }
        if matches!(signal, "TERM" | "KILL") {
            self.processes.retain(|p| {
                p.is_init
                    || !p.info.root.starts_with(root)
                    || !is_meant(p.info.pid)
                    || (p.stubborn && signal == "TERM")
            });
        }
        Ok(())
    }
}
