//! Steps, their inverses and plans: what is to be done to the machine, as data.
//!
//! Nothing here acts. A step says enough to be done, probed, undone and read by a person in one line.

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use crate::{
    Brand, Check, DiskStep, FileKind, GroupStep, Mount, Name, Place, QuotaStep, Release, SandboxStep,
    SealStep, Service, Way,
};

/// One change to the machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Step {
    /// Make one directory; its parent exists.
    MakeDir {
        /// Where.
        at: Place,
        /// Permission bits.
        mode: u32,
    },
    /// Remove a directory that is empty; one that is not, or is gone, is left as it is.
    RemoveDir {
        /// Where.
        at: Place,
    },
    /// Make an empty directory for a piece of work, mode 0700; what an earlier run left there goes first.
    Stage {
        /// Where.
        at: Utf8PathBuf,
    },
    /// Copy a tree, or a single file, with owners, modes, times, links and extended attributes; the target does not
    /// exist.
    CopyTree {
        /// What to copy.
        from: Utf8PathBuf,
        /// Its copy.
        to: Utf8PathBuf,
    },
    /// Copy what a directory holds into one that is empty, which gets its owner, mode and attributes, too. It is not
    /// taken back by itself: what is mounted there goes as a whole.
    CopyInto {
        /// What to copy.
        from: Utf8PathBuf,
        /// The empty directory.
        into: Utf8PathBuf,
    },
    /// Remove a tree, or a regular file: never across a mount, never through a link, file flags cleared first.
    RemoveTree {
        /// Where.
        at: Utf8PathBuf,
    },
    /// Write a file at once: it has its old content or the new one, never a part.
    WriteFile {
        /// Where.
        at: Place,
        /// The content.
        text: String,
        /// Permission bits.
        mode: u32,
        /// The content before, if there was a file.
        was: Option<String>,
    },
    /// Remove a file.
    RemoveFile {
        /// Where.
        at: Place,
        /// Its permission bits.
        mode: u32,
        /// Its content.
        was: String,
    },
    /// Make a symbolic link, or turn an existing one to a new target at once.
    Link {
        /// Where.
        at: Place,
        /// Its target, stored as it is.
        to: Utf8PathBuf,
        /// The target before, if there was a link.
        was: Option<Utf8PathBuf>,
    },
    /// Remove a symbolic link.
    Unlink {
        /// Where.
        at: Place,
        /// Its target.
        was: Utf8PathBuf,
    },
    /// Rename a directory or file; the target does not exist.
    Rename {
        /// The old name.
        from: Utf8PathBuf,
        /// The new name.
        to: Utf8PathBuf,
    },
    /// Give a tree up: move it into the trash, where it is removed sooner or later by whoever empties that. Once this was
    /// begun there is no way back, and a tree that is gone from both places was removed already.
    Discard {
        /// What is given up.
        from: Utf8PathBuf,
        /// Its name in the trash, which nothing has; its directory exists, on the same file system.
        to: Utf8PathBuf,
    },
    /// Move a file or tree between places on one file system; the target does not exist.
    Move {
        /// The old place.
        from: Place,
        /// The new place.
        to: Place,
    },
    /// Give a directory another owner and mode.
    SetAccess {
        /// Where.
        at: Place,
        /// Its owner and mode from now on.
        to: Access,
        /// Its owner and mode before.
        was: Access,
    },
    /// Make a character device from the short list of safe ones; an empty file in its place is replaced.
    Device {
        /// Where.
        at: Place,
        /// Major number.
        major: u32,
        /// Minor number.
        minor: u32,
    },
    /// Give a file or directory its owner and mode; what is missing is made when `make` says what.
    Own {
        /// Where; the last component is no link.
        at: Place,
        /// What to make where nothing is: a file or a directory.
        make: Option<FileKind>,
        /// Owner.
        uid: u32,
        /// Group.
        gid: u32,
        /// Permission bits with set-id and sticky.
        mode: u32,
    },
    /// Remove a device node.
    RemoveDevice {
        /// Where.
        at: Place,
        /// Major number.
        major: u32,
        /// Minor number.
        minor: u32,
    },
    /// Mount a file system.
    Mount(Mount),
    /// Unmount a file system.
    Unmount(Mount),
    /// Change a disk: a file system that lives in a file.
    Disk(DiskStep),
    /// Change a limit that the host's file system keeps for some of its directories.
    Quota(QuotaStep),
    /// Let a release source fill a staging directory.
    Fill {
        /// The source's name.
        source: String,
        /// What it is to deliver.
        release: Box<Release>,
        /// An empty directory.
        into: Utf8PathBuf,
    },
    /// Split a userland in two by renaming: what is shared, and what a container gets a copy of.
    Split {
        /// The whole userland; empty afterwards, and removed.
        tree: Utf8PathBuf,
        /// The directory for the shared part.
        sharedfs: Utf8PathBuf,
        /// The directory for the rest.
        template: Utf8PathBuf,
        /// The file that describes the base.
        describe: Utf8PathBuf,
        /// What the userland was made for, where the user said so; otherwise its own files tell.
        #[serde(default)]
        brand: Option<Brand>,
    },
    /// Unpack the data of an export into an empty directory: a tree at its top, a disk as `disk.img`.
    Unpack {
        /// The export.
        file: Utf8PathBuf,
        /// SHA-256, hex, that its seal says.
        sha256: String,
        /// The directory.
        into: Utf8PathBuf,
    },
    /// Record every file of a base, with its digest, in `manifest.mtree`, and that file's own digest in
    /// `release.toml`.
    Record {
        /// The base's directory.
        base: Utf8PathBuf,
    },
    /// Start the init that a container's processes live under (Linux): a process namespace of its own.
    StartInit {
        /// The container.
        container: Name,
        /// The container's root.
        root: Utf8PathBuf,
        /// Where a procfs of that process namespace is mounted.
        proc: Option<Place>,
    },
    /// Stop every process of a container: TERM, then KILL at the deadline; then unmount its procfs.
    StopInit {
        /// The container.
        container: Name,
        /// The container's root.
        root: Utf8PathBuf,
        /// Where its procfs is mounted.
        proc: Option<Place>,
    },
    /// Start a sandbox (Linux): an init in namespaces of its own, which waits to be sealed.
    StartSandbox(SandboxStep),
    /// End a sandbox, and with it every process and mount in it.
    StopSandbox(SandboxStep),
    /// Finish a sandbox whose mounts are made: programs can run in it from now on.
    Seal(SealStep),
    /// End every process of a container but its init: TERM, then KILL at the deadline.
    StopProcesses {
        /// The container.
        container: Name,
        /// The container's root.
        root: Utf8PathBuf,
    },
    /// Remove stale run files from a container that has no process. Directories, links and mounts stay, and so does what is
    /// reached through a link.
    Purge {
        /// The container.
        container: Name,
        /// The container's root.
        root: Utf8PathBuf,
        /// Directories inside.
        dirs: Vec<Utf8PathBuf>,
        /// Whether the host has booted since the container ran: then [`crate::is_stale_after_boot`] tells, otherwise
        /// [`crate::is_stale_without_processes`].
        booted: bool,
    },
    /// Change the control groups of the host.
    Group(GroupStep),
    /// Send a signal to processes that are the container's at that moment.
    Signal {
        /// The container.
        container: Name,
        /// The container's root.
        root: Utf8PathBuf,
        /// Which of its processes, by their numbers on the host; none means all but its init.
        pids: Vec<i32>,
        /// The signal's name without `SIG`, such as `HUP`.
        signal: String,
    },
    /// Start a service.
    StartService(ServiceStep),
    /// Stop a service: its script, then TERM, then KILL at the deadline.
    StopService(ServiceStep),
    /// Run a program of the host's.
    Run {
        /// Program and arguments.
        argv: Vec<String>,
        /// Tells whether this is done already, so that a broken run can be taken up.
        check: Option<Check>,
        /// Undoes it; must accept that it was never done.
        undo: Option<Vec<String>>,
    },
}

