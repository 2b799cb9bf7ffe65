//! One container as one file: a tar archive in independent zstd frames, with a seal behind it.
//!
//! It knows the format (`docs/file-formats.md`), tar and zstd. It does not know what a container is, what its two
//! describing texts mean, or how files are read and written.

#![forbid(unsafe_code)]

mod archive;
mod frames;
mod head;
mod keep;
mod member;
mod press;
mod read;
mod seal;

pub use archive::{Archive, Stream, Written, write};
pub use head::{Head, head};
pub use read::{Data, Expected, unpack};
pub use seal::{Seal, seal};

/// The first member: what the export holds.
pub const HEADER: &str = "qchroot-export.toml";

/// The second member: the container's administration file.
pub const CONTAINER: &str = "container.toml";

/// The directory that all members of a tree lie in.
pub const TREE: &str = "data";

/// The only member beside the first two where the data is a disk.
pub const DISK: &str = "disk.img";

/// Longest text of the first two members, in bytes.
const LONGEST_TEXT: u64 = 1 << 20;

/// Bytes of the archive in one frame, at most.
const FRAME: usize = 4 << 20;
