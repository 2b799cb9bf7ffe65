//! The three traits. A storage and an isolation answer with plans and never act; a release source acts, but
//! only inside the staging directory it is handed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use crate::{
    Base, Container, Derived, DiskCheck, Error, ErrorKind, Observe, OptionSpec, Options, Plan, Platform,
    Release, ReleaseId, ReleaseWish, Result, Service, Snapshot, Usage, Way, Work, check_options,
};

/// Which of the three a back end is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Where a release comes from.
    ReleaseSource,
    /// How a container's private tree and the shared base become one root.
    SharedStorage,
    /// What keeps a container's processes apart.
    Isolation,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ReleaseSource => "release source",
            Self::SharedStorage => "storage",
            Self::Isolation => "isolation",
        })
    }
}

/// What a back end can do beyond what every one of its kind must.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Capability {
    /// Storage: a container cannot write to the shared base, and its programs are the base's own.
    SharedReadOnly,
    /// Storage: a container may replace what it sees of the base, in a layer of its own.
    CopyOnWrite,
    /// Storage: the root exists already, whole, in the directory that the option `path` names. Such a container
    /// needs no release; of its [`Base`], `sharedfs` and `template` are both that directory.
    OwnRoot,
    /// Storage: a container cannot take more than it was given.
    Quota,
    /// Storage: a container's limit can be changed: [`SharedStorage::resize`].
    Resize,
    /// Storage: a container has a file system of its own that can be checked: [`SharedStorage::examine`].
    Check,
    /// Storage: snapshots, and going back to one.
    Snapshot,
    /// Storage: a container can be made as a copy of another: [`SharedStorage::clone_of`].
    Clone,
    /// Storage: all that a container has is in [`SharedStorage::private`], a tree or a disk, so that it can be carried
    /// away in one file and brought back.
    Export,
    /// Storage: what a container has can be seen only while it is attached; what is in `root` before is nothing.
    Closed,
    /// Isolation: a container's mounts are in a mount namespace of its own.
    OwnMounts,
    /// Isolation: it keeps a container to its [`crate::Limits`].
    Limits,
    /// Isolation: it mounts a `/dev` of its own, so that a storage may forbid device nodes.
    OwnDev,
    /// Isolation: processes inside see no others.
    OwnProcesses,
    /// Isolation: a network of its own.
    OwnNetwork,
    /// Source: the content is checked against published or recorded checksums.
    Verified,
}

/// What a back end says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Info {
    /// Its name. In-tree ones are bare words, third parties' carry a dot.
    pub name: String,
    /// Its kind.
    pub kind: Kind,
    /// One line.
    pub summary: String,
    /// Kernels it works on.
    pub platforms: Vec<Platform>,
    /// What it can do.
    pub capabilities: BTreeSet<Capability>,
    /// The options it takes.
    pub options: Vec<OptionSpec>,
    /// Programs of the host's that its plans may run, by name. Of a third party's plan, a step that runs another one
    /// is refused.
    #[serde(default)]
    pub programs: Vec<String>,
}

impl Info {
    /// A back end that works on every kernel, takes no options and can do only what every one of its kind must.
    #[must_use]
    pub fn new(kind: Kind, name: &str, summary: &str) -> Self {
        Self {
            name: name.into(),
            kind,
            summary: summary.into(),
            platforms: vec![Platform::Linux, Platform::Freebsd],
            capabilities: BTreeSet::new(),
            options: vec![],
            programs: vec![],
        }
    }
}

/// What all three kinds have in common.
pub trait Backend: Send + Sync {
    /// Who it is and what it can do. The answer never changes.
    fn info(&self) -> Info;

    /// Refuses options that are wrong: an unknown key, a value of another type or out of range.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Config`] with the fact `key`.
    fn check(&self, options: &Options) -> Result<()> {
        let info = self.info();
        check_options(&info.name, &info.options, options)
    }
}

/// Where a release comes from.
pub trait ReleaseSource: Backend {
    /// Pins what is wanted: the same release always gives the same digest, and the digest covers everything
    /// that decides the content. Reads only.
    ///
    /// # Errors
    /// Bad data when what is wanted is not pristine production material and `want.any` is not set.
    fn resolve(&self, want: &ReleaseWish, host: &dyn Observe) -> Result<Release>;

