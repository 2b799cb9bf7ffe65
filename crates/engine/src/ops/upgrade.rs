//! `upgrade`: a container moves from its base to another. What it had of the old one follows the new one, what it
//! made its own stays.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{
    Access, Base, Derived, Error, ErrorKind, FileKind, Name, Place, Plan, ReleaseId, Result, Step,
};
use serde::Serialize;
use toml_edit::{DocumentMut, value};

use crate::config::FORMAT;
use crate::journal::Op;
use crate::merge::{Tree, Trees, merge};
use crate::ops::moving::Moving;
use crate::previous::Previous;
use crate::version::{Standing, compare};
use crate::{Care, Engine, Installed, Loaded, Seen};

/// What `upgrade` was asked for.
#[derive(Debug, Clone, Default)]
pub struct UpgradeWish {
    /// `--release`; the current one when not given.
    pub release: Option<ReleaseId>,
    /// `--across-major`.
    pub across_major: bool,
}

/// How a container was moved from one base to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Moved {
    /// The container.
    pub name: Name,
    /// The base before.
    pub from: ReleaseId,
    /// The base now.
    pub to: ReleaseId,
    /// What became of its files, sorted by path.
    pub changes: Vec<Changed>,
}

/// What became of one file or tree of a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// Its path inside; what is not UTF-8 in it is replaced.
    pub path: String,
    /// `added`, `replaced`, `removed`, `access` (a directory's owner or mode), `conflict` (its own kept, the other
    /// one beside), `kept` (its own kept); of a rollback also `restored` and `edited` (old back, its own beside).
    pub what: &'static str,
    /// Where the other one lies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beside: Option<String>,
}

