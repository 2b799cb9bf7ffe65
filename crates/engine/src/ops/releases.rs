//! `release list`, `remove` and `prune`: which bases there are, who needs them, and taking away what nobody does.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use qchroot_api::{Brand, Error, ErrorKind, Kind, MountFs, Name, Place, Plan, ReleaseId, Result, Step};
use serde::Serialize;

use crate::journal::{Journal, Op};
use crate::transaction::Job;
use crate::{Engine, Held, STOP_PATIENCE};

/// Downloads that were not used for so long go with a prune, in seconds: 30 days.
const CACHE_AGE: u64 = 30 * 24 * 60 * 60;

/// One line of `release list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReleaseLine {
    /// Its identity.
    pub id: ReleaseId,
    /// Name and version.
    pub version: String,
    /// The source it came from.
    pub source: String,
    /// What it was made for.
    pub brand: Brand,
    /// When it was installed, in seconds since the epoch.
    pub installed: u64,
    /// Bytes of all its files.
    pub size_bytes: u64,
    /// The containers that are pinned to it.
    pub containers: Vec<Name>,
    /// The containers that a rollback would bring back to it.
    pub rollbacks: Vec<Name>,
    /// The snapshots that were taken while their container was pinned to it, as `NAME@SNAPSHOT`.
    pub snapshots: Vec<String>,
    /// Whether new containers get it.
    pub current: bool,
}

/// What `release remove` and `release prune` took away.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Removed {
    /// Bases.
    pub releases: Vec<ReleaseId>,
    /// Names in the cache of downloads.
    pub cache: Vec<String>,
    /// Bytes on disk that all of it took.
    pub bytes: u64,
}

/// Who needs a base.
#[derive(Debug, Clone, Default)]
struct Users {
    pinned: Vec<Name>,
    rollback: Vec<Name>,
    snapshots: Vec<(Name, String)>,
    started: Vec<Name>,
}

