//! Another size for a disk: larger in place, smaller by copying every file to a new one.

use camino::Utf8PathBuf;
use qchroot_api::{Container, DiskStep, Error, ErrorKind, Observe, Place, Plan, Result, Step, size_text};

use crate::disk::{Disk, image, require_space};
use crate::settings::{check_size, size_word};

/// Steps after which the disk has `to` bytes; none when it has.
pub(crate) fn plan(container: &Container, to: u64, host: &dyn Observe) -> Result<Plan> {
    let disk = Disk::of(container, host)?;
    let to = check_size(disk.fs, to)?;
    if to < disk.info.length {
        return shrink(container, to, host);
    }
    if to == disk.info.length && to == disk.info.fs_length {
        return Ok(vec![]);
    }
    grow(&disk, container, to, host)
}

fn grow(disk: &Disk<'_>, container: &Container, to: u64, host: &dyn Observe) -> Result<Plan> {
    let reserve = disk.settings.reserve;
    if reserve {
        let more = to.saturating_sub(disk.info.allocated);
        require_space(&Place::host(&container.dir), more, host)?;
    }
    let mounted = disk.mounted(host)?;
    let before = if mounted.is_none() { vec![disk.put_in_order()] } else { vec![] };
    let (at, fs, from) = (image(container), disk.fs, disk.info.length);
    let grow = Step::Disk(DiskStep::Grow { at, fs, from, to, reserve, mounted });
    Ok(before.into_iter().chain([grow]).collect())
}

fn shrink(container: &Container, to: u64, host: &dyn Observe) -> Result<Plan> {
    let disk = Disk::stopped(container, "made smaller", host)?;
    if to < disk.least() {
        return Err(too_small(&disk, container, to));
    }
    let reserve = disk.settings.reserve;
    let wanted = if reserve { to } else { disk.info.used };
    require_space(&Place::host(&container.dir), wanted, host)?;
    let (new, fs) = (fresh(container), disk.fs);
    let rebuild =
        Step::Disk(DiskStep::Rebuild { from: image(container), to: new.clone(), fs, size: to, reserve });
    let mut plan = vec![disk.put_in_order(), rebuild];
    plan.extend(exchange(container));
    Ok(plan)
}

/// A disk that is made to take the place of the container's own.
pub(crate) fn fresh(container: &Container) -> Utf8PathBuf {
    container.dir.join("disk.new")
}

/// Steps that put the fresh disk into the place of the old one, and remove that.
///
/// They are moves, whose marks reach the journal's disk before they are made: which of two disks is the new one
/// cannot be told by their names after a power cut.
pub(crate) fn exchange(container: &Container) -> Plan {
    let (now, old, new) = (image(container), container.dir.join("disk.old"), fresh(container));
    let to =
        |from: &Utf8PathBuf, to: &Utf8PathBuf| Step::Move { from: Place::host(from), to: Place::host(to) };
    vec![to(&now, &old), to(&new, &now), Step::Disk(DiskStep::Remove { at: old })]
}

fn too_small(disk: &Disk<'_>, container: &Container, to: u64) -> Error {
    let (used, least) = (disk.info.used, disk.least());
    Error::new(ErrorKind::Usage, format!("{} is too small for what {} holds", size_text(to), container.name))
        .cause(format!("{} are in use, and a new disk needs {}", size_text(used), size_text(least)))
        .with("container", &container.name)
        .with("used", used)
        .with("least", least)
        .hint(format!("remove files inside, or choose {} at least", size_word(least)))
}
