//! Three-way merge of trees: what a container has, held against the base it came from and the base it goes to. It
//! decides and does nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use qchroot_api::Access;

use crate::Seen;

/// Files by path. Paths compare by component, so that a directory is followed by all that is below it.
pub(crate) type Tree = BTreeMap<PathBuf, Seen>;

/// The three trees.
pub(crate) struct Trees {
    /// The base that the container came from.
    pub(crate) old: Tree,
    /// The base that it goes to.
    pub(crate) new: Tree,
    /// The container's own files.
    pub(crate) own: Tree,
    /// Whether `own` is a layer: what is not in it shows through, unless a directory above hides it.
    pub(crate) is_layer: bool,
}

/// What is to become of one path, or of all below it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Merged {
    pub(crate) path: PathBuf,
    pub(crate) fate: Fate,
}

/// What is to become of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fate {
    /// New in the new base.
    Added,
    /// The container had not changed it: it follows the new base, by a copy unless the base shows through.
    Replaced { copy: bool },
    /// The container had not changed it, and the new base does not have it.
    Removed,
    /// A directory whose owner or mode follows the new base.
    Access { was: Access, to: Access },
    /// Changed by both: the container's stays, the new one goes beside it.
    Conflict,
    /// Changed by the container, gone from the new base or of no use beside: the container's stays.
    Kept,
}

/// What the container has at a path.
#[derive(Clone, Copy)]
enum Own<'a> {
    /// What the base has.
    Through,
    Nothing,
    Has(&'a Seen),
}

/// Everything that is to be done, parents first.
pub(crate) fn merge(trees: &Trees) -> Vec<Merged> {
    let paths: BTreeSet<&PathBuf> = trees.old.keys().chain(trees.new.keys()).collect();
    let mut settled: Option<&Path> = None;
    let mut all = vec![];
    for path in paths {
        if settled.is_some_and(|above| path.starts_with(above)) {
            continue;
        }
        let (fate, goes_deeper) = trees.decide(path);
        if !goes_deeper {
            settled = Some(path);
        }
        all.extend(fate.map(|fate| Merged { path: path.clone(), fate }));
    }
    all
}

/// A directory with everything in it.
pub(crate) fn below<'a>(tree: &'a Tree, path: &Path) -> impl Iterator<Item = (&'a PathBuf, &'a Seen)> {
    let top = path.to_owned();
    tree.range(top.clone()..).take_while(move |(path, _)| path.starts_with(&top))
}

/// Whether two trees have the same at and below their paths.
pub(crate) fn is_same(one: (&Tree, &Path), other: (&Tree, &Path)) -> bool {
    let mut others = below(other.0, other.1);
    let alike = below(one.0, one.1).all(|(path, seen)| {
        others.next().is_some_and(|(at, found)| {
            path.strip_prefix(one.1).ok() == at.strip_prefix(other.1).ok() && seen.is_like(found)
        })
    });
    alike && others.next().is_none()
}

impl Trees {
    /// What becomes of `path`, and whether what is below it has fates of its own.
    fn decide(&self, path: &Path) -> (Option<Fate>, bool) {
        match (self.old.get(path), self.new.get(path), self.own(path)) {
            (_, _, Own::Through) => (None, true),
            (old, Some(new), Own::Has(own)) if new.is_directory() && own.is_directory() => {
                (old.and_then(|old| access(old, new, own)), true)
            }
            (None, Some(_), Own::Nothing) if !self.own.contains_key(path) => (Some(Fate::Added), false),
            (_, _, Own::Nothing) => (None, false),
            (None, Some(new), Own::Has(own)) => ((!own.is_like(new)).then_some(Fate::Conflict), false),
            (Some(old), None, Own::Has(own)) => self.gone(path, old, own),
            (Some(old), Some(new), Own::Has(own)) => {
                let fate = self.both(path, old, new, own);
                // What the container left alone in a directory that it keeps still goes with the base.
                (fate, fate == Some(Fate::Conflict) && own.is_directory())
            }
            (None, None, Own::Has(_)) => (None, true),
        }
    }

    fn own(&self, path: &Path) -> Own<'_> {
        match self.own.get(path) {
            Some(seen) if self.is_layer && seen.is_whiteout() => Own::Nothing,
            Some(seen) => Own::Has(seen),
            None if self.is_layer && !self.is_hidden(path) => Own::Through,
            None => Own::Nothing,
        }
    }

    /// Whether nothing of the base shows through at a path.
    fn is_hidden(&self, path: &Path) -> bool {
        let opaque = |above: &Path| self.own.get(above).is_some_and(Seen::is_opaque);
        !self.is_layer || path.ancestors().skip(1).any(opaque)
    }

    fn gone(&self, path: &Path, old: &Seen, own: &Seen) -> (Option<Fate>, bool) {
        if is_same((&self.own, path), (&self.old, path)) {
            return (Some(Fate::Removed), false);
        }
        let both_directories = old.is_directory() && own.is_directory();
        ((!both_directories).then_some(Fate::Kept), both_directories)
    }

    /// All three have it, and the new one or the container's is no directory.
    fn both(&self, path: &Path, old: &Seen, new: &Seen, own: &Seen) -> Option<Fate> {
        let base_is_same = is_same((&self.old, path), (&self.new, path));
        if base_is_same || own.is_like(new) {
            return None;
        }
        if is_same((&self.own, path), (&self.old, path)) {
            return Some(Fate::Replaced { copy: self.is_hidden(path) });
        }
        let was_and_is_directory = old.is_directory() && new.is_directory();
        Some(if was_and_is_directory { Fate::Kept } else { Fate::Conflict })
    }
}

fn access(old: &Seen, new: &Seen, own: &Seen) -> Option<Fate> {
    let follows = old.is_directory() && own.access == old.access && own.access != new.access;
    follows.then_some(Fate::Access { was: own.access, to: new.access })
}
