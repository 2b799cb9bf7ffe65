//! Sockets that wait for others. It knows where one listens and who does, not what is said there.

use std::net::SocketAddr;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

/// How what arrives at a socket is carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// A stream: tcp(7), tcp(4).
    Tcp,
    /// Single packets: udp(7), udp(4).
    Udp,
}

impl Transport {
    /// `tcp` or `udp`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

/// A socket in the host's network that takes connections, or packets from anybody, and a process that has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listener {
    /// How it is carried.
    pub transport: Transport,
    /// Address and port; `0.0.0.0` and `::` are every address.
    pub at: SocketAddr,
    /// The process; of several that share the socket the one with the lowest number. None where the kernel itself
    /// answers, or where its process cannot be seen.
    pub pid: Option<i32>,
    /// The process' short name; empty without a process.
    pub program: String,
    /// Root directory of the process as the host spells it; empty without a process, or where it cannot be seen.
    pub root: Utf8PathBuf,
}
