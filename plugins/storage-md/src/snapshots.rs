//! Snapshots: copies of a disk, sharing its blocks where the host's file system can, in directories of their own
//! beside it.

use camino::Utf8PathBuf;
use qchroot_api::{
    Container, DiskStep, Error, ErrorKind, Observe, Place, Plan, Result, Snapshot, Step, size_text,
};

use crate::disk::{Disk, image, require_space};
use crate::resize::{exchange, fresh};
use crate::settings::size_word;

fn all(container: &Container) -> Utf8PathBuf {
    container.dir.join("snapshots")
}

fn one(container: &Container, name: &str) -> Utf8PathBuf {
    all(container).join(name)
}

/// Steps that copy the disk as it is.
pub(crate) fn take(container: &Container, name: &str, host: &dyn Observe) -> Result<Plan> {
    let disk = Disk::stopped(container, "copied", host)?;
    let dir = one(container, name);
    if host.stat(&Place::host(&dir))?.is_some() {
        let message = format!("{} has a snapshot {name} already", container.name);
        return Err(Error::new(ErrorKind::Exists, message)
            .with("container", &container.name)
            .hint("choose another name, or remove that one first"));
    }
    let make = |at: Utf8PathBuf| Step::MakeDir { at: Place::host(at), mode: 0o700 };
    let copy = DiskStep::Clone {
        from: image(container),
        to: dir.join("disk.img"),
        fs: disk.fs,
        size: disk.info.length,
        reserve: false,
    };
    Ok(vec![disk.put_in_order(), make(all(container)), make(dir), Step::Disk(copy)])
}

/// Steps that put a copy of a snapshot into the disk's place.
pub(crate) fn restore(container: &Container, name: &str, host: &dyn Observe) -> Result<Plan> {
    let disk = Disk::stopped(container, "taken back", host)?;
    let kept = one(container, name).join("disk.img");
    let Some(snapshot) = host.disk(&kept)? else { return Err(no_such(container, name)) };
    let (limit, reserve) = (disk.info.length, disk.settings.reserve);
    if snapshot.length > limit {
        return Err(too_large(container, name, snapshot.length, limit));
    }
    let wanted = if reserve { limit } else { snapshot.allocated };
    require_space(&Place::host(&container.dir), wanted, host)?;
    let copy = DiskStep::Clone { from: kept, to: fresh(container), fs: disk.fs, size: limit, reserve };
    Ok([Step::Disk(copy)].into_iter().chain(exchange(container)).collect())
}

/// Steps that remove a snapshot.
pub(crate) fn forget(container: &Container, name: &str, host: &dyn Observe) -> Result<Plan> {
    let dir = one(container, name);
    match host.stat(&Place::host(&dir))? {
        Some(_) => Ok(vec![Step::RemoveTree { at: dir }]),
        None => Err(no_such(container, name)),
    }
}

/// The snapshots, the oldest first.
pub(crate) fn list(container: &Container, host: &dyn Observe) -> Result<Vec<Snapshot>> {
    let names = match host.list(&Place::host(all(container))) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(vec![]),
        names => names?,
    };
    let mut found = vec![];
    for name in names {
        let stat = host.stat(&Place::host(one(container, &name).join("disk.img")))?;
        found.extend(stat.map(|_| Snapshot { taken: taken(container, &name, host), name }));
    }
    found.sort_by_key(|snapshot| snapshot.taken);
    Ok(found)
}

/// The directory of a snapshot does not change after the disk was put into it.
fn taken(container: &Container, name: &str, host: &dyn Observe) -> u64 {
    let stat = host.stat(&Place::host(one(container, name))).ok().flatten();
    stat.and_then(|stat| u64::try_from(stat.mtime.0).ok()).unwrap_or(0)
}

fn no_such(container: &Container, name: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("{} has no snapshot {name}", container.name))
        .with("container", &container.name)
        .hint(format!("`qchroot snapshot {}` lists those that there are", container.name))
}

fn too_large(container: &Container, name: &str, length: u64, limit: u64) -> Error {
    let container = &container.name;
    Error::new(ErrorKind::Usage, format!("snapshot {name} of {container} is larger than {container} may be"))
        .cause(format!("the snapshot has {}, the limit is {}", size_text(length), size_text(limit)))
        .with("container", container)
        .hint(format!("`qchroot resize {container} {}` first", size_word(length)))
}
