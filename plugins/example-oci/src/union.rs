//! What is left when all layers lie on one another (image specification, "Applying Changesets"): a tree of names in
//! memory, each with the entry that it comes from. It knows neither content nor attributes.
//!
//! As in the programs that run images, a link on the way to an entry is followed, but never out of the tree.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

use qchroot_plugin::{Error, ErrorKind, Node, NodeKind, Result};

use crate::entry::bad;

/// Layer and number of an entry.
pub(crate) type Source = (usize, u64);

/// Files and directories that an image may have.
const FILES: usize = 4_000_000;
/// Directories that may lie in one another.
const DEPTH: usize = 1024;
/// Links that are followed on the way to one entry (path_resolution(7)).
const LINKS: usize = 40;
/// The top directory.
const TOP: usize = 0;
/// How the name of an entry begins that hides the rest of its name in lower layers.
const WHITEOUT: &[u8] = b".wh.";
/// Hides all that lower layers have in its directory.
const OPAQUE: &[u8] = b".wh..wh..opq";

/// One name in a directory.
#[derive(Clone, Copy)]
struct Name {
    file: usize,
    /// The layer that gave the name.
    layer: usize,
}

enum File {
    Directory(BTreeMap<OsString, Name>),
    /// With the target of a symbolic link.
    Other(Option<PathBuf>),
}

/// The tree.
pub(crate) struct Union {
    files: Vec<(File, Option<Source>)>,
}

impl Union {
    pub(crate) fn new() -> Self {
        Self { files: vec![(File::Directory(BTreeMap::new()), None)] }
    }

    /// Lays one entry over what is there.
    pub(crate) fn add(&mut self, source: Source, node: &Node) -> Result<()> {
        let refuse = |why: &str| bad(&node.path.to_string_lossy(), why);
        let mut path = parts(&node.path).ok_or_else(|| refuse("its path has `..` in it"))?;
        let Some(name) = path.pop() else {
            self.files[TOP].1 = Some(source);
            return if node.kind == NodeKind::Directory { Ok(()) } else { Err(refuse("it has no name")) };
        };
        if name.as_bytes().starts_with(WHITEOUT) {
            // Where there is no such directory any more, there is nothing to hide.
            if let Some(parent) = self.walk(path, None) {
                self.hide(parent, &name, source.0);
            }
            return Ok(());
        }
        let parent =
            self.walk(path, Some(source.0)).ok_or_else(|| refuse("its directory cannot be reached"))?;
        let file = match &node.kind {
            NodeKind::Directory => match self.child(parent, &name) {
                Some(there) if self.is_directory(there.file) => {
                    self.files[there.file].1 = Some(source);
                    there.file
                }
                _ => self.make(File::Directory(BTreeMap::new()), Some(source))?,
            },
            NodeKind::HardLink { to } => {
                self.linked(to).ok_or_else(|| refuse("a hard link to what is not there"))?
            }
            NodeKind::Symlink { to } => self.make(File::Other(Some(to.clone())), Some(source))?,
            _ => self.make(File::Other(None), Some(source))?,
        };
        self.put(parent, name, Name { file, layer: source.0 });
        Ok(())
    }

    /// What is left, and all its names: what one entry gives has several when there are hard links.
    pub(crate) fn names(&self) -> HashMap<Source, Vec<PathBuf>> {
        let mut all: HashMap<Source, Vec<PathBuf>> = HashMap::new();
        let mut pending = vec![(TOP, PathBuf::new())];
        while let Some((file, path)) = pending.pop() {
            let (kind, source) = &self.files[file];
            if let File::Directory(children) = kind {
                pending.extend(children.iter().map(|(name, child)| (child.file, path.join(name))));
            }
            if let Some(source) = source {
                all.entry(*source).or_default().push(path);
            }
        }
        all
    }

