//! `rollback`: a container goes back to the base it had before its last upgrade. What that replaced comes back, what
//! was edited since stays beside it, and nothing else is touched.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Access, Derived, Error, ErrorKind, Name, Place, Plan, Result, Step};

use super::moving::free_beside;
use super::upgrade::{Changed, Moved, by_path};
use crate::journal::Op;
use crate::merge::{Tree, is_same};
use crate::previous::{Change, Previous, Put, Rooms};
use crate::{Care, Engine, Loaded, SeenKind};

impl Engine<'_> {
    /// Moves a stopped container back to the base it had before its last upgrade.
    ///
    /// # Errors
    /// Not found, when there was no upgrade, or its base is gone.
    pub fn rollback(&self, name: &Name) -> Result<Moved> {
        let _lock = self.lock_container(name)?;
        let _bases = self.share_releases()?;
        self.refuse_half_done(name)?;
        let loaded = self.load(name)?;
        let previous = self.previous_of(&loaded)?;
        self.base(&previous.from)?;
        self.refuse_started(&loaded)?;
        let changes = self.while_attached(&loaded, || {
            let (steps, changes) = self.back(&loaded, &previous)?;
            let text = self.repinned(name, &previous.from)?;
            let plan = self.moving_plan(&loaded, steps, None, text)?;
            self.run_move(name, Op::Rollback, plan)?;
            Ok(changes)
        })?;
        Ok(Moved { name: name.clone(), from: previous.to, to: previous.from, changes })
    }

    fn previous_of(&self, loaded: &Loaded<'_>) -> Result<Previous> {
        let name = &loaded.name;
        let Some(previous) = self.previous(name)? else {
            return Err(Error::new(ErrorKind::NotFound, format!("{name} has no upgrade to take back"))
                .with("container", name));
        };
        if loaded.file.release.as_ref() == Some(&previous.to) {
            return Ok(previous);
        }
        let message = format!("{name} was upgraded to {}, and its file names another release", previous.to);
        Err(Error::new(ErrorKind::Config, message)
            .cause(format!("it names {}", loaded.file.release.as_ref().map_or("none", |id| id.as_str())))
            .with("container", name)
            .hint(format!("put the release into {} again", self.layout.file(name))))
    }

    fn back(&self, loaded: &Loaded<'_>, previous: &Previous) -> Result<(Plan, Vec<Changed>)> {
        let name = &loaded.name;
        let at = match loaded.storage.derived(&loaded.installed.base, &loaded.container)? {
            Some(Derived::Copy { at, .. } | Derived::Layer { at }) => at,
            _ => {
                let message = "the storage cannot move a container to another release";
                return Err(Error::new(ErrorKind::Unavailable, message).with("container", name));
            }
        };
        let own = self.own_files(&at, previous)?;
        let mut back = Back {
            installed: self.installed_files(previous)?,
            taken: own.keys().cloned().collect(),
            own,
            at,
            rooms: self.rooms(loaded),
            steps: vec![],
            changes: vec![],
        };
        for (number, change) in previous.change.iter().enumerate().rev() {
            back.take(number, change).map_err(|error| error.with("container", name))?;
        }
        Ok((back.steps, back.changes))
    }

    /// What the container has now where the upgrade changed something, and on the way there.
    fn own_files(&self, at: &Utf8Path, previous: &Previous) -> Result<Tree> {
        let paths: Vec<&Path> = previous.change.iter().map(|change| change.path.as_std_path()).collect();
        Ok(by_path(self.host.survey(at, &|path| care(&paths, path))?))
    }

    /// What the upgrade put there, by its path in the base.
    fn installed_files(&self, previous: &Previous) -> Result<Tree> {
        let of_base = |change: &Change| match &change.put {
            Some(Put::Copy(path)) => Some(path.clone()),
            _ => None,
        };
        let puts: Vec<Utf8PathBuf> = previous.change.iter().filter_map(of_base).collect();
        let paths: Vec<&Path> = puts.iter().map(|path| path.as_std_path()).collect();
        let care = |path: &Path| match care(&paths, path) {
            Care::Note => Care::Skip,
            care => care,
        };
        Ok(by_path(self.host.survey(&self.layout.release(&previous.to), &care)?))
    }
}