    /// Fills the staging directory with the whole userland of `release`, verified, and leaves nothing else.
    ///
    /// What the userland was made for is then told by its own files, and [`Release::brand`] is the answer only where
    /// they say nothing, or where the user gave the option `brand`, if the source has one.
    fn fill(&self, release: &Release, work: &mut dyn Work) -> Result<()>;
}

/// How a container's private tree and the shared base become one root.
///
/// What an author must know:
///
/// - Both plans are made from what [`Observe`] shows now, and carried out later, step by step. While a container is
///   attached the same plan must be found done in every step, and its inverses, last first, must leave the machine
///   as it was; [`crate::Step::inverse`] is all there is to undo it.
/// - What lies inside the root is named by [`crate::Place::within`], so that no link planted there is followed; the
///   container's own directories, out of reach from inside, by [`crate::Place::host`].
/// - A base is immutable and shared by containers that run at this moment: it is only ever mounted read-only, copied,
///   or put below a layer that takes the changes. [`Base::shared`] says which paths have their content in `sharedfs`
///   alone.
/// - After `attach` the isolation mounts over `dev` and `proc`, and over `sys` for some userlands. What is put there
///   before must bear that.
/// - [`Base::brand`] says what the userland was made for, by its own files; it may differ from the kernel.
/// - A storage with [`Capability::OwnRoot`] is given the tree that its option `path` names as its base, whether it is
///   there or not, and must refuse one that is not.
///
/// `qchroot_testkit::behavior::storage` examines all of this.
pub trait SharedStorage: Backend {
    /// Steps that build the container's private data in `container.dir`, an empty staging directory that is
    /// renamed when all is done; so nothing in it may name its own path. Mounts nothing. `dir/root` exists after.
    fn create(&self, base: &Base, container: &Container, host: &dyn Observe) -> Result<Plan>;

    /// Steps after which `container.root()` is the whole root.
    fn attach(&self, base: &Base, container: &Container, host: &dyn Observe) -> Result<Plan>;

    /// Directories that together hold the container's files while it is not attached, the uppermost first.
    /// Only for looking things up; links are resolved in each by itself.
    fn layers(&self, base: &Base, container: &Container) -> Result<Vec<Utf8PathBuf>>;

    /// The directory that holds only what the container itself wrote: what it takes of the host's space.
    fn private(&self, container: &Container) -> Result<Utf8PathBuf>;

    /// What the container has of `base` while it is not attached, so that it can be moved to another base. `None`
    /// where it cannot be moved.
    fn derived(&self, base: &Base, container: &Container) -> Result<Option<Derived>> {
        let _ = (base, container);
        Ok(None)
    }

    /// What the container takes and may take. `None` where the tree [`SharedStorage::private`] tells how much it is, and
    /// nothing limits it.
    fn usage(&self, container: &Container, host: &dyn Observe) -> Result<Option<Usage>> {
        let _ = (container, host);
        Ok(None)
    }

    /// Steps that give the container, attached or not, a limit of `to` bytes. The engine writes the option `size`
    /// into its file afterwards. With [`Capability::Resize`].
    ///
    /// # Errors
    /// Usage, with the figures, where `to` is too small for what is inside or more than there is.
    fn resize(&self, base: &Base, container: &Container, to: u64, host: &dyn Observe) -> Result<Plan> {
        let _ = (base, to, host);
        Err(cannot(&self.info(), container, "be given another size"))
    }

    /// Steps that look whether the container's own file system is in order. With [`Capability::Check`].
    fn examine(&self, container: &Container, how: DiskCheck, host: &dyn Observe) -> Result<Plan> {
        let _ = (how, host);
        Err(cannot(&self.info(), container, "be checked: it has no file system of its own"))
    }

    /// Steps that remove what a container has outside its directory. They are carried out last in a `delete`, and go on
    /// after an interruption: what is gone is fine.
    fn delete(&self, container: &Container, host: &dyn Observe) -> Result<Plan> {
        let _ = (container, host);
        Ok(vec![])
    }

    /// Steps that remove what the storage made for bases that are not among `installed` and that no container needs any
    /// more. It is asked whenever bases are removed; a host without such a storage has nothing to remove.
    fn prune(&self, installed: &[ReleaseId], host: &dyn Observe) -> Result<Plan> {
        let _ = (installed, host);
        Ok(vec![])
    }

