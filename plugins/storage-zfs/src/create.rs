//! A new container: a clone of its base's template, which the first one makes.

use camino::Utf8PathBuf;
use qchroot_api::{
    Base, Container, Error, ErrorKind, Observe, Place, Plan, Result, SHARED_PART, Step, shared_links,
    size_text,
};

use crate::names::{Parent, template};
use crate::settings::Settings;
use crate::zfs::{self, Made, Owner, Zfs};

/// Steps that make a container of `base`.
pub(crate) fn plan(base: &Base, container: &Container, host: &dyn Observe) -> Result<Plan> {
    let (zfs, settings) = (Zfs::of(host)?, Settings::read(&container.storage)?);
    let parent = Parent::of(container, host)?;
    require_room(zfs, &parent, settings.size)?;
    let own = parent.container(container);
    refuse_taken(zfs, &own)?;
    let from = template(&parent.base(&base.id));
    let mut plan = vec![];
    match zfs.get(&from, &["referenced"])? {
        Some(found) => {
            require_size(&settings, found.bytes("referenced"), &format!("a container of {}", base.id))?
        }
        None => plan.extend(first(base, container, &parent, zfs)?),
    }
    plan.push(make_root(container));
    plan.push(zfs::clone(&from, &own, Made::Container, &settings.properties()));
    Ok(plan)
}

pub(crate) fn make_root(container: &Container) -> Step {
    Step::MakeDir { at: Place::host(container.root()), mode: 0o755 }
}

/// Steps that make the template of a base, aside and under a name that is this container's alone; it gets its own name
/// when it is whole. Two creates at a time make two, and the second one is thrown away.
fn first(base: &Base, container: &Container, parent: &Parent, zfs: Zfs<'_>) -> Result<Plan> {
    let (fresh, whole) = (parent.fresh(container), parent.base(&base.id));
    let at: Utf8PathBuf = container.dir.join("base");
    let inside = |path: &str| Place::within(&at, path);
    let mut plan = vec![];
    match zfs.owner(&fresh, Made::Base)? {
        Owner::Nobody => {}
        // What an earlier run left there goes first.
        Owner::Ours => plan.push(zfs::discard(&fresh, Made::Base)),
        Owner::Another => return Err(not_ours(&fresh)),
    }
    if zfs.exists(&whole)? {
        return Err(not_ours(&whole));
    }
    plan.push(Step::MakeDir { at: Place::host(&at), mode: 0o755 });
    plan.push(zfs::create(&fresh, Made::Base, &[format!("mountpoint={at}")]));
    plan.push(Step::CopyInto { from: base.template.clone(), into: at.clone() });
    plan.push(Step::MakeDir { at: inside(SHARED_PART), mode: 0o755 });
    let link =
        |(path, to): (Utf8PathBuf, Utf8PathBuf)| Step::Link { at: Place::within(&at, path), to, was: None };
    plan.extend(shared_links(base).into_iter().map(link));
    plan.push(zfs::set(&fresh, "mountpoint", "legacy", at.as_str()));
    plan.push(zfs::snapshot(&template(&fresh)));
    plan.push(zfs::publish(&fresh, &whole, &template(&whole)));
    plan.push(zfs::discard(&fresh, Made::Base));
    plan.push(Step::RemoveDir { at: Place::host(at) });
    Ok(plan)
}

/// Refuses a size that is more than the pool has.
pub(crate) fn require_room(zfs: Zfs<'_>, parent: &Parent, size: Option<u64>) -> Result<()> {
    let name = &parent.0;
    let Some(found) = zfs.get(name, &["used", "available"])? else {
        return Err(Error::new(ErrorKind::NotFound, format!("there is no data set {name}"))
            .with("dataset", name)
            .hint(format!("make it with `zfs create -p {name}`, or name another one")));
    };
    let (used, available) = (found.bytes("used"), found.bytes("available"));
    match size {
        Some(size) if size > used.saturating_add(available) => {
            Err(Error::new(ErrorKind::Usage, format!("{} are more than there is", size_text(size)))
                .cause(format!("{name} has {} free, and {} used", size_text(available), size_text(used)))
                .with("key", "size")
                .with("free", available)
                .hint("choose a smaller size, or another data set"))
        }
        _ => Ok(()),
    }
}

/// Refuses a size too small for what there is from the beginning.
pub(crate) fn require_size(settings: &Settings, least: u64, what: &str) -> Result<()> {
    match settings.size {
        Some(size) if size < least => {
            Err(Error::new(ErrorKind::Usage, format!("{} is too small for {what}", size_text(size)))
                .cause(format!("what it starts with takes {}", size_text(least)))
                .with("key", "size")
                .with("least", least)
                .hint(format!("choose {} at least", size_text(least))))
        }
        _ => Ok(()),
    }
}

/// Refuses a name that a data set has already, whoever made it.
pub(crate) fn refuse_taken(zfs: Zfs<'_>, dataset: &str) -> Result<()> {
    match zfs.owner(dataset, Made::Container)? {
        Owner::Nobody => Ok(()),
        Owner::Another => Err(not_ours(dataset)),
        Owner::Ours => Err(Error::new(ErrorKind::Exists, format!("there is a data set {dataset} already"))
            .cause("a container of this name left it, or another system's has it")
            .with("dataset", dataset)
            .hint(format!("`zfs destroy -r {dataset}` if nobody needs it, or choose another name"))),
    }
}

pub(crate) fn not_ours(dataset: &str) -> Error {
    Error::new(ErrorKind::Exists, format!("there is a data set {dataset}, and qchroot did not make it"))
        .with("dataset", dataset)
        .hint("rename it, or choose another name or another option `dataset`")
}
