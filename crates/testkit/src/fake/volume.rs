//! File systems as maps from path to file, and views of them: one directory, or several in layers as
//! overlayfs shows them. It knows no mount table and follows no link.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{ErrorKind, Result};

use super::node::{Body, Inode};
use super::refuse;

/// One path in one file system.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spot {
    pub(crate) volume: u32,
    pub(crate) path: Utf8PathBuf,
}

impl Spot {
    pub(crate) fn top(volume: u32) -> Self {
        Self { volume, path: "/".into() }
    }

    pub(crate) fn join(&self, rel: impl AsRef<Utf8Path>) -> Self {
        let rel = rel.as_ref();
        let path = if rel.as_str().is_empty() { self.path.clone() } else { self.path.join(rel) };
        Self { volume: self.volume, path }
    }
}

/// All file systems. In a key the slashes are zero bytes, so that a directory is followed by all below it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Volumes(BTreeMap<(u32, String), Inode>);

fn key(at: &Spot) -> (u32, String) {
    let text = at.path.as_str().trim_end_matches('/');
    (at.volume, text.replace('/', "\0"))
}

impl Volumes {
    pub(crate) fn get(&self, at: &Spot) -> Option<&Inode> {
        self.0.get(&key(at))
    }

    pub(crate) fn put(&mut self, at: &Spot, inode: Inode) {
        self.0.insert(key(at), inode);
    }

    /// The file at `at` and everything below with its path below `at`, slashes as zero bytes; parents first.
    fn range<'a>(&'a self, at: &Spot) -> impl Iterator<Item = (&'a str, &'a Inode)> {
        let (volume, top) = key(at);
        let below = move |found: (&'a (u32, String), &'a Inode)| {
            let ((v, path), inode) = found;
            let rest = path.strip_prefix(top.as_str()).filter(|rest| *v == volume && is_below(rest))?;
            Some((rest, inode))
        };
        self.0.range(key(at)..).map_while(below)
    }

    /// The file at `at` and everything below, parents first.
    pub(crate) fn below(&self, at: &Spot) -> Vec<(Utf8PathBuf, &Inode)> {
        let path = |rest: &str| at.join(rest.trim_start_matches('\0').replace('\0', "/")).path;
        self.range(at).map(|(rest, inode)| (path(rest), inode)).collect()
    }

    pub(crate) fn remove_below(&mut self, at: &Spot) {
        let (volume, top) = key(at);
        let gone: Vec<String> = self.range(at).map(|(rest, _)| format!("{top}{rest}")).collect();
        gone.into_iter().for_each(|path| drop(self.0.remove(&(volume, path))));
    }

    fn children(&self, at: &Spot) -> Vec<String> {
        let name = |(rest, _): (&str, &Inode)| {
            rest.strip_prefix('\0').filter(|n| !n.contains('\0')).map(str::to_owned)
        };
        self.range(at).filter_map(name).collect()
    }
}

fn is_below(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with('\0')
}

/// What a mount shows: layers, the uppermost first, which takes the changes.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(crate) layers: Vec<Spot>,
    /// The directory of the layers that is the view's own root.
    pub(crate) base: Utf8PathBuf,
    pub(crate) read_only: bool,
}

impl View {
    pub(crate) fn of(layers: Vec<Spot>) -> Self {
        Self { layers, base: Utf8PathBuf::new(), read_only: false }
    }

    /// What is at `rel` in each layer that takes part, the uppermost first: several for merged directories.
    fn parts(&self, layers: &[Spot], volumes: &Volumes, rel: &Utf8Path) -> Vec<Spot> {
        let mut parts = layers.to_vec();
        for name in self.base.join(rel).components() {
            let mut next: Vec<Spot> = vec![];
            for part in &parts {
                let child = part.join(name.as_str());
                match volumes.get(&child).map(|inode| &inode.body) {
                    None => continue,
                    Some(Body::Whiteout) => break,
                    Some(Body::Directory { opaque }) => {
                        next.push(child);
                        if *opaque {
                            break;
                        }
                    }
                    Some(_) if next.is_empty() => {
                        next.push(child);
                        break;
                    }
                    Some(_) => break,
                }
            }
            parts = next;
        }
        parts
    }

    pub(crate) fn get<'a>(&self, volumes: &'a Volumes, rel: &Utf8Path) -> Option<&'a Inode> {
        let parts = self.parts(&self.layers, volumes, rel);
        parts.first().and_then(|part| volumes.get(part))
    }

    /// Names in the directory `rel`, sorted.
    pub(crate) fn list(&self, volumes: &Volumes, rel: &Utf8Path) -> Vec<String> {
        let parts = self.parts(&self.layers, volumes, rel);
        let names: BTreeSet<String> = parts.iter().flat_map(|part| volumes.children(part)).collect();
        names.into_iter().filter(|name| self.get(volumes, &rel.join(name)).is_some()).collect()
    }

    /// Everything at and below `rel`, parents first, each with its path in this view.
    pub(crate) fn walk(&self, volumes: &Volumes, rel: &Utf8Path) -> Vec<(Utf8PathBuf, Inode)> {
        let Some(inode) = self.get(volumes, rel) else { return vec![] };
        let mut all = vec![(rel.to_owned(), inode.clone())];
        if inode.is_directory() {
            for name in self.list(volumes, rel) {
                all.extend(self.walk(volumes, &rel.join(name)));
            }
        }
        all
    }

    fn writable(&self, rel: &Utf8Path) -> Result<&Spot> {
        match self.layers.first() {
            Some(top) if !self.read_only => Ok(top),
            _ => Err(refuse(ErrorKind::Io, format!("cannot change {rel}"), "read-only file system")),
        }
    }

    /// Puts a file at `rel` in place of what is there; its parents come up from lower layers as needed.
    pub(crate) fn put(&self, volumes: &mut Volumes, rel: &Utf8Path, mut inode: Inode) -> Result<()> {
        let top = self.writable(rel)?;
        let path = self.base.join(rel);
        let ancestors: Vec<&Utf8Path> = path.ancestors().skip(1).filter(|a| !a.as_str().is_empty()).collect();
        for ancestor in ancestors.iter().rev() {
            if volumes.get(&top.join(ancestor)).is_none() {
                let whole = Self::of(self.layers.clone());
                let copy = whole.get(volumes, ancestor).cloned().unwrap_or_else(|| Inode::directory(0o755));
                volumes.put(&top.join(ancestor), copy);
            }
        }
        let spot = top.join(&path);
        let hidden = volumes.get(&spot).is_some_and(|old| old.body == Body::Whiteout);
        if let Body::Directory { opaque } = &mut inode.body {
            *opaque = hidden;
        }
        volumes.put(&spot, inode);
        Ok(())
    }

    /// Takes away what is at and below `rel`.
    pub(crate) fn remove(&self, volumes: &mut Volumes, rel: &Utf8Path) -> Result<()> {
        let top = self.writable(rel)?;
        let spot = top.join(self.base.join(rel));
        volumes.remove_below(&spot);
        let lower = self.layers.get(1..).unwrap_or_default();
        if !self.parts(lower, volumes, rel).is_empty() {
            self.put(volumes, rel, Inode::new(Body::Whiteout, 0))?;
        }
        Ok(())
    }
}
