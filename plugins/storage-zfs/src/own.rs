//! A container's own data set while it lives: what it takes, another limit, another name, a copy, its end.

use qchroot_api::{Container, Error, ErrorKind, Observe, Plan, ReleaseId, Result, Usage, size_text};

use crate::create::{make_root, not_ours, refuse_taken, require_room, require_size};
use crate::names::{self, Parent, template};
use crate::settings::Settings;
use crate::zfs::{self, Made, Owner, Zfs};

/// A container's data set, which is there and ours.
pub(crate) struct Own<'a> {
    pub(crate) zfs: Zfs<'a>,
    pub(crate) dataset: String,
    parent: Parent,
}

impl<'a> Own<'a> {
    /// # Errors
    /// Not found, where it is gone; exists, where somebody else made it.
    pub(crate) fn of(container: &Container, host: &'a dyn Observe) -> Result<Self> {
        let found = Self::find(container, host)?;
        found.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("the data set of {} is gone", container.name))
                .with("container", &container.name)
                .hint("import the pool it lies in, or delete the container")
        })
    }

    /// The same; `None` where it is gone.
    fn find(container: &Container, host: &'a dyn Observe) -> Result<Option<Self>> {
        let (zfs, parent) = (Zfs::of(host)?, Parent::of(container, host)?);
        let dataset = parent.container(container);
        match zfs.owner(&dataset, Made::Container)? {
            Owner::Nobody => Ok(None),
            Owner::Another => Err(not_ours(&dataset)),
            Owner::Ours => Ok(Some(Self { zfs, dataset, parent })),
        }
    }

    /// The same; it is not attached.
    ///
    /// # Errors
    /// Busy, where it is.
    pub(crate) fn stopped(container: &Container, done: &str, host: &'a dyn Observe) -> Result<Self> {
        let own = Self::of(container, host)?;
        let mounts = host.mounts()?;
        let Some(mount) = mounts.iter().find(|mount| mount.source == own.dataset) else { return Ok(own) };
        Err(Error::new(ErrorKind::Busy, format!("{} cannot be {done} while it is in use", container.name))
            .cause(format!("{} is mounted on {}", own.dataset, mount.at))
            .with("container", &container.name)
            .hint(format!("stop it first: `qchroot stop {}`", container.name)))
    }

    fn properties(&self, keys: &[&str]) -> Result<zfs::Properties> {
        let gone = || Error::new(ErrorKind::NotFound, format!("there is no data set {}", self.dataset));
        self.zfs.get(&self.dataset, keys)?.ok_or_else(gone)
    }
}

/// What a container takes and may take.
pub(crate) fn usage(container: &Container, host: &dyn Observe) -> Result<Usage> {
    let (own, settings) = (Own::of(container, host)?, Settings::read(&container.storage)?);
    let found = own.properties(&["used", "referenced", "available", settings.quota.limit()])?;
    let limit = found.limit(settings.quota.limit());
    Ok(Usage {
        used: found.bytes(settings.quota.used()),
        free: limit.map(|_| found.bytes("available")),
        limit,
        apparent: None,
        allocated: found.bytes("used"),
    })
}

/// Steps that change the limit: ZFS refuses a reservation above it.
pub(crate) fn resize(container: &Container, to: u64, host: &dyn Observe) -> Result<Plan> {
    let (own, settings) = (Own::of(container, host)?, Settings::read(&container.storage)?);
    let quota = settings.quota;
    let found = own.properties(&[quota.used(), quota.limit(), quota.reservation()])?;
    let used = found.bytes(quota.used());
    if to < used || to == 0 {
        return Err(too_small(container, to, used));
    }
    require_room(own.zfs, &own.parent, Some(to))?;
    let set = |key: &str| {
        let (value, was) = (to.to_string(), found.bytes(key).to_string());
        zfs::set(&own.dataset, key, &value, &was)
    };
    let grows = found.limit(quota.limit()).is_some_and(|limit| to > limit);
    let mut keys = vec![quota.limit()];
    if settings.reserve {
        keys.insert(usize::from(grows), quota.reservation());
    }
    Ok(keys.into_iter().filter(|key| found.bytes(key) != to).map(set).collect())
}

