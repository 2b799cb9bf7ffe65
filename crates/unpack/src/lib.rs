//! Archives into trees: read, hash, decompress and extract in one pass, the first three on a second thread.
//!
//! It knows streams and formats. It does not know where the bytes come from, what digest they should have,
//! or where and how files are written: entries go to the [`Work`] of a release source, or to another taker, one by one.

#![forbid(unsafe_code)]

mod acl;
mod address;
mod archive;
mod attributes;
mod blame;
mod cache;
mod compression;
mod content;
mod download;
mod fetch;
mod get;
mod header;
mod host_file;
mod limits;
mod net;
mod pax;
mod pipe;
pub mod sets;
mod signature;
mod transfer;

use std::io::Read;
use std::thread;

use qchroot_api::{Error, ErrorKind, Node, Progress, Result, Work};

pub use acl::{attribute as posix_list, text as posix_list_text};
pub use address::{Address, Scheme};
use archive::{Archive, Member};
pub use attributes::{NFS4_LIST, Origin};
pub use fetch::{Fetcher, Wanted, digest, fetch, fetch_download, small, unpack_all, unpack_downloads};
pub use get::get;
pub use host_file::HostFile;
pub use limits::Limits;
pub use net::{Headers, Patience, Proxies};
pub use pipe::{Hashing, sha256};
pub use signature::check_signature;

/// What an archive turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// SHA-256 of the archive as it was read, before decompression; lower-case hex.
    pub sha256: String,
    /// Length of the archive in bytes, before decompression.
    pub bytes: u64,
    /// How many entries were written.
    pub entries: u64,
}

/// Reads a tar archive to its very end and hands each entry to the tree of `work`. Compression (gzip, xz, zstd,
/// bzip2 or none) is told by the first bytes. `TreeWriter::finish` is left to the caller, who may have more.
///
/// `name` is what people call the archive; `size` is its length in bytes where known, for progress.
///
/// Understood are POSIX ustar and pax archives (pax(1)) and GNU's long names and sparse files (tar(5)); of pax
/// records, those of POSIX, `SCHILY.xattr.*`, `LIBARCHIVE.xattr.*`, `SCHILY.acl.access`, `SCHILY.acl.default`,
/// `SCHILY.fflags` and `GNU.sparse.*` versions 0.1 and 1.0. An access control list becomes the extended attribute
/// that Linux keeps it in (acl(5)).
///
/// # Errors
/// Bad data, with the entry named, for an archive that is damaged, cut off, followed by anything but zeros,
/// leads out of the tree by `..`, or goes beyond `limits`. Otherwise what reading or writing said.
pub fn unpack(
    input: impl Read + Send,
    name: &str,
    size: Option<u64>,
    work: &mut dyn Work,
    limits: &Limits,
) -> Result<Summary> {
    let progress = Progress { what: format!("unpacking {name}"), total_bytes: size, ..Progress::default() };
    unpack_showing(input, name, progress, work, limits)
}

/// The same, with what is shown meanwhile.
fn unpack_showing(
    input: impl Read + Send,
    name: &str,
    progress: Progress,
    work: &mut dyn Work,
    limits: &Limits,
) -> Result<Summary> {
    let mut write = |node: &Node, content: &mut dyn Read, progress: &Progress| {
        if work.cancelled() {
            return Err(Error::new(ErrorKind::System, "interrupted"));
        }
        work.tree().write(node, content)?;
        work.progress(progress);
        Ok(())
    };
    let all = progress.clone();
    let summary = read(input, name, progress, limits, Origin::Foreign, &mut write)?;
    work.progress(&Progress { bytes: summary.bytes, entries: summary.entries, ..all });
    Ok(summary)
}

/// Is given each entry, the content of regular files, and how far the reading has come.
pub type TakeEntry<'a> = dyn FnMut(&Node, &mut dyn Read, &Progress) -> Result<()> + 'a;

/// Reads a tar archive as [`unpack`] does and hands each entry to `take`, which writes it or does not.
///
/// # Errors
/// As with [`unpack`], and what `take` said.
pub fn each_entry(
    input: impl Read + Send,
    name: &str,
    size: Option<u64>,
    limits: &Limits,
    origin: Origin,
    take: &mut TakeEntry<'_>,
) -> Result<Summary> {
    let progress = Progress { what: format!("unpacking {name}"), total_bytes: size, ..Progress::default() };
    read(input, name, progress, limits, origin, take)
}

fn read(
    input: impl Read + Send,
    name: &str,
    progress: Progress,
    limits: &Limits,
    origin: Origin,
    take: &mut TakeEntry<'_>,
) -> Result<Summary> {
    let result = thread::scope(|scope| {
        let (stream, reader) = pipe::start(scope, input, limits);
        let mut archive = Archive::new(stream, origin);
        let extracted = extract(&mut archive, progress, take, limits);
        // Dropping the archive closes the pipe, so that the reader ends even when nobody wants the rest.
        drop(archive);
        let read =
            reader.join().map_err(|_| Error::new(ErrorKind::Internal, "the reading thread panicked"))?;
        extracted.map(|entries| Summary { sha256: read.sha256, bytes: read.bytes, entries })
    });
    result.map_err(|error| error.while_doing(format!("cannot unpack {name}")))
}

fn extract(
    archive: &mut Archive,
    mut progress: Progress,
    take: &mut TakeEntry<'_>,
    limits: &Limits,
) -> Result<u64> {
    let mut total = 0_u64;
    while let Some(member) = archive.next()? {
        progress.entries += 1;
        total = total.saturating_add(member.size());
        limits.check(progress.entries, total).map_err(|error| archive.blame(error))?;
        progress.bytes = archive.bytes_read();
        hand_over(archive, &member, &progress, take)?;
    }
    archive.finish()?;
    Ok(progress.entries)
}

/// Hands one entry over. When the stream broke while its taker read from it, that is what is told.
fn hand_over(
    archive: &mut Archive,
    member: &Member,
    progress: &Progress,
    take: &mut TakeEntry<'_>,
) -> Result<()> {
    let mut content = archive.content(member);
    let written = take(&member.node, &mut content, progress);
    let written = written.and_then(|()| content.drain().map_err(|e| Error::from_io(&e, "cannot read")));
    archive.broken().map_or(written, Err)
}
