//! What other tools left of their containers: which there are, where they lie, and what their configuration says, in
//! this project's terms.
//!
//! It knows the files of four tools and reads them as data; nothing is sourced, run or changed. It must not know what
//! is made of a find: steps, journals and administration files are the engine's.

#![forbid(unsafe_code)]

mod bastille;
mod ezjail;
mod fstab;
mod jail_conf;
mod parameters;
mod qchroot;
mod qjail;
mod rc_conf;
mod rctl;
mod shell;
mod site;

use std::fmt;
use std::str::FromStr;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Error, ErrorKind, Observe, Result};
use serde::{Deserialize, Serialize};

use crate::site::Site;

pub use crate::site::script;

/// A tool whose containers can be taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tool {
    /// qchroot(8), the csh script.
    Qchroot,
    /// qjail(8).
    Qjail,
    /// ezjail(7).
    Ezjail,
    /// BastilleBSD.
    Bastille,
}

impl Tool {
    /// All there are.
    pub const ALL: [Self; 4] = [Self::Qchroot, Self::Qjail, Self::Ezjail, Self::Bastille];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Qchroot => "qchroot",
            Self::Qjail => "qjail",
            Self::Ezjail => "ezjail",
            Self::Bastille => "bastille",
        }
    }

    /// What stops the container `name` with it.
    #[must_use]
    pub fn stop(self, name: &str) -> String {
        match self {
            Self::Qchroot => format!("qchroot stop {name}"),
            Self::Qjail => format!("qjail stop {name}"),
            Self::Ezjail => format!("ezjail-admin stop {name}"),
            Self::Bastille => format!("bastille stop {name}"),
        }
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Tool {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|tool| tool.name() == text).ok_or_else(|| {
            let known = Self::ALL.map(Self::name).join(", ");
            let message = format!("{text:?} is no tool whose containers can be adopted; there are: {known}");
            Error::new(ErrorKind::Usage, message)
        })
    }
}

/// What one tool left on a system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct System {
    /// The tool.
    pub tool: Tool,
    /// The trees that its containers share.
    pub shared: Vec<Shared>,
    /// Its containers.
    pub containers: Vec<Found>,
    /// Those that cannot be taken whatever the machine says.
    pub left: Vec<Left>,
    /// What its files say and nothing here understands.
    pub notes: Vec<Note>,
    /// What its user does by hand when the containers are taken.
    pub by_hand: Vec<String>,
}

/// A tree that containers mount read-only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    /// Where it lies.
    pub at: Utf8PathBuf,
    /// What new containers get a copy of.
    pub template: Template,
    /// Where it is mounted, relative to a container's root.
    pub mount: Utf8PathBuf,
    /// Paths whose content is shared: links to them stand in each container.
    pub paths: Vec<Utf8PathBuf>,
}

/// What new containers get a copy of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Template {
    /// A tree of its own.
    Tree(Utf8PathBuf),
    /// These paths of the shared tree, which is a whole userland.
    Paths(Vec<Utf8PathBuf>),
}

/// One container.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// Its name; not every tool has this project's rules.
    pub name: String,
    /// Its root.
    pub root: Utf8PathBuf,
    /// Where the tree lies that it shares.
    pub shared: Utf8PathBuf,
    /// Whether it is a jail with a whole system inside; otherwise services of a plain chroot.
    pub jail: bool,
    /// Options of isolation `jail`, as text.
    pub options: Vec<(String, String)>,
    /// Services that start with it, if no whole system does.
    pub services: Vec<String>,
    /// Whether it starts with the host.
    pub boot: bool,
    /// Containers that it cannot do without.
    pub requires: Vec<String>,
    /// Its limits, as text.
    pub limits: Vec<(String, String)>,
}

/// A container that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Left {
    /// Its name.
    pub name: String,
    /// Why not, as a lower-case fragment.
    pub why: String,
    /// What can be done about it.
    pub hint: Option<String>,
}

/// A line that is not understood, and left alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// The file.
    pub file: Utf8PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// What it says, or what becomes of it.
    pub what: String,
}

/// What `tool` left below `top`, the root of the system that it ran on; `None` where it was never used.
///
/// # Errors
/// What the machine says of files that cannot be read.
pub fn find(tool: Tool, top: &Utf8Path, host: &dyn Observe) -> Result<Option<System>> {
    let site = Site { top, host };
    match tool {
        Tool::Qchroot => qchroot::find(&site),
        Tool::Qjail => qjail::find(&site),
        Tool::Ezjail => ezjail::find(&site),
        Tool::Bastille => bastille::find(&site),
    }
}

impl System {
    fn of(tool: Tool) -> Self {
        Self { tool, shared: vec![], containers: vec![], left: vec![], notes: vec![], by_hand: vec![] }
    }

    fn leave(&mut self, name: &str, why: impl Into<String>, hint: Option<String>) {
        self.left.push(Left { name: name.into(), why: why.into(), hint });
    }

    fn note(&mut self, file: &Utf8Path, line: usize, what: impl Into<String>) {
        self.notes.push(Note { file: file.into(), line, what: what.into() });
    }
}
