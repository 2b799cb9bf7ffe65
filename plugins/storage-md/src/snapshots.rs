//! Snapshots: copies of a disk, sharing its blocks where the host's file system can, in directories of their own
//! beside it.

use camino::Utf8PathBuf;
use qchroot_api::{
    Container, DiskStep, Error, ErrorKind, Observe, Place, Plan, Result, Step, forget_steps, size_text,
    snapshot_data, snapshot_dir,
};

use crate::disk::{Disk, image, require_space};
use crate::resize::{exchange, fresh};
use crate::settings::size_word;

/// Steps that copy the disk as it is.
pub(crate) fn take(container: &Container, name: &str, host: &dyn Observe) -> Result<Plan> {
    let disk = Disk::stopped(container, "copied", host)?;
    let dir = snapshot_dir(container, name);
    if host.stat(&Place::host(&dir))?.is_some() {
        let message = format!("{} has a snapshot {name} already", container.name);
        return Err(Error::new(ErrorKind::Exists, message)
            .with("container", &container.name)
            .hint("choose another name, or remove that one first"));
    }
    let make = |at: Utf8PathBuf| Step::MakeDir { at: Place::host(at), mode: 0o700 };
    let copy = DiskStep::Clone {
        from: image(container),
        to: snapshot_data(container, name),
        fs: disk.fs,
        size: disk.info.length,
        reserve: false,
    };
    let all = container.dir.join("snapshots");
    Ok(vec![disk.put_in_order(), make(all), make(dir), Step::Disk(copy)])
}

/// Steps that put a copy of a snapshot into the disk's place.
pub(crate) fn restore(container: &Container, name: &str, host: &dyn Observe) -> Result<Plan> {
    let disk = Disk::stopped(container, "taken back", host)?;
    let kept = snapshot_data(container, name);
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
    match host.stat(&Place::host(snapshot_dir(container, name)))? {
        Some(_) => Ok(forget_steps(container, name)),
        None => Err(no_such(container, name)),
    }
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
