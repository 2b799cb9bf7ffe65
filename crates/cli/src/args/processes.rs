//! `ps`, `kill`, `top` and `logs` as clap sees them, with their examples.

use clap::{Args, ValueEnum};

pub(super) const PS: &str = "Examples:
  qchroot ps
  qchroot ps web --json

A process belongs to a container by the kernel's word: by its root directory, or its
process namespace. CPU is its share of one processor since it was started, as with ps(1).
On FreeBSD, a jail id stands for a container, too.";

pub(super) const KILL: &str = "Examples:
  qchroot kill web -s HUP                  to all processes of its services
  qchroot kill web -s USR1 4711 4712       numbers as `qchroot ps` shows them
  qchroot --dry-run kill web

A number that is not of the container's at that moment is refused, and then nothing is
sent at all. Services that fail by it are started again as they are configured.
Exit status: 66 when the container has no process, or not that one.";

pub(super) const TOP: &str = "Examples:
  qchroot top                              all containers
  qchroot top web --sort memory            its processes, too
  qchroot top -d 5 -n 1
  qchroot stats --json

On a terminal, until q or Ctrl-C; elsewhere, once. CPU is the share of one processor
between two looks.";

pub(super) const LOGS: &str = "Examples:
  qchroot logs web                         all services, in the order of time
  qchroot logs web http -n 20
  qchroot logs web -f
  qchroot logs web --since 10m
  qchroot logs web --json | jq -r .text

Times are in UTC. Control characters of a service are shown, not obeyed.";

#[derive(Debug, Args)]
pub(crate) struct Kill {
    /// The container
    pub(crate) name: String,
    /// The signal, by its name or number
    #[arg(short, long, value_name = "SIGNAL", default_value = "TERM")]
    pub(crate) signal: String,
    /// Processes, by their numbers on the host [default: all]
    #[arg(value_name = "PID")]
    pub(crate) pids: Vec<i32>,
}

#[derive(Debug, Args)]
pub(crate) struct Top {
    /// Containers whose processes are shown, too [default: all containers, without]
    pub(crate) names: Vec<String>,
    /// What comes first
    #[arg(long, value_enum, default_value_t = Sort::Cpu)]
    pub(crate) sort: Sort,
    /// Seconds between two looks
    #[arg(short, long, value_name = "SECONDS", default_value_t = 2.0)]
    pub(crate) delay: f64,
    /// As many looks, one below the other
    #[arg(short = 'n', long, value_name = "N")]
    pub(crate) iterations: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sort {
    /// Who computes most
    Cpu,
    /// Who takes most memory
    Memory,
}

#[derive(Debug, Args)]
pub(crate) struct Logs {
    /// The container
    pub(crate) name: String,
    /// One service only
    pub(crate) service: Option<String>,
    /// Go on with what is printed from now on
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// The last lines only [default: all; 10 with -f]
    #[arg(short = 'n', long, value_name = "LINES")]
    pub(crate) lines: Option<usize>,
    /// From a time on, such as 2026-11-22T10:00:00Z, or for as long as 10m
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
}
