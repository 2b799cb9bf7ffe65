//! Snapshots of a container's data set.

use qchroot_api::{Container, Error, ErrorKind, Observe, Plan, Result, Snapshot};

use crate::names::{self, is_for_clone};
use crate::own::Own;
use crate::zfs;

/// Steps that keep what the container has now.
pub(crate) fn take(container: &Container, name: &str, host: &dyn Observe) -> Result<Plan> {
    let own = Own::stopped(container, "copied", host)?;
    let full = names::snapshot(&own.dataset, name)?;
    if own.zfs.exists(&full)? {
        return Err(Error::new(
            ErrorKind::Exists,
            format!("{} has a snapshot {name} already", container.name),
        )
        .with("container", &container.name)
        .hint("choose another name, or remove that one first"));
    }
    Ok(vec![zfs::snapshot(&full)])
}

/// Steps that go back to a snapshot: to the newest, since ZFS would destroy all later ones, zfs-rollback(8).
pub(crate) fn restore(container: &Container, name: &str, host: &dyn Observe) -> Result<Plan> {
    let own = Own::stopped(container, "taken back", host)?;
    let all = own.zfs.snapshots(&own.dataset)?;
    let Some(at) = all.iter().position(|one| one.name == name) else { return Err(no_such(container, name)) };
    if all.len() > at + 1 {
        return Err(later_ones(container, name, &own, &all[at + 1..]));
    }
    Ok(vec![zfs::rollback(&own.dataset, &names::snapshot(&own.dataset, name)?)])
}

fn later_ones(container: &Container, name: &str, own: &Own<'_>, later: &[Snapshot]) -> Error {
    let shown = |one: &Snapshot| format!("{}@{}", own.dataset, one.name);
    let later: Vec<String> = later.iter().map(shown).collect();
    Error::new(
        ErrorKind::Busy,
        format!("{} cannot go back to {name} and keep what came later", container.name),
    )
    .cause(format!("snapshots were taken since: {}", later.join(", ")))
    .with("container", &container.name)
    .hint("remove them first, and the containers that were cloned since")
}

/// Steps that remove a snapshot.
pub(crate) fn forget(container: &Container, name: &str, host: &dyn Observe) -> Result<Plan> {
    let own = Own::of(container, host)?;
    let full = names::snapshot(&own.dataset, name)?;
    if !own.zfs.exists(&full)? {
        return Err(no_such(container, name));
    }
    match own.zfs.clones(&full)?.as_slice() {
        [] => Ok(vec![zfs::destroy_snapshot(&full)]),
        clones => {
            Err(Error::new(ErrorKind::Busy, format!("cannot remove snapshot {name} of {}", container.name))
                .cause(format!("data sets were cloned from it: {}", clones.join(", ")))
                .with("container", &container.name)
                .hint("`zfs promote` them, or destroy them first"))
        }
    }
}

/// The snapshots that people know of, whoever took them.
pub(crate) fn list(container: &Container, host: &dyn Observe) -> Result<Vec<Snapshot>> {
    let own = Own::of(container, host)?;
    let mut all = own.zfs.snapshots(&own.dataset)?;
    all.retain(|one| !is_for_clone(&one.name));
    Ok(all)
}

fn no_such(container: &Container, name: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("{} has no snapshot {name}", container.name))
        .with("container", &container.name)
}