/// Owner and permission bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Access {
    /// Permission bits with set-id and sticky.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

/// What starting and stopping a service needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ServiceStep {
    /// The container.
    pub container: Name,
    /// The container's root.
    pub root: Utf8PathBuf,
    /// How a program gets inside.
    pub way: Way,
    /// The service.
    pub service: Service,
    /// Locked by the service's supervisor for as long as it lives.
    pub lock: Utf8PathBuf,
    /// What the service prints goes here; the host layer rotates it.
    pub log: Utf8PathBuf,
    /// Where its supervisor keeps a [`crate::ServiceStatus`] up to date; it stays when the service has ended.
    pub status: Utf8PathBuf,
}

impl Step {
    /// The step that takes this one back; `None` where nothing can or needs to.
    #[must_use]
    pub fn inverse(&self) -> Option<Self> {
        Some(match self.clone() {
            Self::MakeDir { at, .. } => Self::RemoveDir { at },
            Self::Stage { at } | Self::CopyTree { to: at, .. } => Self::RemoveTree { at },
            Self::WriteFile { at, text, mode, was: Some(was) } => {
                Self::WriteFile { at, text: was, mode, was: Some(text) }
            }
            Self::WriteFile { at, text, mode, was: None } => Self::RemoveFile { at, mode, was: text },
            Self::RemoveFile { at, mode, was } => Self::WriteFile { at, text: was, mode, was: None },
            Self::Link { at, to, was: Some(was) } => Self::Link { at, to: was, was: Some(to) },
            Self::Link { at, to, was: None } => Self::Unlink { at, was: to },
            Self::Unlink { at, was } => Self::Link { at, to: was, was: None },
            Self::Rename { from, to } => Self::Rename { from: to, to: from },
            Self::Move { from, to } => Self::Move { from: to, to: from },
            Self::SetAccess { at, to, was } => Self::SetAccess { at, to: was, was: to },
            Self::Device { at, major, minor } => Self::RemoveDevice { at, major, minor },
            Self::RemoveDevice { at, major, minor } => Self::Device { at, major, minor },
            Self::Mount(mount) => Self::Unmount(mount),
            Self::Unmount(mount) => Self::Mount(mount),
            Self::Disk(step) => return step.inverse().map(Self::Disk),
            Self::Quota(step) => return step.inverse().map(Self::Quota),
            Self::StartInit { container, root, proc } => Self::StopInit { container, root, proc },
            Self::StartSandbox(sandbox) => Self::StopSandbox(sandbox),
            Self::Seal(seal) => Self::StopProcesses { container: seal.container, root: seal.root },
            Self::Group(step) => return step.inverse().map(Self::Group),
            Self::StartService(service) => Self::StopService(service),
            // What it adds to the description goes with that.
            Self::Record { base } => Self::RemoveTree { at: base.join("manifest.mtree") },
            Self::Run { argv, undo: Some(undo), .. } => {
                Self::Run { argv: undo, check: None, undo: Some(argv) }
            }
            Self::RemoveDir { .. }
            | Self::CopyInto { .. }
            | Self::RemoveTree { .. }
            | Self::Discard { .. }
            | Self::Own { .. }
            | Self::Fill { .. }
            | Self::Split { .. }
            | Self::Unpack { .. }
            | Self::StopInit { .. }
            | Self::StopSandbox(_)
            | Self::StopProcesses { .. }
            | Self::Purge { .. }
            | Self::Signal { .. }
            | Self::StopService(_)
            | Self::Run { undo: None, .. } => return None,
        })
    }
}

/// Steps in their order.
pub type Plan = Vec<Step>;
