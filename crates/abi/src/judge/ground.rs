//! Where a plan may act: what is the container's, what belongs to its base, and what the user named. It compares text;
//! that a place is opened without following what is planted there is the host layer's work.

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use qchroot_api::{Base, Capability, Container, Info, Options, Place};

use super::{Verdict, require};
use crate::Call;

/// Directories of the host's that many userlands want to see, and that may be shown inside, read-only.
const SHOWN: [&str; 8] = [
    "/etc/hosts",
    "/etc/localtime",
    "/etc/resolv.conf",
    "/proc",
    "/sys",
    "/usr/ports",
    "/usr/share/zoneinfo",
    "/usr/src",
];

/// The ground of one plan.
#[derive(Default)]
pub(super) struct Ground {
    /// The container's name, for messages.
    pub(super) name: String,
    /// The directory whose inside is to be changed.
    own: Option<Utf8PathBuf>,
    /// The container that is only looked at.
    other: Option<Utf8PathBuf>,
    /// Directories for logs.
    logs: Vec<Utf8PathBuf>,
    /// The parts of the base, and what the host has of it.
    base: Vec<Utf8PathBuf>,
    /// What the plug-in keeps beside the base for all containers of it, where it may change that.
    beside: Option<Utf8PathBuf>,
    /// What the options name.
    named: Vec<Utf8PathBuf>,
    /// What the options name is the user's own tree, and changed by nobody.
    is_tree: bool,
    /// The snapshot that the plan is about.
    snapshot: Option<String>,
}

impl Ground {
    pub(super) fn of(info: &Info, call: &Call) -> Self {
        match call {
            Call::Create { base, container }
            | Call::Attach { base, container }
            | Call::Resize { base, container, .. }
            | Call::Receive { base, container, .. } => Self::with_base(info, base, container),
            Call::CloneOf { base, from, to } => Self {
                other: Some(from.dir.clone()),
                logs: vec![from.log.clone(), to.log.clone()],
                ..Self::with_base(info, base, to)
            },
            Call::Snapshot { container, name } | Call::Forget { container, name } => {
                Self { snapshot: Some(name.clone()), ..Self::alone(info, container) }
            }
            Call::Examine { container, .. }
            | Call::Delete { container }
            | Call::Restore { container, .. }
            | Call::Rename { container, .. } => Self::alone(info, container),
            Call::Up { base, container } => {
                Self { base: of_base(base), ..Self::container(info, container, &container.isolation) }
            }
            Call::Enclose { container } | Call::Way { container } => {
                Self::container(info, container, &container.isolation)
            }
            _ => Self { name: "anybody".into(), ..Self::default() },
        }
    }

    /// Of what a storage has, without its base.
    pub(super) fn alone(info: &Info, container: &Container) -> Self {
        Self::container(info, container, &container.storage)
    }

    fn container(info: &Info, container: &Container, options: &Options) -> Self {
        Self {
            name: container.name.to_string(),
            own: Some(container.dir.clone()),
            logs: vec![container.log.clone()],
            named: named_by(options),
            is_tree: info.capabilities.contains(&Capability::OwnRoot),
            ..Self::default()
        }
    }

    /// With what the container has of a base, beside which a plug-in may keep something of its own.
    pub(super) fn with_base(info: &Info, base: &Base, container: &Container) -> Self {
        let ground = Self::alone(info, container);
        let beside = base.template.parent().filter(|_| !ground.is_tree).map(|dir| dir.join(&info.name));
        Self { base: of_base(base), beside, ..ground }
    }

    /// The container's root.
    pub(super) fn root(&self) -> Option<Utf8PathBuf> {
        self.own.as_ref().map(|dir| dir.join("root"))
    }

    /// Refuses what is no path as it stands, and one that leads through a directory in which programs of the container
    /// may have put links.
    fn as_it_stands(&self, path: &Utf8Path) -> Verdict {
        require(is_plain(path), || "which is no absolute path without `.` and `..`".to_owned())?;
        let is_deep = |dir: &Utf8PathBuf| path.strip_prefix(dir).is_ok_and(is_deep);
        require(!self.own.iter().chain(&self.other).any(is_deep), || {
            "where a link inside may lead elsewhere: say it as a place within, DIRECTORY/./PATH".to_owned()
        })
    }

    /// Refuses a path that the plan may not change: not in the container's directory, and nothing that the options name.
    pub(super) fn change(&self, path: &Utf8Path) -> Verdict {
        self.as_it_stands(path)?;
        self.keep_snapshots(path)?;
        let named = !self.is_tree && self.is_named(path);
        require(self.is_own(path) || self.is_beside(path) || named, || self.not_ours(path))
    }

    /// The same for a place, which cannot lead out of its root.
    pub(super) fn change_at(&self, at: &Place) -> Verdict {
        if !at.is_within() {
            return self.change(&at.lexical());
        }
        if self.root().as_deref() != Some(at.root()) {
            self.change(at.root())?;
        }
        self.keep_snapshots(&at.lexical())
    }

    /// The same for what is to be gone afterwards: what the options name is the user's, but not what lies in it.
    pub(super) fn remove(&self, path: &Utf8Path) -> Verdict {
        self.change(path)?;
        let snapshots = self.own.as_ref().map(|dir| dir.join("snapshots"));
        let is_whole = self.named.iter().chain(&self.beside).chain(&snapshots).any(|whole| whole == path);
        require(!is_whole, || "which is not the plug-in's to remove as a whole".to_owned())
    }

    /// The same for a place.
    pub(super) fn remove_at(&self, at: &Place) -> Verdict {
        if at.is_within() { self.change_at(at) } else { self.remove(&at.lexical()) }
    }

