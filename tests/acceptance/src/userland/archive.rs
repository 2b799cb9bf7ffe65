//! Writes a userland as one tar(5) archive. It knows the format only.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, Metadata};
use std::io::{Read, Result};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use tar::{Builder, EntryType, Header};

/// An archive that is being written.
pub(crate) struct Archive {
    tar: Builder<File>,
    seen: BTreeSet<String>,
    /// The first name of each of the machine's files that has more than one, by device and number.
    linked: BTreeMap<(u64, u64), String>,
}

impl Archive {
    /// Begins one.
    pub(crate) fn create(at: &Path) -> Result<Self> {
        Ok(Self { tar: Builder::new(File::create(at)?), seen: BTreeSet::new(), linked: BTreeMap::new() })
    }

    /// Ends it; the number of entries.
    pub(crate) fn finish(self) -> Result<usize> {
        self.tar.into_inner()?;
        Ok(self.seen.len())
    }

    /// Adds a directory.
    pub(crate) fn directory(&mut self, path: &str, mode: u32) -> Result<()> {
        self.add(path, EntryType::Directory, mode, "", &b""[..], 0)
    }

    /// Adds a file with this content.
    pub(crate) fn file(&mut self, path: &str, mode: u32, content: &[u8]) -> Result<()> {
        self.add(path, EntryType::Regular, mode, "", content, content.len() as u64)
    }

    /// Adds an immutable one, as many of FreeBSD's own are.
    pub(crate) fn immutable(&mut self, path: &str, mode: u32, content: &[u8]) -> Result<()> {
        self.tar.append_pax_extensions([("SCHILY.fflags", "schg".as_bytes())])?;
        self.file(path, mode, content)
    }

    /// Adds a symbolic link.
    pub(crate) fn link(&mut self, path: &str, to: &str) -> Result<()> {
        self.add(path, EntryType::Symlink, 0o777, to, &b""[..], 0)
    }

    /// Adds another name of a file that was added.
    pub(crate) fn hard_link(&mut self, path: &str, to: &str) -> Result<()> {
        self.add(path, EntryType::Link, 0o644, to, &b""[..], 0)
    }

    /// Adds the machine's own `/PATH`, and what is below it, if it is there; but no device, socket or pipe.
    pub(crate) fn own(&mut self, path: &str) -> Result<()> {
        let at = Path::new("/").join(path);
        let Ok(meta) = at.symlink_metadata() else { return Ok(()) };
        let kind = meta.file_type();
        if kind.is_char_device() || kind.is_block_device() || kind.is_fifo() || kind.is_socket() {
            return Ok(());
        }
        if kind.is_symlink() {
            return self.link(path, &fs::read_link(&at)?.to_string_lossy());
        }
        if kind.is_file() && meta.nlink() > 1 {
            match self.linked.entry((meta.dev(), meta.ino())) {
                Entry::Occupied(first) => {
                    let first = first.get().clone();
                    return self.hard_link(path, &first);
                }
                Entry::Vacant(none) => drop(none.insert(path.to_owned())),
            }
        }
        if kind.is_file() {
            return self.add(path, EntryType::Regular, mode(&meta), "", File::open(&at)?, meta.len());
        }
        self.directory(path, mode(&meta))?;
        let mut names: Vec<_> = fs::read_dir(&at)?.flatten().map(|entry| entry.file_name()).collect();
        names.sort();
        names.into_iter().try_for_each(|name| self.own(&format!("{path}/{}", name.to_string_lossy())))
    }

    fn add(
        &mut self,
        path: &str,
        kind: EntryType,
        mode: u32,
        to: &str,
        content: impl Read,
        size: u64,
    ) -> Result<()> {
        if !self.seen.insert(path.to_owned()) {
            return Ok(());
        }
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(1_700_000_000);
        header.set_size(size);
        if !to.is_empty() {
            return self.tar.append_link(&mut header, path, to);
        }
        self.tar.append_data(&mut header, path, content)
    }
}

fn mode(meta: &Metadata) -> u32 {
    meta.mode() & 0o7777
}
