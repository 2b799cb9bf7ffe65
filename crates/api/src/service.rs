//! Services: what starts and stops with a container.

use std::collections::BTreeMap;
use std::fmt;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

/// One service of a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Service {
    /// Its name: letters, digits, dash, underscore, dot, at most 64 bytes, no leading dot or dash.
    pub name: String,
    /// How it is run.
    pub run: ServiceRun,
    /// Services of the same container that it starts after, if they are configured.
    #[serde(default)]
    pub after: Vec<String>,
    /// Services of the same container that it starts after and cannot do without.
    #[serde(default)]
    pub requires: Vec<String>,
    /// When it counts as started.
    #[serde(default)]
    pub ready: Option<Ready>,
    /// How long it may take until it is ready, in seconds; `None` for as long as a start may take.
    #[serde(default)]
    pub ready_timeout: Option<u64>,
    /// What is done when it ends by itself.
    #[serde(default)]
    pub restart: Restart,
    /// How it is asked whether it is well.
    #[serde(default)]
    pub health: Option<Health>,
    /// The signal that asks a command to end, without `SIG`; `TERM` where none is given. PostgreSQL wants `INT`.
    #[serde(default)]
    pub stop_signal: Option<String>,
    /// A user of the container's that a command runs as; root where none is given.
    #[serde(default)]
    pub user: Option<String>,
    /// What is added to a command's environment.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
}

/// How a service is started and stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "as", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum ServiceRun {
    /// A script inside the container that takes a verb as its only argument.
    Script {
        /// Its path inside.
        path: Utf8PathBuf,
        /// The verb that starts it: `start`, or `onestart` for rc.subr(8) scripts.
        start: String,
        /// The verb that stops it.
        stop: String,
    },
    /// A program that starts what is meant and ends, and one that stops it.
    Programs {
        /// Program and arguments of the first.
        start: Vec<String>,
        /// Program and arguments of the second.
        stop: Vec<String>,
    },
    /// A program that stays in the foreground, watched over by qchroot.
    Command {
        /// Program and arguments; the program is looked up inside the container.
        argv: Vec<String>,
    },
}

impl ServiceRun {
    /// Program and arguments that start it.
    #[must_use]
    pub fn start_argv(&self) -> Vec<String> {
        match self {
            Self::Script { path, start, .. } => vec![path.to_string(), start.clone()],
            Self::Programs { start: argv, .. } | Self::Command { argv } => argv.clone(),
        }
    }

    /// Program and arguments that stop it; none where a signal does.
    #[must_use]
    pub fn stop_argv(&self) -> Option<Vec<String>> {
        match self {
            Self::Script { path, stop, .. } => Some(vec![path.to_string(), stop.clone()]),
            Self::Programs { stop, .. } => Some(stop.clone()),
            Self::Command { .. } => None,
        }
    }
}

/// What tells that a service is ready for others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "when", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Ready {
    /// A TCP port of the container's loopback or own address takes connections.
    Port {
        /// Its number.
        port: u16,
    },
    /// A file exists inside, such as a socket; one left by an earlier run does not count.
    File {
        /// Its path inside.
        path: Utf8PathBuf,
    },
    /// A command inside ends with status 0.
    Command {
        /// Program and arguments.
        argv: Vec<String>,
    },
    /// The service writes a line `READY=1` to the descriptor whose number is in its environment as `READY_FD`.
    Notify,
}

/// What is done when a service ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Restart {
    /// A command that failed is started again, with growing pauses.
    #[default]
    OnFailure,
    /// A command is started again whatever way it ended.
    Always,
    /// It stays ended.
    Never,
}

impl Restart {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::OnFailure, Self::Always, Self::Never];
}

impl fmt::Display for Restart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OnFailure => "on-failure",
            Self::Always => "always",
            Self::Never => "never",
        })
    }
}

/// How a service is asked whether it is well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// Program and arguments, run inside; status 0 is well.
    pub command: Vec<String>,
    /// Seconds between two questions.
    #[serde(default = "thirty")]
    pub interval: u64,
    /// Seconds that an answer may take.
    #[serde(default = "five")]
    pub timeout: u64,
    /// After so many bad answers one after another it is restarted, if its [`Restart`] allows.
    #[serde(default = "three")]
    pub retries: u32,
}

fn thirty() -> u64 {
    30
}

fn five() -> u64 {
    5
}

fn three() -> u32 {
    3
}

/// What a service's supervisor says of it, for people. The lock that the supervisor holds says whether it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceStatus {
    /// What it does.
    pub standing: Standing,
    /// Since when, in seconds since the epoch.
    pub since: u64,
    /// How often it was started again since the container's start.
    pub restarts: u32,
    /// Its last exit status, 128+N for a signal.
    pub last_exit: Option<i32>,
    /// The process on the host that all processes of the service descend from.
    pub reaper: Option<i32>,
}

/// What a service does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Standing {
    /// Started, and not ready yet.
    Starting,
    /// Ready.
    Running,
    /// Running, and its last health check was bad.
    Unhealthy,
    /// It ended, and is started again soon.
    Waiting,
    /// It ended by itself, well.
    Ended,
    /// It ended by itself, badly, and stays so.
    Failed,
    /// It was stopped.
    Stopped,
}

impl Service {
    /// A service that nothing depends on, with the defaults of everything.
    #[must_use]
    pub fn new(name: impl Into<String>, run: ServiceRun) -> Self {
        Self {
            name: name.into(),
            run,
            after: vec![],
            requires: vec![],
            ready: None,
            ready_timeout: None,
            restart: Restart::default(),
            health: None,
            stop_signal: None,
            user: None,
            environment: BTreeMap::new(),
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.run.start_argv().join(" "))
    }
}