/// Closely at and below `paths`, in passing on the way to them.
fn care(paths: &[&Path], at: &Path) -> Care {
    if paths.iter().any(|path| at.starts_with(path)) {
        Care::Digest
    } else if paths.iter().any(|path| path.starts_with(at)) {
        Care::Enter
    } else {
        Care::Note
    }
}

/// What is there, and what was gathered so far.
struct Back {
    installed: Tree,
    own: Tree,
    taken: BTreeSet<PathBuf>,
    at: Utf8PathBuf,
    rooms: Rooms,
    steps: Plan,
    changes: Vec<Changed>,
}

impl Back {
    fn take(&mut self, number: usize, change: &Change) -> Result<()> {
        if let Some((was, to)) = change.access {
            self.access(&change.path, was, to);
            return Ok(());
        }
        let place = Place::within(&self.at, &change.path);
        match self.own.get(change.path.as_std_path()) {
            None => {}
            Some(_) if self.is_untouched(change) => {
                let to = Place::host(self.rooms.copy(number));
                self.steps.push(Step::Move { from: place.clone(), to });
            }
            Some(_) if change.kept.is_none() => {
                self.tell(&change.path, "kept", None);
                return Ok(());
            }
            Some(_) => {
                let beside = free_beside(&change.path, "edited", &mut self.taken);
                self.tell(&change.path, "edited", Some(beside.to_string()));
                self.steps.push(Step::Move { from: place.clone(), to: Place::within(&self.at, beside) });
            }
        }
        match change.kept {
            Some(kept) => {
                self.make_way(&change.path)?;
                let from = self.rooms.kept(kept);
                self.steps.push(Step::Move { from, to: place });
                self.tell(&change.path, "restored", None);
            }
            None => self.tell(&change.path, "removed", None),
        }
        Ok(())
    }

    fn access(&mut self, path: &Utf8Path, was: Access, to: Access) {
        let is_untouched =
            self.own.get(path.as_std_path()).is_some_and(|own| own.is_directory() && own.access == to);
        if is_untouched {
            self.steps.push(Step::SetAccess { at: Place::within(&self.at, path), to: was, was: to });
        }
        self.tell(path, if is_untouched { "access" } else { "kept" }, None);
    }

    /// Whether what is there is what the upgrade put there, or only the mark that it was deleted since.
    fn is_untouched(&self, change: &Change) -> bool {
        let path = change.path.as_std_path();
        let own = self.own.get(path);
        match &change.put {
            Some(Put::Copy(source)) => is_same((&self.own, path), (&self.installed, source.as_std_path())),
            Some(Put::Link(to)) => {
                own.is_some_and(|own| own.kind == SeenKind::Link { to: to.clone().into() })
            }
            None => own.is_some_and(crate::Seen::is_whiteout),
        }
    }

    /// The directories above a path must be there.
    fn make_way(&mut self, path: &Utf8Path) -> Result<()> {
        let above: Vec<&Utf8Path> = path.ancestors().skip(1).filter(|dir| !dir.as_str().is_empty()).collect();
        for dir in above.into_iter().rev() {
            match self.own.get(dir.as_std_path()) {
                Some(seen) if seen.is_directory() => {}
                None if self.taken.contains(dir.as_std_path()) => {}
                None => {
                    self.taken.insert(dir.into());
                    self.steps.push(Step::MakeDir { at: Place::within(&self.at, dir), mode: 0o755 });
                }
                Some(_) => {
                    let message = format!("/{path} cannot be restored: /{dir} is no directory any more");
                    return Err(Error::new(ErrorKind::Exists, message)
                        .hint(format!("move what is at /{dir} inside away, then try again")));
                }
            }
        }
        Ok(())
    }

    fn tell(&mut self, path: &Utf8Path, what: &'static str, beside: Option<String>) {
        self.changes.push(Changed { path: path.to_string(), what, beside });
    }
}