impl Engine<'_> {
    /// All installed bases in ascending order.
    pub fn releases(&self) -> Result<Vec<ReleaseLine>> {
        let users = self.users(false)?;
        let current = self.current_id()?;
        self.installed_ids()?.into_iter().map(|id| self.release_line(id, &users, current.as_ref())).collect()
    }

    fn release_line(
        &self,
        id: ReleaseId,
        users: &BTreeMap<ReleaseId, Users>,
        current: Option<&ReleaseId>,
    ) -> Result<ReleaseLine> {
        let file = self.base(&id)?.file;
        let described = Place::host(self.layout.release(&id).join("release.toml"));
        let changed = self.view().stat(&described)?.map_or(0, |stat| stat.mtime.0);
        let users = users.get(&id).cloned().unwrap_or_default();
        Ok(ReleaseLine {
            version: file.version,
            source: file.source,
            brand: file.brand,
            installed: u64::try_from(changed).unwrap_or(0),
            size_bytes: file.bytes,
            containers: users.pinned,
            rollbacks: users.rollback,
            snapshots: users.snapshots.iter().map(|(name, snapshot)| format!("{name}@{snapshot}")).collect(),
            current: current == Some(&id),
            id,
        })
    }

    pub(crate) fn installed_ids(&self) -> Result<Vec<ReleaseId>> {
        self.host.list_own(&self.layout.releases())?.iter().map(|id| id.parse()).collect()
    }

    fn current_id(&self) -> Result<Option<ReleaseId>> {
        let target = self.link_target(&self.layout.current())?;
        target.as_ref().and_then(|target| target.file_name()).map(str::parse).transpose()
    }

    /// Who needs which base: by their files, by what an upgrade left for a rollback, by what a start mounted.
    /// `strict` refuses to guess where a file cannot be read.
    fn users(&self, strict: bool) -> Result<BTreeMap<ReleaseId, Users>> {
        let mut all: BTreeMap<ReleaseId, Users> = BTreeMap::new();
        for name in self.names()? {
            match self.read_file(&name) {
                Ok((file, _)) => {
                    if let Some(id) = file.release {
                        all.entry(id).or_default().pinned.push(name.clone());
                    }
                }
                Err(error) if strict => {
                    return Err(error.while_doing(format!("cannot tell which release {name} needs")));
                }
                Err(_) => {}
            }
            if let Some(previous) = self.previous(&name)? {
                all.entry(previous.from).or_default().rollback.push(name.clone());
            }
            match self.releases_of_snapshots(&name) {
                Ok(needed) => needed.into_iter().for_each(|(id, snapshot)| {
                    all.entry(id).or_default().snapshots.push((name.clone(), snapshot));
                }),
                Err(error) if strict => return Err(error),
                Err(_) => {}
            }
            for id in self.mounted_releases(&name)? {
                all.entry(id).or_default().started.push(name.clone());
            }
        }
        Ok(all)
    }

    /// The bases that the start of a container meant to mount: its file may have been edited since.
    fn mounted_releases(&self, name: &Name) -> Result<Vec<ReleaseId>> {
        let Ok(Some(journal)) = Journal::load(self.host, &self.layout.start_journal(name)) else {
            return Ok(vec![]);
        };
        let sources = journal.steps.iter().flat_map(|step| match step {
            Step::Mount(mount) => match &mount.fs {
                MountFs::Null { source } => vec![source.clone()],
                MountFs::Overlay { lower, .. } => lower.clone(),
                _ => vec![],
            },
            _ => vec![],
        });
        let below = |source: Utf8PathBuf| {
            let rest = source.strip_prefix(self.layout.releases()).ok()?;
            rest.components().next()?.as_str().parse().ok()
        };
        Ok(sources.filter_map(below).collect())
    }

    /// Removes a base that nobody needs. The current one goes only when it is the last, and its links with it.
    pub fn remove_release(&self, id: &ReleaseId) -> Result<Removed> {
        let _locks = self.lock_releases()?;
        self.base(id)?;
        let users = self.users(true)?.remove(id).unwrap_or_default();
        refuse_needed(id, &users)?;
        let mut plan = vec![];
        if self.current_id()?.as_ref() == Some(id) {
            if self.installed_ids()?.len() > 1 {
                return Err(Error::new(ErrorKind::Busy, format!("release {id} is what new containers get"))
                    .with("release", id)
                    .hint("install another one first, or remove the others first"));
            }
            plan.extend(self.unlink_current()?);
        }
        let outside = self.outside_of_bases(std::slice::from_ref(id))?;
        self.discard(plan, &[self.layout.release(id)], outside).map(|bytes| Removed {
            releases: vec![id.clone()],
            cache: vec![],
            bytes,
        })
    }

    fn unlink_current(&self) -> Result<Plan> {
        let mut plan = vec![];
        for name in ["current", "template", "sharedfs"] {
            let at = self.layout.lib.join(name);
            if let Some(was) = self.link_target(&at)? {
                plan.push(Step::Unlink { at: Place::host(at), was });
            }
        }
        Ok(plan)
    }

    /// Removes every base that no container, no rollback and no `create` needs, and downloads that were not used
    /// for a month.
    pub fn prune_releases(&self) -> Result<Removed> {
        let _locks = self.lock_releases()?;
        let (users, current) = (self.users(true)?, self.current_id()?);
        let mut releases = self.installed_ids()?;
        releases.retain(|id| !users.contains_key(id) && current.as_ref() != Some(id));
        let cache = self.old_downloads()?;
        let mut paths: Vec<Utf8PathBuf> = releases.iter().map(|id| self.layout.release(id)).collect();
        paths.extend(cache.iter().map(|name| self.layout.cache().join(name)));
        let outside = self.outside_of_bases(&releases)?;
        if paths.is_empty() && outside.is_empty() {
            return Ok(Removed::default());
        }
        let bytes = self.discard(vec![], &paths, outside)?;
        Ok(Removed { releases, cache, bytes })
    }

    fn old_downloads(&self) -> Result<Vec<String>> {
        let now = self.host.wall_clock();
        let mut names = self.host.list_own(&self.layout.cache())?;
        names.retain(|name| {
            let stat = self.view().stat(&Place::host(self.layout.cache().join(name)));
            let used = stat.ok().flatten().and_then(|stat| u64::try_from(stat.mtime.0).ok());
            used.is_some_and(|used| used + CACHE_AGE < now)
        });
        Ok(names)
    }

    /// What storages keep of bases outside of their directories, and need no more once those of `gone` are.
    fn outside_of_bases(&self, gone: &[ReleaseId]) -> Result<Plan> {
        let mut installed = self.installed_ids()?;
        installed.retain(|id| !gone.contains(id));
        let plans = self.registry.storages().map(|storage| storage.prune(&installed, self.view()));
        let mut plan = plans.collect::<Result<Vec<Plan>>>()?.concat();
        // All plug-ins that are storages: one may keep something for bases whose last container is gone.
        for found in self.registry.found()?.into_iter().filter(|found| found.is(Kind::SharedStorage)) {
            let storage = self.registry.storage(&found.name);
            match storage.and_then(|storage| storage.prune(&installed, self.view())) {
                Ok(steps) => plan.extend(steps),
                Err(error) => {
                    self.watch.warn(&format!("what {} keeps of releases stays: {error}", found.name))
                }
            }
        }
        Ok(plan)
    }

    /// Moves all that is to go into the trash after `plan`, empties that, and then carries out `last`; the bytes that
    /// it took.
    fn discard(&self, mut plan: Plan, paths: &[Utf8PathBuf], last: Plan) -> Result<u64> {
        let trash = self.layout.release_trash();
        let mut bytes = 0;
        plan.push(Step::Stage { at: trash.clone() });
        for path in paths {
            bytes += self.host.disk_usage(path)?;
            plan.push(Step::Rename {
                from: path.clone(),
                to: trash.join(path.file_name().unwrap_or_default()),
            });
        }
        plan.push(Step::RemoveTree { at: trash });
        plan.extend(last);
        let job = Job {
            op: Op::Remove,
            container: None,
            journal: self.layout.install_journal(),
            deadline: self.deadline_in(STOP_PATIENCE),
        };
        self.run(&job, plan)?;
        Ok(bytes)
    }

    /// Keeps installs and everything that pins a base out.
    fn lock_releases(&self) -> Result<Option<(Held, Held)>> {
        let Some(install) = self.lock_install()? else { return Ok(None) };
        let held = self.host.lock(&self.layout.releases_lock(), true)?;
        let held = held.ok_or_else(|| Error::new(ErrorKind::Internal, "the lock was not waited for"))?;
        // Nobody who may pin a base is at work now: what is left has died, and may come back to any of them.
        if let Some(work) = self.interrupted()?.first() {
            let of = work.container.as_ref().map_or(String::new(), |name| format!(" of {name}"));
            let message = format!("{}{of} was interrupted and is half done", work.operation);
            return Err(Error::new(ErrorKind::Busy, message).hint("`qchroot doctor --repair` puts it right"));
        }
        Ok(Some((install, held)))
    }

    /// Holds off removals of bases while a container is pinned to one or comes to be. A dry run holds nothing.
    pub(crate) fn share_releases(&self) -> Result<Option<Held>> {
        if self.dry_run {
            return Ok(None);
        }
        self.host.share(&self.layout.releases_lock()).map(Some)
    }
}