    /// Refuses a path that the plan has no reason to read.
    pub(super) fn read(&self, path: &Utf8Path) -> Verdict {
        self.as_it_stands(path)?;
        require(self.is_readable(path), || self.not_ours(path))
    }

    fn is_readable(&self, path: &Utf8Path) -> bool {
        let other = self.other.iter().any(|dir| is_below(path, dir));
        self.is_own(path) || other || self.is_base(path) || self.is_beside(path) || self.is_named(path)
    }

    /// Whether a path is one that a program of the host's may be told.
    pub(super) fn is_known(&self, path: &Utf8Path) -> bool {
        let is_whole = self.own.iter().chain(&self.other).any(|dir| dir == path);
        let is_log = self.logs.iter().any(|dir| path.starts_with(dir));
        is_plain(path) && (is_whole || is_log || self.is_readable(path))
    }

    /// Refuses a log that is not the container's.
    pub(super) fn log(&self, path: &Utf8Path) -> Verdict {
        let is_log = is_plain(path) && self.logs.iter().any(|dir| is_below(path, dir));
        require(is_log, || format!("whose log {path} is not in {}'s directory for logs", self.name))
    }

    /// Whether a path is one of the disk's that are looked at: of the container, or of the one to be cloned.
    pub(super) fn examine(&self, path: &Utf8Path) -> Verdict {
        match self.other.iter().any(|dir| is_plain(path) && is_below(path, dir)) {
            true => Ok(()),
            false => self.change(path),
        }
    }

    /// Whether a path belongs to the base, whose parts nobody changes.
    pub(super) fn is_base(&self, path: &Utf8Path) -> bool {
        self.base.iter().any(|part| path.starts_with(part))
    }

    /// Whether a path of the host's may be shown inside, read-only.
    pub(super) fn is_shown(&self, path: &Utf8Path) -> bool {
        is_plain(path) && SHOWN.iter().any(|dir| path.starts_with(dir))
    }

    /// Whether a path is in the container's directory.
    pub(super) fn is_own(&self, path: &Utf8Path) -> bool {
        self.own.iter().any(|dir| is_below(path, dir))
    }

    /// Whether a path is named by an option, and neither another container's nor the base's.
    fn is_named(&self, path: &Utf8Path) -> bool {
        let is_state = self.state().is_some_and(|dir| path.starts_with(dir));
        let held = |named: &Utf8PathBuf| path.starts_with(named);
        !is_state && (self.is_tree || !self.is_base(path)) && self.named.iter().any(held)
    }

    /// Whether a path is in the tree that the user brought, for a storage whose containers have such a root.
    pub(super) fn is_users_tree(&self, path: &Utf8Path) -> bool {
        self.is_tree && self.is_named(path)
    }

    fn is_beside(&self, path: &Utf8Path) -> bool {
        self.beside.as_ref().is_some_and(|dir| path.starts_with(dir))
    }

    /// Where containers, bases and what the program keeps lie.
    pub(super) fn state(&self) -> Option<&Utf8Path> {
        self.own.as_deref().and_then(Utf8Path::parent)
    }

    /// Snapshots are changed by nobody but who takes or removes one.
    fn keep_snapshots(&self, path: &Utf8Path) -> Verdict {
        let Some(all) = self.own.as_ref().map(|dir| dir.join("snapshots")) else { return Ok(()) };
        let ours = self.snapshot.as_ref().is_some_and(|name| path.starts_with(all.join(name)));
        require(ours || path == all || !path.starts_with(&all), || {
            "which are snapshots that stay as they are".to_owned()
        })
    }

    fn not_ours(&self, path: &Utf8Path) -> String {
        match self.own.as_deref() {
            Some(own) if path == own => format!("which is all that {} has", self.name),
            Some(_) if self.is_base(path) => "which belongs to all containers of its base".to_owned(),
            Some(_) => format!("which is not {}'s", self.name),
            None => "which is no container's".to_owned(),
        }
    }
}

/// Absolute, and as it stands: no `..`, which leads elsewhere than it seems to, and not all there is.
pub(super) fn is_plain(path: &Utf8Path) -> bool {
    let parts = path.as_str().strip_prefix('/').map(|rest| rest.split('/'));
    parts.is_some_and(|mut parts| parts.all(|part| !matches!(part, "" | "." | "..")))
}

/// Whether a path leads down from the root that it is for, and to something.
pub(super) fn is_plain_inside(path: &Utf8Path) -> bool {
    let normal = |part: Utf8Component<'_>| matches!(part, Utf8Component::Normal(_));
    !path.as_str().is_empty() && path.components().all(normal)
}

/// Whether a path from the container's directory on leads through what may be written from inside: all but the names in
/// that directory itself, and what is kept as snapshots.
fn is_deep(path: &Utf8Path) -> bool {
    let is_snapshot = path.starts_with("snapshots");
    path.components().count() > if is_snapshot { 3 } else { 1 }
}

/// Whether a path is in a directory, and not the directory.
fn is_below(path: &Utf8Path, dir: &Utf8Path) -> bool {
    path != dir && path.starts_with(dir)
}

fn of_base(base: &Base) -> Vec<Utf8PathBuf> {
    let host = base.host_dirs.iter().map(|dir| Place::host(dir).lexical());
    [base.sharedfs.clone(), base.template.clone()].into_iter().chain(host).collect()
}

/// The absolute paths among options, in lists too; the host as a whole is none.
fn named_by(options: &Options) -> Vec<Utf8PathBuf> {
    let lists = options.values().filter_map(|value| value.as_array()).flatten();
    let texts = options.values().chain(lists).filter_map(|value| value.as_str());
    let paths =
        texts.filter(|text| text.starts_with('/')).map(|text| Utf8PathBuf::from(text.trim_end_matches('/')));
    paths.filter(|path| is_plain(path)).collect()
}
