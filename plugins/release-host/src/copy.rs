//! Copies the files of packages, each checked while it is read.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;
use std::io::{self, Read};

use md5::{Digest, Md5};
use qchroot_api::camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Error, ErrorKind, FileKind, Node, NodeKind, Place, Result, Stat};

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
        let place = Place::host(&item.source);
        let Some(stat) = output.host().stat(&place)? else { return self.missing(target, item) };
        let kind = match stat.kind {
            FileKind::File => return self.file(target, item, &stat, output),
            FileKind::Directory => NodeKind::Directory,
            FileKind::Link => {
                let to = output.host().link(&place)?.unwrap_or_default();
                NodeKind::Symlink { to: to.into() }
            }
            _ => return Err(not_pristine(item, "is a device, socket or FIFO")),
        };
        self.write(target, kind, &stat, vec![], &mut io::empty(), output)
    }

    fn missing(&mut self, target: &Utf8Path, item: &Item) -> Result<()> {
        if let Check::Conffile(_) = item.check {
            self.copied.left_out.push(item.source.to_string());
        } else if !self.any && !DOCUMENTATION.iter().any(|top| target.starts_with(top)) {
            return Err(not_pristine(item, "is missing"));
        }
        Ok(())
    }

    fn file(&mut self, target: &Utf8Path, item: &Item, stat: &Stat, output: &mut Output) -> Result<()> {
        if let Some(first) = self.names.get(&stat.id) {
            let kind = NodeKind::HardLink { to: first.as_std_path().to_owned() };
            return self.write(target, kind, stat, vec![], &mut io::empty(), output);
        }
        let written = match &item.check {
            Check::Conffile(sum) => self.conffile(target, item, sum, stat, output)?,
            Check::Md5(sum) => self.checked(target, item, sum, stat, output)?,
            Check::Nothing if self.any => self.checked(target, item, "", stat, output)?,
            Check::Nothing => return Err(not_pristine(item, "has no recorded checksum")),
        };
        if written && stat.links > 1 {
            self.names.insert(stat.id, target.to_owned());
        }
        Ok(())
    }

    /// Read whole before anything is written: an edited one may hold what no container is to see.
    fn conffile(
        &mut self,
        target: &Utf8Path,
        item: &Item,
        sum: &str,
        stat: &Stat,
        output: &mut Output,
    ) -> Result<bool> {
        let content = output.read(&item.source)?;
        if hex(&Md5::digest(&content)) != sum {
            self.copied.left_out.push(item.source.to_string());
            return Ok(false);
        }
        let kind = NodeKind::File { size: content.len() as u64 };
        self.write(target, kind, stat, vec![], &mut content.as_slice(), output)?;
        Ok(true)
    }

    fn checked(
        &mut self,
        target: &Utf8Path,
        item: &Item,
        sum: &str,
        stat: &Stat,
        output: &mut Output,
    ) -> Result<bool> {
        let mut hashing = Hashing { input: output.work.open(&item.source)?, hash: Md5::new() };
        let kind = NodeKind::File { size: stat.size };
        let xattrs = capabilities(&item.source)?;
        self.write(target, kind, stat, xattrs, &mut hashing, output)?;
        if hex(&hashing.hash.finalize()) != sum && !self.any {
            return Err(not_pristine(item, "is not as it was packaged"));
        }
        Ok(true)
    }

    fn write(
        &mut self,
        target: &Utf8Path,
        kind: NodeKind,
        stat: &Stat,
        xattrs: Vec<(Vec<u8>, Vec<u8>)>,
        content: &mut dyn Read,
        output: &mut Output,
    ) -> Result<()> {
        let (uid, gid) = (stat.uid, stat.gid);
        self.copied.owners.users.insert(uid);
        self.copied.owners.groups.insert(gid);
        let path = target.as_std_path().to_owned();
        output.write(
            &Node { path, kind, mode: stat.mode, uid, gid, mtime: stat.mtime, xattrs, flags: None },
            content,
        )
    }
}

/// capabilities(7) of a program, which packages set as they are installed; no other attribute is the package's.
fn capabilities(path: &Utf8Path) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
    const NAME: &str = "security.capability";
    match xattr::get(path, NAME) {
        Ok(value) => Ok(value.map(|value| (NAME.into(), value)).into_iter().collect()),
        Err(e) if matches!(e.kind(), io::ErrorKind::Unsupported | io::ErrorKind::NotFound) => Ok(vec![]),
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