fn refuse_needed(id: &ReleaseId, users: &Users) -> Result<()> {
    let names = |names: &[Name]| names.iter().map(Name::as_str).collect::<Vec<_>>().join(", ");
    let needed = |why: String, hint: &str| {
        Err(Error::new(ErrorKind::Busy, format!("release {id} is needed"))
            .cause(why)
            .with("release", id)
            .hint(hint))
    };
    if !users.pinned.is_empty() {
        let why = format!("containers are pinned to it: {}", names(&users.pinned));
        return needed(why, "upgrade them to another release, or delete them");
    }
    if !users.started.is_empty() {
        return needed(
            format!("containers were started from it: {}", names(&users.started)),
            "stop them first",
        );
    }
    if !users.rollback.is_empty() {
        let why = format!("a rollback would bring containers back to it: {}", names(&users.rollback));
        return needed(why, "roll them back, upgrade them once more, or delete them");
    }
    if let Some((name, snapshot)) = users.snapshots.first() {
        let all: Vec<String> =
            users.snapshots.iter().map(|(name, snapshot)| format!("{snapshot} of {name}")).collect();
        let why = format!("snapshots were taken with it: {}", all.join(", "));
        return needed(why, &format!("remove them: `qchroot snapshot {name} --remove {snapshot}`"));
    }
    Ok(())
}
