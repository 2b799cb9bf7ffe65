//! The read-only view of the host that back ends decide by. It changes nothing and holds nothing.

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use crate::{
    Brand, DiskInfo, GroupUsage, Limits, Listener, Mounted, Place, Platform, Quota, Reply, Result, Space,
    Unenforced,
};

/// One question to the host. One method carries them all, so that the same view crosses a plug-in border.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Query {
    /// Which kernel: [`Answer::Platform`].
    Platform,
    /// The release of the host's userland and kernel, such as `14.3-RELEASE-p2` or `debian-12`: [`Answer::Text`].
    HostRelease,
    /// What is at a place; the last component is not followed: [`Answer::Stat`].
    Stat {
        /// Where.
        at: Place,
    },
    /// A text file, at most 16 MiB: [`Answer::Text`], or not found.
    Read {
        /// Where; links are followed beneath the place's root.
        at: Place,
    },
    /// A part of a file: [`Answer::Bytes`], fewer than asked for at its end, or not found.
    Bytes {
        /// Where; links are followed beneath the place's root.
        at: Place,
        /// Bytes to skip.
        offset: u64,
        /// Bytes to read, at most 16 MiB.
        length: u64,
    },
    /// The target of a symbolic link, as it is stored: [`Answer::Path`]; none when there is no link.
    Link {
        /// Where; the last component is not followed.
        at: Place,
    },
    /// Names in a directory, sorted, those that are not UTF-8 left out: [`Answer::Names`], or not found.
    List {
        /// Where.
        at: Place,
    },
    /// The mount table in the order of mounting: [`Answer::Mounts`].
    Mounts,
    /// Processes whose root is a directory or lies below it: [`Answer::Processes`].
    Processes {
        /// The directory, as the kernel spells it; `/` means all processes.
        below: Utf8PathBuf,
    },
    /// Whether the kernel offers a file system type by this name: [`Answer::Flag`].
    HasFs {
        /// `overlay`, `nullfs` …
        name: String,
    },
    /// Whether the kernel runs the programs of a userland: [`Answer::Flag`].
    Runs {
        /// What the userland was made for.
        brand: Brand,
    },
    /// Where a program of the host's is, looked for in the system's own directories only: [`Answer::Path`].
    Program {
        /// Its name without a directory.
        name: String,
    },
    /// The supervisor that holds the lock file `at`: [`Answer::Pid`].
    Holder {
        /// The lock file.
        at: Utf8PathBuf,
    },
    /// What the disk in a file looks like: [`Answer::Disk`]; none when there is no file.
    Disk {
        /// The file; no link on the way is followed.
        at: Utf8PathBuf,
    },
    /// The limit that the file system of a directory keeps for it: [`Answer::Quota`]; none where it keeps none for
    /// directories at all.
    Quota {
        /// The directory.
        at: Utf8PathBuf,
    },
    /// Space of the file system that holds a directory or file: [`Answer::Space`].
    Space {
        /// Where.
        at: Place,
    },
    /// Which of these limits the machine cannot keep for a container: [`Answer::Unenforced`].
    Unenforced {
        /// The limits.
        limits: Limits,
        /// The container's directory.
        directory: Utf8PathBuf,
    },
    /// What the processes of a control group use: [`Answer::GroupUsage`]; none where there is no such group.
    GroupUsage {
        /// Its name.
        group: String,
    },
    /// The sockets that wait for others in the host's network, those of containers that share it among them:
    /// [`Answer::Listeners`].
    Listeners,
    /// What is at an address: [`Answer::Reply`]. What HTTP says other than yes is an answer, too; a server that cannot be
    /// reached is an error.
    Get {
        /// An `http:`, `https:`, `ftp:` or `file:` address.
        address: String,
        /// Header fields for HTTP beside those of the program's own; see [`crate::Download::headers`].
        #[serde(default)]
        headers: Vec<(String, String)>,
        /// Length in bytes that the content may have, at most 16 MiB.
        limit: u64,
    },
    /// What a program of the host's prints that only looks and changes nothing, such as `zfs list -Hp`:
    /// [`Answer::Output`]. It is looked for in the system's own directories only.
    Ask {
        /// Program and arguments.
        argv: Vec<String>,
    },
}

/// What the host says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", content = "value", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Answer {
    /// The kernel.
    Platform(Platform),
    /// What is there; `None` when nothing is.
    Stat(Option<Stat>),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Names.
    Names(Vec<String>),
    /// The mount table.
    Mounts(Vec<Mounted>),
    /// Processes.
    Processes(Vec<Process>),
    /// Yes or no.
    Flag(bool),
    /// A path, if there is one.
    Path(Option<Utf8PathBuf>),
    /// A process, if there is one.
    Pid(Option<i32>),
    /// A disk, if there is one.
    Disk(Option<DiskInfo>),
    /// A limit, where there can be one.
    Quota(Option<Quota>),
    /// Space.
    Space(Space),
    /// Limits that cannot be kept.
    Unenforced(Vec<Unenforced>),
    /// What a group uses, if there is one.
    GroupUsage(Option<GroupUsage>),
    /// Listening sockets.
    Listeners(Vec<Listener>),
    /// What a program said.
    Output(ProgramOutput),
    /// What a server said.
    Reply(Reply),
}

/// What a program that was asked something said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramOutput {
    /// Exit status, or 128+N for a signal.
    pub status: i32,
    /// Standard output, at most 4 MiB.
    pub stdout: String,
    /// Standard error, at most 64 KiB.
    pub stderr: String,
}

/// What kind of file something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileKind {
    /// Regular file.
    File,
    /// Directory.
    Directory,
    /// Symbolic link.
    Link,
    /// Character device.
    CharDevice,
    /// Anything else: block device, FIFO, socket.
    #[serde(other)]
    Other,
}

/// A file's attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stat {
    /// Its kind.
    pub kind: FileKind,
    /// Permission bits with set-id and sticky.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Length in bytes.
    pub size: u64,
    /// Modification time: seconds since the epoch, nanoseconds.
    pub mtime: (i64, u32),
    /// How many names it has.
    pub links: u64,
    /// Its file system and its number there: the same for all names of one file.
    pub id: (u64, u64),
    /// Device number of a device node: major, minor.
    pub device: Option<(u32, u32)>,
}

/// A process as the kernel knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Process id in the host's eyes.
    pub pid: i32,
    /// Parent's process id.
    pub ppid: i32,
    /// Effective user.
    pub uid: u32,
    /// Its root directory as the host would spell it; of a sandbox's processes, the container's root.
    pub root: Utf8PathBuf,
    /// Command line with single spaces, or the short name in brackets where there is none.
    pub command: String,
    /// Start time in seconds since the epoch.
    pub started: u64,
    /// Whether it is dead and only waits for its parent.
    pub zombie: bool,
    /// Processor time that it has had, in milliseconds.
    #[serde(default)]
    pub cpu_millis: u64,
    /// Memory that it has in use, in bytes.
    #[serde(default)]
    pub memory_bytes: u64,
}

/// The read-only view.
pub trait Observe {
    /// Answers one question. The typed methods beside this one are easier to call.
    ///
    /// # Errors
    /// Not found for `Read` and `List` of what is not there; otherwise what the system said.
    fn observe(&self, query: &Query) -> Result<Answer>;
}
