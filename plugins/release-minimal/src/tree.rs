//! The host's files as a path leads through them, link by link: what has to come along so that the same path
//! leads to the same file inside. It does not know why a path is wanted.

use std::collections::BTreeMap;

use qchroot_api::camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Error, ErrorKind, FileKind, Observe, Place, Result, Stat};

/// As many links as Linux follows: path_resolution(7).
const MOST_LINKS: usize = 40;

/// More is no minimal userland, but a slip.
const MOST_ENTRIES: usize = 100_000;

/// One file, link or directory, by its path without links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    Directory(Stat),
    File(Stat),
    Link(Utf8PathBuf),
}

impl Entry {
    /// Length in bytes; nothing but files has one.
    pub(crate) fn size(&self) -> u64 {
        if let Self::File(stat) = self { stat.size } else { 0 }
    }
}

/// Where a path leads.
#[derive(Debug)]
pub(crate) struct Walk {
    /// Everything on the way, and the end.
    met: Vec<(Utf8PathBuf, Entry)>,
    /// The path of the end, without links; `/` has none.
    pub(crate) real: Utf8PathBuf,
    /// What is there.
    pub(crate) stat: Stat,
}

/// What is taken along.
pub(crate) struct Tree<'a> {
    pub(crate) host: &'a dyn Observe,
    pub(crate) entries: BTreeMap<Utf8PathBuf, Entry>,
}

impl<'a> Tree<'a> {
    pub(crate) fn new(host: &'a dyn Observe) -> Self {
        Self { host, entries: BTreeMap::new() }
    }

    /// Follows an absolute path; `None` where it leads to nothing.
    pub(crate) fn walk(&self, path: &Utf8Path) -> Result<Option<Walk>> {
        let mut todo = names_backwards(path);
        let mut walk = Walk { met: vec![], real: "/".into(), stat: self.root()? };
        let mut links = 0;
        while let Some(name) = todo.pop() {
            if name == ".." {
                walk.real.pop();
                continue;
            }
            let next = walk.real.join(&name);
            let Some(stat) = self.host.stat(&Place::host(&next))? else { return Ok(None) };
            if stat.kind != FileKind::Link {
                if !todo.is_empty() && stat.kind != FileKind::Directory {
                    return Ok(None);
                }
                walk.arrive(next, stat)?;
                continue;
            }
            links += 1;
            let Some(to) = self.host.link(&Place::host(&next))?.filter(|_| links <= MOST_LINKS) else {
                return Ok(None);
            };
            if to.is_absolute() {
                walk.real = "/".into();
            }
            todo.extend(names_backwards(&to));
            walk.met.push((next, Entry::Link(readable(to)?)));
        }
        Ok(Some(walk))
    }

    fn root(&self) -> Result<Stat> {
        let stat = self.host.stat(&Place::host("/"))?;
        stat.ok_or_else(|| Error::new(ErrorKind::System, "cannot look at /"))
    }

    /// Takes along what was met. Whether the end was new.
    ///
    /// # Errors
    /// Configuration, when it is more than any minimal userland has.
    pub(crate) fn take(&mut self, walk: &Walk) -> Result<bool> {
        let is_new = !self.entries.contains_key(&walk.real);
        self.entries.extend(walk.met.iter().cloned());
        if self.entries.len() <= MOST_ENTRIES {
            return Ok(is_new);
        }
        Err(Error::new(ErrorKind::Config, format!("more than {MOST_ENTRIES} files: that is not minimal"))
            .with("key", "files")
            .hint("list less under files, or use --source host"))
    }

    /// The first bytes of a file.
    pub(crate) fn head(&self, real: &Utf8Path, length: u64) -> Result<Vec<u8>> {
        self.host.bytes(&Place::host(real), 0, length)
    }

    /// Takes a link along whose end is nowhere.
    pub(crate) fn take_dangling(&mut self, path: &Utf8Path) -> Result<()> {
        if let Some(to) = self.host.link(&Place::host(path))? {
            self.entries.insert(path.to_owned(), Entry::Link(readable(to)?));
        }
        Ok(())
    }
}

impl Walk {
    fn arrive(&mut self, at: Utf8PathBuf, stat: Stat) -> Result<()> {
        let entry = match stat.kind {
            FileKind::Directory => Entry::Directory(stat),
            FileKind::File => Entry::File(stat),
            _ => {
                let message = format!("{at} is neither a file nor a link nor a directory");
                return Err(Error::new(ErrorKind::BadData, message)
                    .hint("devices, sockets and pipes are made inside, not taken along"));
            }
        };
        self.met.push((at.clone(), entry));
        (self.real, self.stat) = (at, stat);
        Ok(())
    }
}

fn names_backwards(path: &Utf8Path) -> Vec<String> {
    path.as_str().split('/').rev().filter(|name| !matches!(*name, "" | ".")).map(str::to_owned).collect()
}

/// The view replaces what is not UTF-8.
fn readable(to: Utf8PathBuf) -> Result<Utf8PathBuf> {
    if to.as_str().contains(char::REPLACEMENT_CHARACTER) {
        return Err(Error::new(ErrorKind::BadData, format!("a link leads to {to:?}, which is not UTF-8")));
    }
    Ok(to)
}