    fn make(&mut self, file: File, source: Option<Source>) -> Result<usize> {
        if self.files.len() >= FILES {
            return Err(Error::new(ErrorKind::BadData, format!("the image has more than {FILES} files")));
        }
        self.files.push((file, source));
        Ok(self.files.len() - 1)
    }

    fn child(&self, directory: usize, name: &OsString) -> Option<Name> {
        match &self.files[directory].0 {
            File::Directory(children) => children.get(name).copied(),
            File::Other(_) => None,
        }
    }

    fn put(&mut self, directory: usize, name: OsString, child: Name) {
        if let File::Directory(children) = &mut self.files[directory].0 {
            children.insert(name, child);
        }
    }

    fn is_directory(&self, file: usize) -> bool {
        matches!(self.files[file].0, File::Directory(_))
    }

    fn linked(&mut self, to: &Path) -> Option<usize> {
        let mut path = parts(to)?;
        let name = path.pop()?;
        let parent = self.walk(path, None)?;
        self.child(parent, &name).map(|name| name.file).filter(|&file| !self.is_directory(file))
    }

    /// The directory at `path`. What is missing is made by the layer `make`; what is no directory makes room for one.
    fn walk(&mut self, path: Vec<OsString>, make: Option<usize>) -> Option<usize> {
        let mut pending: Vec<OsString> = path.into_iter().rev().collect();
        let mut way = vec![TOP];
        let mut links = 0;
        while let Some(name) = pending.pop() {
            let here = *way.last()?;
            if name == ".." {
                way.truncate((way.len() - 1).max(1));
                continue;
            }
            let there = self.child(here, &name).map(|name| name.file);
            match (there.map(|file| (file, &self.files[file].0)), make) {
                (Some((file, File::Directory(_))), _) => way.push(file),
                (Some((_, File::Other(Some(target)))), _) => {
                    links += 1;
                    if target.has_root() {
                        way.truncate(1);
                    }
                    pending.extend(steps(target).into_iter().rev());
                }
                (_, Some(layer)) => {
                    let file = self.make(File::Directory(BTreeMap::new()), None).ok()?;
                    self.put(here, name, Name { file, layer });
                    way.push(file);
                }
                (_, None) => return None,
            }
            if links > LINKS || way.len() > DEPTH {
                return None;
            }
        }
        way.last().copied()
    }

    /// What a whiteout of the layer says.
    fn hide(&mut self, directory: usize, name: &OsString, layer: usize) {
        if name.as_bytes() == OPAQUE {
            self.empty(directory, layer);
            return;
        }
        let hidden = OsString::from_vec(name.as_bytes()[WHITEOUT.len()..].to_vec());
        if let Some(child) = self.child(directory, &hidden)
            && self.is_hidden(child, layer)
            && let File::Directory(children) = &mut self.files[directory].0
        {
            children.remove(&hidden);
        }
    }

    /// Takes from a directory what layers below `layer` gave it.
    fn empty(&mut self, directory: usize, layer: usize) {
        let File::Directory(children) = &mut self.files[directory].0 else { return };
        let mut children = std::mem::take(children);
        children.retain(|_, child| !self.is_hidden(*child, layer));
        self.files[directory].0 = File::Directory(children);
    }

    /// Whether nothing of it is the layer's own. What lower layers gave a directory is gone then in any case.
    fn is_hidden(&mut self, child: Name, layer: usize) -> bool {
        self.empty(child.file, layer);
        let is_empty =
            !matches!(&self.files[child.file].0, File::Directory(children) if !children.is_empty());
        child.layer < layer && is_empty
    }
}

/// The names on a path from the top; `None` when it leads up.
fn parts(path: &Path) -> Option<Vec<OsString>> {
    let steps = steps(path);
    (!steps.iter().any(|step| step == "..")).then_some(steps)
}

fn steps(path: &Path) -> Vec<OsString> {
    let step = |part: Component<'_>| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    };
    path.components().filter_map(step).collect()
}
