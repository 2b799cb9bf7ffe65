//! Snapshots that are copies: for storages whose private part is one tree or one file in the container's directory. It
//! knows where copies lie, not what is in them.

use camino::{Utf8Path, Utf8PathBuf};

use crate::{Container, ErrorKind, Observe, Place, Plan, Result, Snapshot, Step};

/// The directory of the snapshot `name`: `CONTAINER.dir/snapshots/NAME`. What the engine writes down about a snapshot
/// lies in it too, whatever the storage.
#[must_use]
pub fn snapshot_dir(container: &Container, name: &str) -> Utf8PathBuf {
    all(container).join(name)
}

/// Where the copy lies that the snapshot `name` consists of.
#[must_use]
pub fn snapshot_data(container: &Container, name: &str) -> Utf8PathBuf {
    snapshot_dir(container, name).join("data")
}

fn all(container: &Container) -> Utf8PathBuf {
    container.dir.join("snapshots")
}

/// Steps that copy the tree or file `private` to the snapshot `name`. Only the superuser can look into it.
#[must_use]
pub fn snapshot_steps(container: &Container, private: &Utf8Path, name: &str) -> Plan {
    vec![
        Step::MakeDir { at: Place::host(all(container)), mode: 0o700 },
        Step::MakeDir { at: Place::host(snapshot_dir(container, name)), mode: 0o700 },
        Step::CopyTree { from: private.into(), to: snapshot_data(container, name) },
    ]
}

/// Steps that put a copy of a snapshot in place of the tree or file `private`. `copy` makes it, out of
/// [`snapshot_data`] at the path that it is given, as a rule by [`Step::CopyTree`]; its inverse removes it.
///
/// What was there is removed last: up to then there is a way back. The new name is moved, not renamed, because
/// afterwards a look at the machine would not tell whether it was.
#[must_use]
pub fn restore_steps(
    container: &Container,
    private: &Utf8Path,
    copy: impl FnOnce(Utf8PathBuf) -> Step,
) -> Plan {
    let [new, old] = ["restore.new", "restore.old"].map(|name| container.dir.join(name));
    let private = Place::host(private);
    vec![
        copy(new.clone()),
        Step::Move { from: private.clone(), to: Place::host(&old) },
        Step::Move { from: Place::host(new), to: private },
        Step::RemoveTree { at: old },
    ]
}

/// Steps that remove the snapshot `name`.
#[must_use]
pub fn forget_steps(container: &Container, name: &str) -> Plan {
    vec![Step::RemoveTree { at: snapshot_dir(container, name) }]
}

/// The snapshots that are copies, the oldest first.
///
/// # Errors
/// What the system says, such as that this user may not look.
pub fn snapshots_of(container: &Container, host: &dyn Observe) -> Result<Vec<Snapshot>> {
    let names = match host.list(&Place::host(all(container))) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(vec![]),
        names => names?,
    };
    let mut found = vec![];
    for name in names {
        let data = Place::host(snapshot_data(container, &name));
        if host.stat(&data)?.is_some() {
            let stat = host.stat(&Place::host(snapshot_dir(container, &name)))?;
            let taken = stat.and_then(|stat| u64::try_from(stat.mtime.0).ok()).unwrap_or(0);
            found.push(Snapshot { name, taken });
        }
    }
    found.sort_by(|a, b| (a.taken, &a.name).cmp(&(b.taken, &b.name)));
    Ok(found)
}
