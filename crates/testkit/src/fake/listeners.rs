//! Sockets that processes of the fake machine listen on.

use std::net::SocketAddr;

use qchroot_api::{Listener, Transport};

use super::FakeHost;
use super::state::State;

impl FakeHost {
    /// Has a process listen, or the kernel itself; until the process ends.
    pub fn listen(&self, pid: Option<i32>, transport: Transport, at: SocketAddr) {
        self.state().listening.push((pid, transport, at));
    }
}

/// What listens now.
pub(crate) fn listeners(state: &State) -> Vec<Listener> {
    let alive = |&(pid, transport, at): &(Option<i32>, Transport, SocketAddr)| {
        let Some(number) = pid else {
            return Some(Listener { transport, at, pid, program: String::new(), root: "".into() });
        };
        let info = &state.processes.iter().find(|process| process.info.pid == number)?.info;
        let program =
            info.command.split(' ').next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
        Some(Listener { transport, at, pid, program: program.into(), root: info.root.clone() })
    };
    state.listening.iter().filter_map(alive).collect()
}
