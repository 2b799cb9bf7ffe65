//! `plugin list` and `plugin info`: which back ends there are, where they come from, and who uses them.
//!
//! A plug-in that cannot be used is told of, never an error of the list. What a plug-in says of itself is asked of it, so
//! each one that may be used is opened for it; no other operation opens one that nobody uses.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;
use qchroot_abi::{Found, Verdict};
use qchroot_api::{Capability, Error, ErrorKind, Info, Kind, OptionSpec, Platform, Result};
use serde::{Serialize, Serializer};

use crate::Engine;

/// One back end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PluginLine {
    /// Its name; of a file that cannot be used, the file's without `.so`.
    pub name: String,
    /// Its kind, where it is known.
    pub kind: Option<Kind>,
    /// Its version, where it is known; of what is built in, the program's.
    pub version: Option<String>,
    /// The border that it was built for; none for what is built in.
    pub border: Option<String>,
    /// Its file; none for what is built in.
    pub file: Option<Utf8PathBuf>,
    /// Whether it is used, and can be.
    pub state: PluginState,
    /// The containers, or of a source the releases, that use it.
    pub users: Vec<String>,
    /// Why it cannot be used.
    #[serde(serialize_with = "words")]
    pub problem: Option<Error>,
    /// One line; empty, as all below, where it cannot be asked.
    pub summary: String,
    /// Kernels it works on.
    pub platforms: Vec<Platform>,
    /// What it can do.
    pub capabilities: BTreeSet<Capability>,
    /// The options it takes.
    pub options: Vec<OptionSpec>,
    /// Programs of the host's that its plans may run.
    pub programs: Vec<String>,
}

/// What is to be said of a back end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PluginState {
    /// Somebody uses it.
    InUse,
    /// Nobody does.
    Unused,
    /// The settings do not allow it.
    NotAllowed,
    /// Its file has a name under which it is never looked for.
    Misnamed,
    /// It cannot be used.
    Broken,
    /// Somebody uses it, and there is no file.
    Missing,
}

fn words<S: Serializer>(error: &Option<Error>, to: S) -> std::result::Result<S::Ok, S::Error> {
    error.as_ref().map(ToString::to_string).serialize(to)
}

/// Names of users by the kind and the name of the back end.
type Users = BTreeMap<(Kind, String), Vec<String>>;

impl PluginLine {
    /// A line about what is only known by name.
    fn nameless(name: String, state: PluginState, problem: Option<Error>) -> Self {
        Self {
            name,
            state,
            problem,
            kind: None,
            version: None,
            border: None,
            file: None,
            users: vec![],
            summary: String::new(),
            platforms: vec![],
            capabilities: BTreeSet::new(),
            options: vec![],
            programs: vec![],
        }
    }

    fn built_in(info: Info, users: &Users) -> Self {
        let version = Some(env!("CARGO_PKG_VERSION").to_owned());
        Self {
            version,
            ..Self::nameless(info.name.clone(), PluginState::Unused, None).described(info, users)
        }
    }

    /// The same with what the back end says of itself, and who uses it.
    fn described(self, info: Info, users: &Users) -> Self {
        let users = users.get(&(info.kind, info.name)).cloned().unwrap_or_default();
        Self {
            kind: Some(info.kind),
            state: if users.is_empty() { PluginState::Unused } else { PluginState::InUse },
            users,
            summary: info.summary,
            platforms: info.platforms,
            capabilities: info.capabilities,
            options: info.options,
            programs: info.programs,
            ..self
        }
    }
}

impl Engine<'_> {
    /// All back ends: those that are built in, then what lies in the plug-in directory.
    pub fn plugins(&self) -> Result<Vec<PluginLine>> {
        let users = self.users_of_back_ends();
        let built_in = self.registry.infos().into_iter().map(|info| PluginLine::built_in(info, &users));
        let found = self.registry.found()?.into_iter().map(|found| self.plugin_line(found, &users));
        let mut lines: Vec<PluginLine> = built_in.chain(found).collect();
        let is_there = |name: &str| lines.iter().any(|line| line.name == name);
        let missing: Vec<_> = users.iter().filter(|((_, name), _)| !is_there(name)).collect();
        lines.extend(missing.into_iter().map(|((kind, name), users)| PluginLine {
            kind: Some(*kind),
            users: users.clone(),
            ..PluginLine::nameless(name.clone(), PluginState::Missing, None)
        }));
        Ok(lines)
    }

    /// The back end of this name. Only it is opened.
    ///
    /// # Errors
    /// Not found; what is wrong with a plug-in that cannot be used.
    pub fn plugin(&self, name: &str) -> Result<PluginLine> {
        let users = self.users_of_back_ends();
        if let Some(info) = self.registry.infos().into_iter().find(|info| info.name == name) {
            return Ok(PluginLine::built_in(info, &users));
        }
        let found = self.registry.found_as(name)?;
        let line = found.map(|found| self.plugin_line(found, &users)).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("there is no back end named {name:?}"))
                .hint("`qchroot plugin list` shows them")
        })?;
        match line.problem {
            Some(problem) => Err(problem),
            None => Ok(line),
        }
    }

    fn plugin_line(&self, found: Found, users: &Users) -> PluginLine {
        let Found { name, file, header, verdict } = found;
        let asked = match (verdict, &header) {
            (Verdict::Usable, Some(header)) => {
                self.registry.info(header.kind, &name).map_err(|error| (PluginState::Broken, error))
            }
            (Verdict::Usable, None) => return PluginLine::nameless(name, PluginState::Broken, None),
            (Verdict::NotAllowed(error), _) => Err((PluginState::NotAllowed, error)),
            (Verdict::Misnamed(error), _) => Err((PluginState::Misnamed, error)),
            (Verdict::Broken(error), _) => Err((PluginState::Broken, error)),
        };
        let line = match asked {
            Ok(info) => PluginLine::nameless(name, PluginState::Unused, None).described(info, users),
            Err((state, error)) => {
                let of_name = users.iter().filter(|((_, used), _)| *used == name);
                let users = of_name.flat_map(|(_, users)| users.clone()).collect();
                PluginLine { users, ..PluginLine::nameless(name, state, Some(error)) }
            }
        };
        let Some(header) = header else { return PluginLine { file: Some(file), ..line } };
        PluginLine {
            kind: Some(header.kind),
            version: Some(header.version),
            border: Some(header.border),
            file: Some(file),
            ..line
        }
    }

    /// By the containers' files and the releases' records; those that cannot be read use nothing.
    fn users_of_back_ends(&self) -> Users {
        let mut users = Users::new();
        let mut add = |kind, back_end: String, user: String| {
            users.entry((kind, back_end)).or_default().push(user);
        };
        for name in self.names().unwrap_or_default() {
            let Ok((file, _)) = self.read_file(&name) else { continue };
            add(Kind::SharedStorage, file.storage.backend, name.to_string());
            add(Kind::Isolation, file.isolation.backend, name.to_string());
        }
        for id in self.installed_ids().unwrap_or_default() {
            let Ok(installed) = self.base(&id) else { continue };
            if installed.file.source != super::adopt::SOURCE {
                add(Kind::ReleaseSource, installed.file.source, id.to_string());
            }
        }
        users
    }
}
