//! Names of data sets: where containers and bases lie below the one that the host gave. It asks the mount table only.

use qchroot_api::{Container, Error, ErrorKind, Observe, Options, ReleaseId, Result};

/// The snapshot of a base that containers are cloned from.
const TEMPLATE: &str = "template";

/// How names of what is not a container begin, which no container's can.
const BASE: &str = "base:";
const FRESH: &str = "new:";
const FOR_CLONE: &str = "clone:";

/// The data set below which those of a container and its base lie.
pub(crate) struct Parent(pub(crate) String);

impl Parent {
    /// The one that the option `dataset` names; without it, the one that containers' directories lie on.
    ///
    /// # Errors
    /// Configuration, where there is neither.
    pub(crate) fn of(container: &Container, host: &dyn Observe) -> Result<Self> {
        if let Some(name) = option(&container.storage)? {
            return Ok(Self(name.to_owned()));
        }
        let lib = host.real_path(container.dir.parent().unwrap_or(&container.dir))?;
        let mounts = host.mounts()?;
        let below = mounts.iter().filter(|mount| lib.starts_with(&mount.at));
        // Of two at one place the later one is seen.
        match below.max_by_key(|mount| mount.at.as_str().len()) {
            Some(mount) if mount.fs == "zfs" => Ok(Self(mount.source.clone())),
            _ => {
                Err(Error::new(ErrorKind::Config, "storage zfs needs the data set that containers lie below")
                    .cause(format!("{lib} does not lie on one itself"))
                    .with("key", "dataset")
                    .hint("`-o storage.dataset=tank/qchroot`, made by `zfs create -p tank/qchroot`"))
            }
        }
    }

    /// A container's.
    pub(crate) fn container(&self, container: &Container) -> String {
        format!("{}/{}", self.0, container.name)
    }

    /// A base's, which its containers are clones of.
    pub(crate) fn base(&self, id: &ReleaseId) -> String {
        format!("{}/{BASE}{}", self.0, spelled(id))
    }

    /// Where a base's is made for a container, until it gets its name.
    pub(crate) fn fresh(&self, container: &Container) -> String {
        format!("{}/{FRESH}{}", self.0, container.name)
    }
}

/// A release's name in a data set's, where `+` is no letter; no release has a colon.
fn spelled(id: &ReleaseId) -> String {
    id.as_str().replace('+', ":")
}

/// Whether a data set is the template of one of these releases.
pub(crate) fn is_base_of(dataset: &str, installed: &[ReleaseId]) -> bool {
    let last = dataset.rsplit('/').next().and_then(|last| last.strip_prefix(BASE));
    last.is_some_and(|last| installed.iter().any(|id| spelled(id) == last))
}

/// Whether a data set is the template of a release, and not one that is yet to be.
pub(crate) fn is_base(dataset: &str) -> bool {
    dataset.rsplit('/').next().is_some_and(|last| last.starts_with(BASE))
}

/// The snapshot that containers are cloned from.
pub(crate) fn template(base: &str) -> String {
    format!("{base}@{TEMPLATE}")
}

/// A snapshot for a clone: `number` tells several for one name apart.
pub(crate) fn for_clone(of: &str, name: &str, number: usize) -> String {
    match number {
        0 => format!("{of}@{FOR_CLONE}{name}"),
        n => format!("{of}@{FOR_CLONE}{name}.{n}"),
    }
}

/// Whether a snapshot, by its short name, is one that only clones need.
pub(crate) fn is_for_clone(snapshot: &str) -> bool {
    snapshot.starts_with(FOR_CLONE)
}

/// A snapshot of a container's data set.
///
/// # Errors
/// Usage, for a name that no snapshot can have; zfsconcepts(7).
pub(crate) fn snapshot(dataset: &str, name: &str) -> Result<String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if !name.is_empty() && !name.starts_with('-') && name.len() <= 64 && name.chars().all(allowed) {
        return Ok(format!("{dataset}@{name}"));
    }
    Err(Error::new(ErrorKind::Usage, format!("bad snapshot name {name:?}"))
        .hint("use letters, digits, dash, dot and underscore"))
}

/// The option `dataset`.
///
/// # Errors
/// Configuration, where no data set can have that name; zfsconcepts(7).
pub(crate) fn option(options: &Options) -> Result<Option<&str>> {
    let Some(name) = options.get("dataset").and_then(|value| value.as_str()) else { return Ok(None) };
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    let is_part = |part: &str| !matches!(part, "" | "." | "..") && part.chars().all(allowed);
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic());
    if starts_well && name.len() <= 128 && name.split('/').all(is_part) {
        return Ok(Some(name));
    }
    Err(Error::new(ErrorKind::Config, format!("dataset {name:?} is no name of a data set"))
        .with("key", "dataset")
        .hint("a name such as tank/qchroot, without a slash in front"))
}
