//! The formats of FreeBSD's distribution sets: names of releases, MANIFEST, and archives in parts. They know how
//! the files are written, not where a release is found or which source asks.

mod choice;
mod manifest;
mod parts;
mod split_files;
mod version;

pub use choice::{Profile, choose};
pub use manifest::{Row, is_plain_name, is_sha256, manifest};
pub use parts::{Parts, Source};
pub use split_files::{Digest, MD5_LIST, Part, SplitSet, checksums, parts};
pub use version::{Origin, Version};
