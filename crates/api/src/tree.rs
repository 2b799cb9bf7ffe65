//! What a release source works with: a writer confined to its staging directory, progress, and programs of
//! the host's. It knows neither archives nor file systems.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use crate::{Download, Error, Observe, Result};

/// One entry of a tree to write. Names need not be UTF-8.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Path below the staging directory. A leading `/` or `./` is dropped; `..` is refused.
    #[serde(with = "crate::os_path")]
    pub path: PathBuf,
    /// What it is.
    pub kind: NodeKind,
    /// Permission bits with set-id and sticky.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Modification time: seconds since the epoch, nanoseconds.
    pub mtime: (i64, u32),
    /// Extended attributes: name and value.
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    /// BSD file flags by name, as in `SCHILY.fflags`, such as `schg,uarch`.
    pub flags: Option<String>,
}

impl Node {
    /// An entry of the superuser's, without times, attributes or flags. Change what is to be otherwise:
    /// `Node { mode: 0o1777, ..Node::directory("tmp") }`.
    pub fn new(path: impl Into<PathBuf>, kind: NodeKind, mode: u32) -> Self {
        Self { path: path.into(), kind, mode, uid: 0, gid: 0, mtime: (0, 0), xattrs: vec![], flags: None }
    }

    /// A directory that anybody may enter; `.` is the top.
    pub fn directory(path: impl Into<PathBuf>) -> Self {
        Self::new(path, NodeKind::Directory, 0o755)
    }

    /// A file of `size` bytes that anybody may read.
    pub fn file(path: impl Into<PathBuf>, size: u64) -> Self {
        Self::new(path, NodeKind::File { size }, 0o644)
    }

    /// A file of `size` bytes that anybody may run.
    pub fn program(path: impl Into<PathBuf>, size: u64) -> Self {
        Self::new(path, NodeKind::File { size }, 0o755)
    }

    /// A symbolic link to `to`, which is stored as it is.
    pub fn link(path: impl Into<PathBuf>, to: impl Into<PathBuf>) -> Self {
        Self::new(path, NodeKind::Symlink { to: to.into() }, 0o777)
    }
}

/// The kind of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case", deny_unknown_fields)]
pub enum NodeKind {
    /// Directory.
    Directory,
    /// Regular file; the writer reads exactly `size` bytes.
    File {
        /// Length in bytes.
        size: u64,
    },
    /// Symbolic link with this target, stored as it is.
    Symlink {
        /// Target.
        #[serde(with = "crate::os_path")]
        to: PathBuf,
    },
    /// Another name for an entry written before.
    HardLink {
        /// Path below the staging directory.
        #[serde(with = "crate::os_path")]
        to: PathBuf,
    },
    /// Device node.
    Device {
        /// A block device rather than a character device.
        block: bool,
        /// Major number.
        major: u32,
        /// Minor number.
        minor: u32,
    },
    /// Named pipe.
    Fifo,
}

/// Writes entries beneath one directory: no link is ever followed, nothing outside is ever touched.
pub trait TreeWriter {
    /// Writes one entry; `content` is read for regular files only. Missing parents are made with mode 0755.
    ///
    /// # Errors
    /// Bad data, with the entry named, for `..`, a path through a link or a hard link to what is not there.
    fn write(&mut self, node: &Node, content: &mut dyn Read) -> Result<()>;

    /// Sets what must come last: times and modes of directories, file flags.
    fn finish(&mut self) -> Result<()>;
}

/// How far a long piece of work has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// What is being done, such as `unpacking base.txz`.
    pub what: String,
    /// Bytes done.
    pub bytes: u64,
    /// Bytes in all, where known.
    pub total_bytes: Option<u64>,
    /// Entries done.
    pub entries: u64,
    /// Entries in all, where known.
    pub total_entries: Option<u64>,
}

/// A program of the host's to run: argv only, a clean environment, no shell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// Program and arguments; a program without a slash is looked for in the system's own directories.
    pub argv: Vec<String>,
    /// Environment beside `PATH`, `LC_ALL=C` and the proxies of the caller.
    pub env: Vec<(String, String)>,
    /// Working directory; `/` when none is given.
    #[serde(default)]
    pub dir: Option<Utf8PathBuf>,
}

impl Command {
    /// A command from its words.
    pub fn new<S: Into<String>>(argv: impl IntoIterator<Item = S>) -> Self {
        Self { argv: argv.into_iter().map(Into::into).collect(), env: vec![], dir: None }
    }
}

