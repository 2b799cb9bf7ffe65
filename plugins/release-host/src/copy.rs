//! Copies the files of packages, each checked while it is read.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;
use std::fs::{self, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;

use md5::{Digest, Md5};
use qchroot_api::camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Error, ErrorKind, Node, NodeKind, Result};

use crate::manifest::{Check, Item, Manifest};
use crate::output::Output;

/// What users of dpkg's `path-exclude` leave out, and no program needs.
const DOCUMENTATION: &[&str] = &[
    "usr/share/doc",
    "usr/share/man",
    "usr/share/info",
    "usr/share/locale",
    "usr/share/lintian",
    "usr/share/groff",
];

/// What came of copying.
#[derive(Default)]
pub(crate) struct Copied {
    /// Configuration files that were edited or removed on the host.
    pub(crate) left_out: Vec<String>,
    /// Owners and groups that occurred.
    pub(crate) owners: Owners,
}

/// Numeric owners and groups.
#[derive(Default)]
pub(crate) struct Owners {
    pub(crate) users: BTreeSet<u32>,
    pub(crate) groups: BTreeSet<u32>,
}

/// Copies all items; with `any`, also those that fail their check.
pub(crate) fn all(manifest: &Manifest, any: bool, output: &mut Output) -> Result<Copied> {
    let mut copier = Copier { any, copied: Copied::default(), names: HashMap::new() };
    output.directory(".", 0o755, 0)?;
    for (target, item) in &manifest.items {
        copier.copy(target, item, output)?;
    }
    Ok(copier.copied)
}

struct Copier {
    any: bool,
    copied: Copied,
    /// First names of files with several.
    names: HashMap<(u64, u64), Utf8PathBuf>,
}

impl Copier {
    fn copy(&mut self, target: &Utf8Path, item: &Item, output: &mut Output) -> Result<()> {
        let metadata = match fs::symlink_metadata(&item.source) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return self.missing(target, item),
            metadata => metadata.map_err(|e| Error::from_io(&e, format!("cannot read {}", item.source)))?,
        };
        let kind = metadata.file_type();
        if kind.is_file() {
            return self.file(target, item, &metadata, output);
        }
        let kind = if kind.is_dir() {
            NodeKind::Directory
        } else if kind.is_symlink() {
            let to = fs::read_link(&item.source);
            NodeKind::Symlink {
                to: to.map_err(|e| Error::from_io(&e, format!("cannot read {}", item.source)))?,
            }
        } else {
            return Err(not_pristine(item, "is a device, socket or FIFO"));
        };
        self.write(target, kind, &metadata, vec![], &mut io::empty(), output)
    }

    fn missing(&mut self, target: &Utf8Path, item: &Item) -> Result<()> {
        if let Check::Conffile(_) = item.check {
            self.copied.left_out.push(item.source.to_string());
        } else if !self.any && !DOCUMENTATION.iter().any(|top| target.starts_with(top)) {
            return Err(not_pristine(item, "is missing"));
        }
        Ok(())
    }

    fn file(
        &mut self,
        target: &Utf8Path,
        item: &Item,
        metadata: &Metadata,
        output: &mut Output,
    ) -> Result<()> {
        let inode = (metadata.dev(), metadata.ino());
        if let Some(first) = self.names.get(&inode) {
            let kind = NodeKind::HardLink { to: first.as_std_path().to_owned() };
            return self.write(target, kind, metadata, vec![], &mut io::empty(), output);
        }
        let written = match &item.check {
            Check::Conffile(sum) => self.conffile(target, item, sum, metadata, output)?,
            Check::Md5(sum) => self.checked(target, item, sum, metadata, output)?,
            Check::Nothing if self.any => self.checked(target, item, "", metadata, output)?,
            Check::Nothing => return Err(not_pristine(item, "has no recorded checksum")),
        };
        if written && metadata.nlink() > 1 {
            self.names.insert(inode, target.to_owned());
        }
        Ok(())
    }

    /// Read whole before anything is written: an edited one may hold what no container is to see.
    fn conffile(
        &mut self,
        target: &Utf8Path,
        item: &Item,
        sum: &str,
        metadata: &Metadata,
        output: &mut Output,
    ) -> Result<bool> {
        let content =
            fs::read(&item.source).map_err(|e| Error::from_io(&e, format!("cannot read {}", item.source)))?;
        if hex(&Md5::digest(&content)) != sum {
            self.copied.left_out.push(item.source.to_string());
            return Ok(false);
        }
        let kind = NodeKind::File { size: content.len() as u64 };
        self.write(target, kind, metadata, vec![], &mut content.as_slice(), output)?;
        Ok(true)
    }

    fn checked(
        &mut self,
        target: &Utf8Path,
        item: &Item,
        sum: &str,
        metadata: &Metadata,
        output: &mut Output,
    ) -> Result<bool> {
        let mut hashing = Hashing { input: output.work.open(&item.source)?, hash: Md5::new() };
        let kind = NodeKind::File { size: metadata.len() };
        let xattrs = capabilities(&item.source)?;
        self.write(target, kind, metadata, xattrs, &mut hashing, output)?;
        if hex(&hashing.hash.finalize()) != sum && !self.any {
            return Err(not_pristine(item, "is not as it was packaged"));
        }
        Ok(true)
    }

    fn write(
        &mut self,
        target: &Utf8Path,
        kind: NodeKind,
        metadata: &Metadata,
        xattrs: Vec<(Vec<u8>, Vec<u8>)>,
        content: &mut dyn Read,
        output: &mut Output,
    ) -> Result<()> {
        let (uid, gid) = (metadata.uid(), metadata.gid());
        self.copied.owners.users.insert(uid);
        self.copied.owners.groups.insert(gid);
        let mtime = (metadata.mtime(), u32::try_from(metadata.mtime_nsec()).unwrap_or(0));
        let path = target.as_std_path().to_owned();
        output.write(
            &Node { path, kind, mode: metadata.mode() & 0o7777, uid, gid, mtime, xattrs, flags: None },
            content,
        )
    }
}

/// capabilities(7) of a program, which packages set as they are installed; no other attribute is the package's.
fn capabilities(path: &Utf8Path) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
    const NAME: &str = "security.capability";
    match xattr::get(path, NAME) {
        Ok(value) => Ok(value.map(|value| (NAME.into(), value)).into_iter().collect()),
        Err(e) if e.kind() == io::ErrorKind::Unsupported => Ok(vec![]),
        Err(e) => Err(Error::from_io(&e, format!("cannot read {NAME} of {path}"))),
    }
}

struct Hashing<R> {
    input: R,
    hash: Md5,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.input.read(buffer)?;
        self.hash.update(&buffer[..n]);
        Ok(n)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn not_pristine(item: &Item, what: &str) -> Error {
    Error::new(ErrorKind::BadData, format!("{} of package {} {what}", item.source, item.package)).hint(
        format!(
            "`apt-get install --reinstall {}` mends it; --any-release takes the file as it is",
            item.package
        ),
    )
}
