//! The state of services: whether one runs, the lock of its supervisor says; what more is told of it are its
//! supervisor's words.

use qchroot_api::{Name, Process, Result, ServiceStatus};
use serde::Serialize;

use crate::{Engine, State};

/// The state of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ServiceState {
    /// Its supervisor watches over it.
    Running,
    /// Not started.
    Stopped,
    /// Was started, and has ended by itself.
    Ended,
    /// Only root may look.
    Unknown,
}

/// A service and its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServiceReport {
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: ServiceState,
    /// What its supervisor says of it; none where it was not started.
    #[serde(flatten)]
    pub status: Option<ServiceStatus>,
    /// Its processes, by their numbers on the host.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pids: Vec<i32>,
}

impl Engine<'_> {
    /// One service of a container whose processes are `processes`.
    pub(crate) fn service_report(
        &self,
        name: &Name,
        service: &str,
        container: State,
        processes: &[Process],
    ) -> Result<ServiceReport> {
        let state = self.service_state(name, service, container)?;
        let status = match state {
            ServiceState::Stopped | ServiceState::Unknown => None,
            ServiceState::Running | ServiceState::Ended => self.service_words(name, service)?,
        };
        let reaper = status.as_ref().and_then(|status| status.reaper);
        let pids = reaper.map_or(vec![], |reaper| descendants(reaper, processes));
        Ok(ServiceReport { name: service.to_owned(), state, status, pids })
    }

    fn service_state(&self, name: &Name, service: &str, state: State) -> Result<ServiceState> {
        if state == State::Stopped {
            return Ok(ServiceState::Stopped);
        }
        if !self.host.is_superuser() {
            return Ok(ServiceState::Unknown);
        }
        Ok(match self.view().holder(&self.layout.service_lock(name, service))? {
            Some(_) => ServiceState::Running,
            None if state == State::Started => ServiceState::Ended,
            None => ServiceState::Stopped,
        })
    }

    /// What a supervisor wrote down; a file that cannot be read tells nothing.
    fn service_words(&self, name: &Name, service: &str) -> Result<Option<ServiceStatus>> {
        let bytes = self.host.read_own(&self.layout.service_status(name, service))?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }
}

/// The processes below `reaper`, whose parents are known to be the container's.
fn descendants(reaper: i32, processes: &[Process]) -> Vec<i32> {
    let mut family = vec![reaper];
    let mut next = 0;
    while let Some(&parent) = family.get(next) {
        let children = processes.iter().filter(|process| process.ppid == parent).map(|process| process.pid);
        let new: Vec<i32> = children.filter(|pid| !family.contains(pid)).collect();
        family.extend(new);
        next += 1;
    }
    let mut pids = family.split_off(1);
    pids.sort_unstable();
    pids
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: i32, ppid: i32) -> Process {
        Process {
            pid,
            ppid,
            uid: 0,
            root: "/".into(),
            command: String::new(),
            started: 0,
            zombie: false,
            cpu_millis: 0,
            memory_bytes: 0,
        }
    }

    #[test]
    fn a_service_has_all_that_descend_from_its_reaper_and_no_others() {
        let all = [process(2, 1), process(9, 3), process(3, 2), process(7, 6), process(6, 6)];
        assert_eq!(descendants(2, &all), [3, 9]);
        assert!(descendants(5, &all).is_empty());
    }
}
