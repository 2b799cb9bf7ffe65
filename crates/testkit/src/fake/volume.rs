//! File systems as maps from path to file, and views of them: one directory, or several in layers as
//! overlayfs shows them. It knows no mount table and follows no link.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{ErrorKind, Result};

use super::disk::{self, Disk};
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

/// All file systems. In a file's key the slashes are zero bytes, so that a directory is followed by all below it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Volumes {
    files: BTreeMap<(u32, String), Inode>,
    /// Bytes that the files of a volume can take; a volume without an entry takes any.
    limits: BTreeMap<u32, u64>,
}

fn key(at: &Spot) -> (u32, String) {
    let text = at.path.as_str().trim_end_matches('/');
    (at.volume, text.replace('/', "\0"))
}

impl Volumes {
    pub(crate) fn get(&self, at: &Spot) -> Option<&Inode> {
        self.files.get(&key(at))
    }

    pub(crate) fn put(&mut self, at: &Spot, inode: Inode) {
        self.files.insert(key(at), inode);
    }

    /// The file at `at` and everything below with its path below `at`, slashes as zero bytes; parents first.
    fn range<'a>(&'a self, at: &Spot) -> impl Iterator<Item = (&'a str, &'a Inode)> {
        let (volume, top) = key(at);
        let below = move |found: (&'a (u32, String), &'a Inode)| {
            let ((v, path), inode) = found;
            let rest = path.strip_prefix(top.as_str()).filter(|rest| *v == volume && is_below(rest))?;
            Some((rest, inode))
        };
        self.files.range(key(at)..).map_while(below)
    }

    /// The file at `at` and everything below, parents first.
    pub(crate) fn below(&self, at: &Spot) -> Vec<(Utf8PathBuf, &Inode)> {
        let path = |rest: &str| at.join(rest.trim_start_matches('\0').replace('\0', "/")).path;
        self.range(at).map(|(rest, inode)| (path(rest), inode)).collect()
    }

    pub(crate) fn remove_below(&mut self, at: &Spot) {
        let (volume, top) = key(at);
        let gone: Vec<String> = self.range(at).map(|(rest, _)| format!("{top}{rest}")).collect();
        gone.into_iter().for_each(|path| drop(self.files.remove(&(volume, path))));
    }

    fn children(&self, at: &Spot) -> Vec<String> {
        let name = |(rest, _): (&str, &Inode)| {
            rest.strip_prefix('\0').filter(|n| !n.contains('\0')).map(str::to_owned)
        };
        self.range(at).filter_map(name).collect()
    }
}

/// Files with their paths below the root of a file system, parents first.
pub(crate) type Files = Vec<(Utf8PathBuf, Inode)>;

impl Volumes {
    pub(crate) fn limit(&self, volume: u32) -> Option<u64> {
        self.limits.get(&volume).copied()
    }

    pub(crate) fn set_limit(&mut self, volume: u32, bytes: u64) {
        self.limits.insert(volume, bytes);
    }

    /// Bytes that the files of a volume take.
    pub(crate) fn used(&self, volume: u32) -> u64 {
        let files = self.files.range((volume, String::new())..(volume + 1, String::new()));
        files.map(|(_, inode)| self.cost(inode)).sum()
    }

    /// A disk without a reservation takes what is in it, also while it is mounted.
    fn cost(&self, inode: &Inode) -> u64 {
        match &inode.body {
            Body::Disk(disk) => disk.allocated(self),
            _ => disk::cost(inode),
        }
    }

    /// Bytes that a file takes of the host's space, as du(1) counts.
    pub(crate) fn taken(&self, inode: &Inode) -> u64 {
        match &inode.body {
            Body::Disk(disk) => disk.allocated(self),
            _ => inode.size(),
        }
    }

    /// Refuses to put a file where there is no space for it, in its volume or on the host below a disk.
    fn require_room(&self, at: &Spot, inode: &Inode) -> Result<()> {
        if self.limit(at.volume).is_none() {
            return Ok(());
        }
        let more = self.cost(inode).saturating_sub(self.get(at).map_or(0, |old| self.cost(old)));
        let full = |volume| self.limit(volume).is_some_and(|limit| self.used(volume) + more > limit);
        let sparse = self.disks().any(|disk| disk.volume == Some(at.volume) && !disk.reserved);
        if full(at.volume) || (sparse && full(0)) {
            return Err(refuse(
                ErrorKind::Io,
                format!("cannot write {}", at.path),
                "no space left on device",
            ));
        }
        Ok(())
    }

    pub(crate) fn disks(&self) -> impl Iterator<Item = &Disk> {
        self.files.values().filter_map(|inode| match &inode.body {
            Body::Disk(disk) => Some(&**disk),
            _ => None,
        })
    }

    pub(crate) fn disks_mut(&mut self) -> impl Iterator<Item = &mut Disk> {
        self.files.values_mut().filter_map(|inode| match &mut inode.body {
            Body::Disk(disk) => Some(&mut **disk),
            _ => None,
        })
    }

    /// Puts files into a volume.
    pub(crate) fn fill(&mut self, top: &Spot, files: Files) {
        files.into_iter().for_each(|(path, inode)| self.put(&top.join(path), inode));
    }

    /// The files of a volume.
    pub(crate) fn files(&self, volume: u32) -> Files {
        let below = |path: Utf8PathBuf| path.strip_prefix("/").map(Utf8Path::to_owned).unwrap_or_default();
        let all = self.below(&Spot::top(volume)).into_iter();
        all.map(|(path, inode)| (below(path), inode.clone())).collect()
    }

    /// Takes the files of a volume out of it; it is no more.
    pub(crate) fn empty(&mut self, volume: u32) -> Files {
        let files = self.files(volume);
        self.remove_below(&Spot::top(volume));
        self.limits.remove(&volume);
        files
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
        volumes.require_room(&spot, &inode)?;
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
