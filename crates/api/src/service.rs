//! Services: what starts and stops with a container.

use std::fmt;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

/// One service of a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Its name: letters, digits, dash, underscore, dot, at most 64 bytes, no leading dot or dash.
    pub name: String,
    /// How it is run.
    pub run: ServiceRun,
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
    /// A program that stays in the foreground, watched over by qchroot.
    Command {
        /// Program and arguments; the program is looked up inside the container.
        argv: Vec<String>,
    },
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.run {
            ServiceRun::Script { path, start, .. } => write!(f, "{} ({path} {start})", self.name),
            ServiceRun::Command { argv } => write!(f, "{} ({})", self.name, argv.join(" ")),
        }
    }
}