    /// Steps that give what a container has outside its directory the name `to`; each has an inverse.
    fn rename(&self, container: &Container, to: &Container, host: &dyn Observe) -> Result<Plan> {
        let _ = (container, to, host);
        Ok(vec![])
    }

    /// As [`SharedStorage::create`], with everything that the container `from`, which is not attached, has. With
    /// [`Capability::Clone`].
    fn clone_of(&self, base: &Base, from: &Container, to: &Container, host: &dyn Observe) -> Result<Plan> {
        let _ = (base, to, host);
        Err(cannot(&self.info(), from, "be cloned"))
    }

    /// Steps that make ready for the data of an export, in place of [`SharedStorage::create`]. Where it is a tree,
    /// [`SharedStorage::private`] is an empty directory afterwards, and the tree goes there. Where it is a disk, it
    /// lies at `disk` when these steps are carried out, and afterwards what is `private` is its copy. With
    /// [`Capability::Export`].
    fn receive(
        &self,
        base: &Base,
        container: &Container,
        disk: Option<&Utf8Path>,
        host: &dyn Observe,
    ) -> Result<Plan> {
        let _ = (base, disk, host);
        Err(cannot(&self.info(), container, "be imported"))
    }

    /// Steps that keep what the container, which is not attached, has now under `name`. With
    /// [`Capability::Snapshot`]. A storage that copies does it by [`crate::snapshot_steps`].
    fn snapshot(&self, container: &Container, name: &str, host: &dyn Observe) -> Result<Plan> {
        let _ = (name, host);
        Err(cannot(&self.info(), container, "have snapshots"))
    }

    /// Steps that bring back what was kept under `name`, while the container is not attached; the
    /// snapshot stays, and so do all others. With [`Capability::Snapshot`].
    ///
    /// # Errors
    /// Busy, naming them, where later snapshots would be lost by it.
    fn restore(&self, container: &Container, name: &str, host: &dyn Observe) -> Result<Plan> {
        let _ = (name, host);
        Err(cannot(&self.info(), container, "have snapshots"))
    }

    /// Steps that remove the snapshot `name`. With [`Capability::Snapshot`].
    fn forget(&self, container: &Container, name: &str, host: &dyn Observe) -> Result<Plan> {
        let _ = (name, host);
        Err(cannot(&self.info(), container, "have snapshots"))
    }

    /// The snapshots of a container, the oldest first.
    fn snapshots(&self, container: &Container, host: &dyn Observe) -> Result<Vec<Snapshot>> {
        let _ = (container, host);
        Ok(vec![])
    }
}

fn cannot(info: &Info, container: &Container, what: &str) -> Error {
    let message = format!("{} cannot {what}", container.name);
    Error::new(ErrorKind::Unavailable, message)
        .cause(format!("its storage is {}", info.name))
        .with("container", &container.name)
        .hint("`qchroot plugin list` shows what each storage can do")
}

/// What keeps a container's processes apart.
///
/// `up` chooses its mounts by [`Base::brand`] and the kernel; the engine has asked before that the kernel runs such a
/// userland at all ([`crate::Query::Runs`]).
pub trait Isolation: Backend {
    /// Steps that come before the storage is attached: a control group, a network, a sandbox whose own mounts the
    /// storage's become.
    fn enclose(&self, container: &Container, host: &dyn Observe) -> Result<Plan> {
        let _ = (container, host);
        Ok(vec![])
    }

    /// Steps after storage is attached that make the root ready for processes: devices, proc, an init, a jail.
    fn up(&self, base: &Base, container: &Container, host: &dyn Observe) -> Result<Plan>;

    /// Services that the container has by its isolation; they start before those that it is configured with.
    fn services(&self, container: &Container) -> Result<Vec<Service>> {
        let _ = container;
        Ok(vec![])
    }

    /// What there is to tell of a container that is up, by name, such as the number of its jail.
    fn facts(&self, container: &Container, host: &dyn Observe) -> Result<BTreeMap<String, String>> {
        let _ = (container, host);
        Ok(BTreeMap::new())
    }

    /// How a program gets inside once `up` is done.
    fn way(&self, container: &Container, host: &dyn Observe) -> Result<Way>;
}