impl Engine<'_> {
    /// Moves a stopped container to another base; what it replaces is kept for a rollback.
    pub fn upgrade(&self, name: &Name, wish: &UpgradeWish) -> Result<Moved> {
        let _lock = self.lock_container(name)?;
        let _bases = self.share_releases()?;
        self.refuse_half_done(name)?;
        let loaded = self.load(name)?;
        refuse_own_root(&loaded)?;
        let target = self.target(wish)?;
        let (from, to) = (loaded.installed.base.id.clone(), target.base.id.clone());
        if from == to {
            return Ok(Moved { name: name.clone(), from, to, changes: vec![] });
        }
        refuse_unfit(&loaded, &target, wish)?;
        self.refuse_started(&loaded)?;
        let changes = self.while_attached(&loaded, || {
            let Moving { steps, done, changes, .. } = self.merged(&loaded, &target.base)?;
            let text = self.repinned(name, &to)?;
            let record = Previous { format: FORMAT, from: from.clone(), to: to.clone(), change: done };
            let plan = self.moving_plan(&loaded, steps, Some(&record), text)?;
            self.run_move(name, Op::Upgrade, plan)?;
            Ok(changes)
        })?;
        Ok(Moved { name: name.clone(), from, to, changes })
    }

    fn target(&self, wish: &UpgradeWish) -> Result<Installed> {
        match &wish.release {
            Some(id) => self.base(id),
            None => self.current_base()?.ok_or_else(|| {
                Error::new(ErrorKind::NotFound, "no release is installed").hint("run `qchroot install` first")
            }),
        }
    }

    /// A started container sees its base, and writes to what would be merged.
    pub(crate) fn refuse_started(&self, loaded: &Loaded<'_>) -> Result<()> {
        let name = &loaded.name;
        if self.is_stopped(loaded)? {
            return if self.dry_run { Ok(()) } else { self.forget_start(name) };
        }
        Err(Error::new(ErrorKind::Busy, format!("{name} is started"))
            .with("container", name)
            .hint(format!("stop it first: `qchroot stop {name}`")))
    }

    /// The steps that merge, and what they do.
    fn merged(&self, loaded: &Loaded<'_>, new: &Base) -> Result<Moving> {
        let derived = |base: &Base| loaded.storage.derived(base, &loaded.container);
        let (Some(before), Some(after)) = (derived(&loaded.installed.base)?, derived(new)?) else {
            let storage = &loaded.file.storage.backend;
            return Err(Error::new(
                ErrorKind::Unavailable,
                format!("storage {storage} cannot move a container to another release"),
            )
            .with("container", &loaded.name));
        };
        let (trees, at, links) = match (before, after) {
            (Derived::Copy { at, links: old }, Derived::Copy { links: new_links, .. }) => {
                let trees = self.copied_trees(&at, (&loaded.installed.base, &old), (new, &new_links))?;
                (trees, at, new_links)
            }
            (Derived::Layer { at }, _) | (_, Derived::Layer { at }) => {
                (self.layered_trees(&at, &loaded.installed.base, new)?, at, vec![])
            }
            _ => return Err(Error::new(ErrorKind::Internal, "a storage changed what it keeps of its base")),
        };
        let mut moving = Moving {
            at,
            rooms: self.rooms(loaded),
            base: self.layout.release(&new.id),
            links,
            in_template: self.paths_of(&new.template, &trees)?,
            taken: trees.own.keys().cloned().collect(),
            steps: vec![],
            done: vec![],
            changes: vec![],
        };
        merge(&trees).iter().for_each(|merged| moving.take(merged));
        Ok(moving)
    }

    /// Which of the new tree's paths come from its template rather than from the shared part.
    fn paths_of(&self, template: &Utf8Path, trees: &Trees) -> Result<BTreeSet<PathBuf>> {
        let care = |path: &Path| if trees.new.contains_key(path) { Care::Enter } else { Care::Skip };
        Ok(self.host.survey(template, &care)?.into_iter().map(|seen| seen.path).collect())
    }

    fn copied_trees(
        &self,
        at: &Utf8Path,
        (old, old_links): (&Base, &[(Utf8PathBuf, Utf8PathBuf)]),
        (new, new_links): (&Base, &[(Utf8PathBuf, Utf8PathBuf)]),
    ) -> Result<Trees> {
        let whole = |base: &Base, links: &[(Utf8PathBuf, Utf8PathBuf)]| -> Result<Tree> {
            let mut tree = by_path(self.host.survey(&base.template, &|_| Care::Digest)?);
            tree.extend(links.iter().map(|(path, to)| (path.into(), link(path, to))));
            Ok(tree)
        };
        let (old, new) = (whole(old, old_links)?, whole(new, new_links)?);
        // What no base has is only counted as being there.
        let of_base = |path: &Path| old.contains_key(path) || new.contains_key(path);
        let care = |path: &Path| if of_base(path) { Care::Digest } else { Care::Note };
        let own = by_path(self.host.survey(at, &care)?);
        Ok(Trees { old, new, own, is_layer: false })
    }

    /// Only what lies in the layer, or below what hides the base in it, can need merging.
    fn layered_trees(&self, at: &Utf8Path, old: &Base, new: &Base) -> Result<Trees> {
        let first = by_path(self.host.survey(at, &|_| Care::Enter)?);
        let hides = |path: &Path| first.get(path).is_some_and(Seen::is_opaque);
        let matters = |path: &Path| first.contains_key(path) || path.ancestors().skip(1).any(hides);
        let care = |path: &Path| if matters(path) { Care::Digest } else { Care::Skip };
        let whole = |base: &Base| -> Result<Tree> {
            let mut tree = by_path(self.host.survey(&base.sharedfs, &care)?);
            tree.extend(by_path(self.host.survey(&base.template, &care)?));
            Ok(tree)
        };
        let (old, new) = (whole(old)?, whole(new)?);
        let of_base = |path: &Path| old.contains_key(path) || new.contains_key(path);
        let care = |path: &Path| if of_base(path) { Care::Digest } else { Care::Enter };
        let own = by_path(self.host.survey(at, &care)?);
        Ok(Trees { old, new, own, is_layer: true })
    }

    /// The administration file with another base in it, the administrator's comments kept: new text and old.
    pub(crate) fn repinned(&self, name: &Name, to: &ReleaseId) -> Result<(String, String)> {
        let (_, was) = self.read_file(name)?;
        let mut document: DocumentMut = was
            .parse()
            .map_err(|e| Error::new(ErrorKind::Config, "the administration file is damaged").cause(e))?;
        document["release"] = value(to.as_str());
        Ok((document.to_string(), was))
    }

    /// `steps` between what makes room for them and what follows when they are done. With `record`, what they
    /// replace is kept; without, what an earlier upgrade kept goes.
    pub(crate) fn moving_plan(
        &self,
        loaded: &Loaded<'_>,
        steps: Plan,
        record: Option<&Previous>,
        (text, was): (String, String),
    ) -> Result<Plan> {
        let (mut plan, name, staging) = (vec![], &loaded.name, self.rooms(loaded).staging);
        let mut gone = vec![staging.clone()];
        for (kept, trash) in self.kept_dirs(loaded) {
            let is_there = self.view().stat(&kept)?.is_some_and(|stat| stat.kind == FileKind::Directory);
            if is_there {
                gone.push(if record.is_some() { trash.lexical() } else { kept.lexical() });
            }
            if record.is_some() {
                plan.extend(is_there.then(|| Step::Move { from: kept.clone(), to: trash }));
                plan.push(Step::MakeDir { at: kept, mode: 0o700 });
            }
        }
        if let Some(record) = record {
            let describe = Place::host(self.layout.previous(name).join("upgrade.toml"));
            plan.push(Step::WriteFile { at: describe, text: record.text()?, mode: 0o600, was: None });
        }
        plan.push(Step::Stage { at: staging });
        plan.extend(steps);
        let at = Place::host(self.layout.file(name));
        plan.push(Step::WriteFile { at, text, mode: 0o644, was: Some(was) });
        plan.extend(gone.into_iter().map(|at| Step::RemoveTree { at }));
        Ok(plan)
    }

    pub(crate) fn run_move(&self, name: &Name, op: Op, plan: Plan) -> Result<()> {
        if !self.dry_run {
            self.host.make_own_dir(&self.layout.all_previous())?;
        }
        self.run_durable(name, op, plan)
    }
}