fn too_small(container: &Container, to: u64, used: u64) -> Error {
    Error::new(ErrorKind::Usage, format!("{} is too small for what {} holds", size_text(to), container.name))
        .cause(format!("{} are in use", size_text(used)))
        .with("container", &container.name)
        .with("used", used)
        .with("least", used)
        .hint(format!("remove files inside, or choose {} at least", size_text(used.max(1))))
}

/// Steps that give the data set another container's name.
pub(crate) fn rename(container: &Container, to: &Container, host: &dyn Observe) -> Result<Plan> {
    let own = Own::stopped(container, "renamed", host)?;
    let name = Parent::of(to, host)?.container(to);
    refuse_taken(own.zfs, &name)?;
    Ok(vec![zfs::rename(&own.dataset, &name)])
}

/// Steps that make `to` a clone of `from`: it shares what neither changes, and either can be deleted.
pub(crate) fn clone_of(from: &Container, to: &Container, host: &dyn Observe) -> Result<Plan> {
    let (own, settings) = (Own::stopped(from, "cloned", host)?, Settings::read(&to.storage)?);
    let parent = Parent::of(to, host)?;
    require_room(own.zfs, &parent, settings.size)?;
    let held = own.properties(&["referenced"])?.bytes("referenced");
    require_size(&settings, held, &format!("a copy of {}", from.name))?;
    let name = parent.container(to);
    refuse_taken(own.zfs, &name)?;
    let taken = own.zfs.snapshots(&own.dataset)?;
    let free = |full: &String| !taken.iter().any(|one| full.ends_with(&format!("@{}", one.name)));
    let numbered = (0..=taken.len()).map(|number| names::for_clone(&own.dataset, to.name.as_str(), number));
    let snapshot = numbered.into_iter().find(free).unwrap_or_default();
    Ok(vec![
        make_root(to),
        zfs::snapshot(&snapshot),
        zfs::clone(&snapshot, &name, Made::Container, &settings.properties()),
        zfs::destroy_with_clones(&snapshot),
    ])
}

/// Steps that remove a container's data set. One that others were cloned from hands what they share over to them.
pub(crate) fn delete(container: &Container, host: &dyn Observe) -> Result<Plan> {
    let Some(own) = Own::find(container, host)? else { return Ok(vec![]) };
    if let Some(child) = own.zfs.children(&own.dataset)?.first() {
        return Err(Error::new(ErrorKind::Busy, format!("cannot delete {}", container.name))
            .cause(format!("there is a data set {child} below its own"))
            .with("container", &container.name)
            .hint(format!("`zfs rename` {child} to another place, or destroy it")));
    }
    let mut plan = hand_over(&own)?;
    plan.push(zfs::destroy(&own.dataset, Made::Container));
    Ok(plan)
}

/// The newest snapshot that has clones goes over to one of them, with all older ones: those that nobody needs are
/// removed before.
fn hand_over(own: &Own<'_>) -> Result<Plan> {
    let (mut idle, mut heir) = (vec![], None);
    for snapshot in own.zfs.snapshots(&own.dataset)? {
        let full = format!("{}@{}", own.dataset, snapshot.name);
        match own.zfs.clones(&full)?.into_iter().next() {
            None => idle.push(zfs::destroy_snapshot(&full)),
            Some(clone) => heir = Some(zfs::promote(&clone, &full)),
        }
    }
    Ok(heir.map_or_else(Vec::new, |heir| idle.into_iter().chain([heir]).collect()))
}

/// Steps that remove templates of bases that are not installed any more and have no clones.
pub(crate) fn prune(installed: &[ReleaseId], host: &dyn Observe) -> Result<Plan> {
    // A host without ZFS, or whose pools cannot be asked, has nothing that could go.
    let Ok(zfs) = Zfs::of(host) else { return Ok(vec![]) };
    let Ok(bases) = zfs.bases() else { return Ok(vec![]) };
    let mut plan = vec![];
    for base in bases.iter().filter(|base| names::is_base(base) && !names::is_base_of(base, installed)) {
        if zfs.clones(&template(base))?.is_empty() {
            plan.push(zfs::destroy(base, Made::Base));
        }
    }
    Ok(plan)
}
