//! How a program is run inside a container. Plain data; the host layer does it.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use crate::Rules;

/// How to get inside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Way {
    /// chroot(2) into `root`, after joining the container's process namespace where it has an init.
    Chroot {
        /// The container's root.
        root: Utf8PathBuf,
        /// What a process inside is held to.
        #[serde(default)]
        rules: Rules,
    },
    /// Into the namespaces of the container's sandbox, found by the lock beside `root`.
    Sandbox {
        /// The container's root.
        root: Utf8PathBuf,
        /// What a process inside is held to.
        #[serde(default)]
        rules: Rules,
    },
    /// Into a jail of FreeBSD's; jail_attach(2).
    Jail {
        /// The jail's name.
        name: String,
        /// The container's root.
        root: Utf8PathBuf,
        /// What a process inside is held to.
        #[serde(default)]
        rules: Rules,
    },
    /// A command of the host's that runs its remaining arguments inside.
    Command {
        /// Program and leading arguments.
        prefix: Vec<String>,
        /// What the command, and so a process inside, is held to.
        #[serde(default)]
        rules: Rules,
    },
}

impl Way {
    /// By chroot(2) into `root`, held to nothing.
    #[must_use]
    pub fn chroot(root: impl Into<Utf8PathBuf>) -> Self {
        Self::Chroot { root: root.into(), rules: Rules::default() }
    }

    /// What a process is held to that goes this way.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        match self {
            Self::Chroot { rules, .. }
            | Self::Sandbox { rules, .. }
            | Self::Jail { rules, .. }
            | Self::Command { rules, .. } => rules,
        }
    }
}

/// Numeric identity of a process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// User.
    pub uid: u32,
    /// Primary group.
    pub gid: u32,
    /// Further groups.
    pub groups: Vec<u32>,
    /// Its name, by which its login class is found; none for who is superuser already.
    #[serde(default)]
    pub user: Option<UserName>,
}

/// The name of a user, and who knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", content = "name", rename_all = "kebab-case", deny_unknown_fields)]
pub enum UserName {
    /// A user of the host's.
    Host(String),
    /// A user of the container's.
    Container(String),
}

impl Credentials {
    /// The superuser with no further groups.
    #[must_use]
    pub const fn root() -> Self {
        Self { uid: 0, gid: 0, groups: Vec::new(), user: None }
    }
}

/// One program to run inside. Nothing of the caller is passed on but its first three descriptors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// How to get inside.
    pub way: Way,
    /// Program and arguments; a program without a slash is looked up in `PATH` of `env`, inside.
    pub argv: Vec<String>,
    /// The name the program is given as its own, if not `argv[0]`: login shells get one with a leading dash. Set for
    /// logins only.
    #[serde(default)]
    pub argv0: Option<String>,
    /// The whole environment.
    pub env: BTreeMap<String, String>,
    /// Who it runs as.
    pub credentials: Credentials,
    /// Working directory inside; `/` when it does not exist.
    pub directory: Utf8PathBuf,
}