fn refuse_own_root(loaded: &Loaded<'_>) -> Result<()> {
    if loaded.file.release.is_some() {
        return Ok(());
    }
    let message = format!("{} stands over a tree of its own and has no release", loaded.name);
    Err(Error::new(ErrorKind::Config, message).with("container", &loaded.name))
}

fn refuse_unfit(loaded: &Loaded<'_>, target: &Installed, wish: &UpgradeWish) -> Result<()> {
    let (old, new, name) = (&loaded.installed.file, &target.file, &loaded.name);
    if old.brand != new.brand {
        let message =
            format!("{name} has a {} userland, and {} is one for {}", old.brand, new.version, new.brand);
        return Err(Error::new(ErrorKind::Config, message).with("container", name));
    }
    if compare(&new.version, &old.version) != Standing::OtherMajor || wish.across_major {
        return Ok(());
    }
    let message =
        format!("{name} cannot move: {} after {} is another major release", new.version, old.version);
    Err(Error::new(ErrorKind::Config, message).with("container", name).hint(
        "programs that were installed inside may need the old one: say --across-major, and install them again",
    ))
}

pub(crate) fn by_path(tree: Vec<Seen>) -> Tree {
    tree.into_iter().map(|seen| (seen.path.clone(), seen)).collect()
}

/// A link of the superuser's.
fn link(path: &Utf8Path, to: &Utf8Path) -> Seen {
    Seen {
        path: path.into(),
        kind: crate::SeenKind::Link { to: to.into() },
        access: Access { mode: 0o777, uid: 0, gid: 0 },
        flags: None,
        xattrs: vec![],
    }
}