/// What a program of the host's left behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// Exit status; 128+N when signal N ended it.
    pub status: i32,
    /// Standard output, its last 4 MiB, not UTF-8 replaced.
    pub stdout: String,
    /// Standard error, its last 64 KiB.
    pub stderr: String,
}

/// How a file of the host's gets into the staging directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Take {
    /// A copy of its own.
    Copy,
    /// A copy that shares its blocks until one of the two is written to, where the file system can; else a copy.
    Reflink,
    /// Another name of the same file. Both must lie on one file system, and whoever may write to one writes to both.
    Link,
}

/// Asks, from any thread, whether the user has given up.
pub type Cancelled = Arc<dyn Fn() -> bool + Send + Sync>;

/// What a release source is handed to do its work with.
pub trait Work {
    /// The staging directory on the host: empty, and beside the cache the only place that may change.
    fn staging(&self) -> &Utf8Path;

    /// The directory on the host where downloads are kept between installs. Whatever is taken from it is
    /// checked anew.
    fn cache(&self) -> &Utf8Path;

    /// The file on the host to which the output of programs goes, for errors that refer to it.
    fn log(&self) -> &Utf8Path;

    /// The host as it is, to look at; what lies in the staging directory is a [`crate::Place`] within it.
    fn host(&self) -> &dyn Observe;

    /// Brings the file, link or directory (without what is in it) `from` of the host's to `to` below the staging
    /// directory, with owner, mode, times and extended attributes. A link is taken as a link.
    fn take(&mut self, from: &Utf8Path, to: &Path, how: Take) -> Result<()>;

    /// Brings all that is below the directory `from` of the host's to the top of the staging directory, which is
    /// empty, with the attributes of `from` itself: as [`Work::take`] copies, devices and pipes too, and what was one
    /// file by several names still is. Sockets are left out. What is mounted below `from` is an empty directory.
    fn take_tree(&mut self, from: &Utf8Path) -> Result<()>;

    /// Fetches one file whole, checked, into the cache, and says where it lies; a broken download is taken up where it
    /// ended. A file of this machine's stays where it is.
    ///
    /// # Errors
    /// Bad data for what is not as wanted, not found and unavailable as the last of the addresses said.
    fn fetch(&mut self, wanted: &Download) -> Result<Utf8PathBuf>;

    /// Fetches tar archives, compressed or not, and unpacks them one into the other in the staging directory, in order,
    /// while the next ones are being fetched. [`TreeWriter::finish`] is left to the caller.
    ///
    /// # Errors
    /// As [`Work::fetch`], and bad data for an archive that is damaged or leads out of its tree.
    fn unpack(&mut self, wanted: &[Download]) -> Result<()>;

    /// Writes a line to the log.
    fn note(&mut self, line: &str) -> Result<()>;

    /// Makes an image of removable media (ISO 9660, UDF, squashfs) readable as a directory until this work ends.
    ///
    /// # Errors
    /// Unavailable where the kernel cannot; then the image has to be read without it.
    fn media(&mut self, image: &Utf8Path) -> Result<Utf8PathBuf>;

    /// The writer into the staging directory.
    fn tree(&mut self) -> &mut dyn TreeWriter;

    /// Tells how far the work has come; call it as often as you like.
    fn progress(&mut self, progress: &Progress);

    /// Runs a program of the host's to its end; each line of its standard error is also shown as progress, and
    /// all that it prints goes to the log.
    fn run(&mut self, command: &Command) -> Result<Output>;

    /// Whether the user has given up; return an error soon.
    fn cancelled(&self) -> bool;

    /// The same question for threads of the source's own; one that cannot be asked answers no.
    fn cancellation(&self) -> Cancelled {
        Arc::new(|| false)
    }

    /// Opens a file of the host's for reading.
    fn open(&mut self, path: &Utf8PathBuf) -> Result<Box<dyn Read + Send>>;

    /// Opens a file of the host's for reading from `offset` on, in bytes.
    fn open_at(&mut self, path: &Utf8Path, offset: u64) -> Result<Box<dyn Read + Send>> {
        let mut file = self.open(&path.to_owned())?;
        std::io::copy(&mut file.by_ref().take(offset), &mut std::io::sink())
            .map_err(|error| Error::from_io(&error, format!("cannot read {path}")))?;
        Ok(file)
    }
}
