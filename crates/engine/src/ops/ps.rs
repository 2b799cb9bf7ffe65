//! `ps`: processes by container, known by their root directory and nothing else.

use qchroot_api::{Name, Place, Result};
use serde::Serialize;

use crate::{Engine, users};

/// One process of a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Member {
    /// Its container.
    pub container: Name,
    /// Process id on the host.
    pub pid: i32,
    /// Parent's process id on the host.
    pub ppid: i32,
    /// User, by the container's own passwd file; the number where that has no name for it.
    pub user: String,
    /// Start time in seconds since the epoch.
    pub started: u64,
    /// Command line.
    pub command: String,
}

impl Engine<'_> {
    /// The processes of these containers, by container and process id.
    pub fn ps(&self, names: &[Name]) -> Result<Vec<Member>> {
        let observed = self.look()?;
        let mut members = Vec::new();
        for name in names {
            let mut processes = observed.processes(name).to_vec();
            if processes.is_empty() {
                continue;
            }
            let passwd = self.passwd_inside(name);
            processes.sort_by_key(|process| process.pid);
            members.extend(processes.into_iter().map(|process| Member {
                container: name.clone(),
                pid: process.pid,
                ppid: process.ppid,
                user: users::name_of(&passwd, process.uid),
                started: process.started,
                command: process.command,
            }));
        }
        Ok(members)
    }

    /// The passwd file inside a running container; empty when there is none to be read.
    fn passwd_inside(&self, name: &Name) -> String {
        let at = Place::within(self.layout.container(name).join("root"), "etc/passwd");
        self.view().read(&at).unwrap_or_default()
    }
}
