//! What the steps of a storage are on btrfs. Everything that a container has is one subvolume, `DIR/root`, and its
//! snapshots are subvolumes below the same directory: so `rename` and `delete` have nothing to add to what qchroot does
//! with the directory, and nothing is left anywhere else.
//!
//! It knows no command line; those are in [`crate::btrfs`].

use qchroot_plugin::camino::{Utf8Path, Utf8PathBuf};
use qchroot_plugin::{
    Backend, Base, Capability, Container, Derived, Error, ErrorKind, Info, Kind, Observe, OptionKind,
    OptionSpec, Place, Plan, Platform, Result, SHARED_PART, SharedStorage, Snapshot, Step, Usage,
    forget_steps, parse_size, restore_steps, shared_links, shared_plan, size_text, snapshot_data,
    snapshot_dir, snapshots_of,
};

use crate::btrfs;

/// The back end.
pub(crate) struct Btrfs;

impl Backend for Btrfs {
    fn info(&self) -> Info {
        Info {
            name: "example.btrfs".into(),
            kind: Kind::SharedStorage,
            summary: "a subvolume of btrfs, the shared base mounted read-only inside".into(),
            platforms: vec![Platform::Linux],
            capabilities: [
                Capability::SharedReadOnly,
                Capability::Quota,
                Capability::Resize,
                Capability::Snapshot,
                Capability::Clone,
                Capability::Export,
            ]
            .into(),
            options: vec![OptionSpec::new(
                "size",
                OptionKind::Size,
                "none",
                "what the container may write; btrfs must count, `btrfs quota enable`",
            )],
            // A plan of a third party's that runs anything else is refused.
            programs: vec![btrfs::PROGRAM.into()],
        }
    }
}

impl SharedStorage for Btrfs {
    fn create(&self, base: &Base, container: &Container, host: &dyn Observe) -> Result<Plan> {
        let root = container.root();
        let mut plan = empty_root(container, host)?;
        plan.push(Step::CopyInto { from: base.template.clone(), into: root.clone() });
        plan.push(Step::MakeDir { at: Place::within(&root, SHARED_PART), mode: 0o755 });
        let link = |(path, to)| Step::Link { at: Place::within(&root, path), to, was: None };
        plan.extend(shared_links(base).into_iter().map(link));
        Ok(plan)
    }

    fn receive(
        &self,
        _base: &Base,
        container: &Container,
        _disk: Option<&Utf8Path>,
        host: &dyn Observe,
    ) -> Result<Plan> {
        empty_root(container, host)
    }

    /// A subvolume is seen where it lies: only what is shared is mounted.
    fn attach(&self, base: &Base, container: &Container, host: &dyn Observe) -> Result<Plan> {
        shared_plan(base, container, host)
    }

    fn layers(&self, base: &Base, container: &Container) -> Result<Vec<Utf8PathBuf>> {
        Ok(vec![container.root(), base.sharedfs.clone()])
    }

    fn private(&self, container: &Container) -> Result<Utf8PathBuf> {
        Ok(container.root())
    }

    fn derived(&self, base: &Base, container: &Container) -> Result<Option<Derived>> {
        Ok(Some(Derived::Copy { at: container.root(), links: shared_links(base) }))
    }

    fn usage(&self, container: &Container, host: &dyn Observe) -> Result<Option<Usage>> {
        let Some(counted) = btrfs::counted(&container.root(), host)? else { return Ok(None) };
        Ok(Some(Usage {
            used: counted.referenced,
            free: counted.limit.map(|limit| limit.saturating_sub(counted.referenced)),
            limit: counted.limit,
            apparent: None,
            allocated: counted.exclusive,
        }))
    }

    fn resize(&self, _base: &Base, container: &Container, to: u64, host: &dyn Observe) -> Result<Plan> {
        let root = container.root();
        let counted = btrfs::counted(&root, host)?.ok_or_else(|| no_quotas(&root))?;
        if counted.limit == Some(to) {
            return Ok(vec![]);
        }
        if to < counted.referenced {
            return Err(too_small(container, to, counted.referenced));
        }
        Ok(vec![btrfs::limit(&root, to, counted.limit)])
    }

    fn clone_of(&self, _base: &Base, from: &Container, to: &Container, host: &dyn Observe) -> Result<Plan> {
        let copy = btrfs::snapshot(&from.root(), &to.root());
        Ok([copy].into_iter().chain(limits(to, host)?).collect())
    }

    fn snapshot(&self, container: &Container, name: &str, _host: &dyn Observe) -> Result<Plan> {
        let dir = snapshot_dir(container, name);
        let make = |at: &Utf8Path| Step::MakeDir { at: Place::host(at), mode: 0o700 };
        let mut plan: Plan = dir.parent().into_iter().chain([&*dir]).map(make).collect();
        plan.push(btrfs::snapshot(&container.root(), &snapshot_data(container, name)));
        Ok(plan)
    }

    fn restore(&self, container: &Container, name: &str, host: &dyn Observe) -> Result<Plan> {
        let from = snapshot_data(container, name);
        let mut plan = restore_steps(container, &container.root(), |to| btrfs::snapshot(&from, &to));
        // A snapshot has the limit of its time. What was there goes last, when all else is well.
        let last = plan.pop();
        plan.extend(limits(container, host)?);
        plan.extend(last);
        Ok(plan)
    }

    fn forget(&self, container: &Container, name: &str, _host: &dyn Observe) -> Result<Plan> {
        Ok(forget_steps(container, name))
    }

    fn snapshots(&self, container: &Container, host: &dyn Observe) -> Result<Vec<Snapshot>> {
        snapshots_of(container, host)
    }
}

/// Steps that make an empty root with the container's limit.
fn empty_root(container: &Container, host: &dyn Observe) -> Result<Plan> {
    require_btrfs(container, host)?;
    let limit = limits(container, host)?;
    Ok([btrfs::create(&container.root())].into_iter().chain(limit).collect())
}

/// The step that limits a root which is made before, if the container is to have a limit.
fn limits(container: &Container, host: &dyn Observe) -> Result<Option<Step>> {
    let Some(bytes) = size(container)? else { return Ok(None) };
    let above = existing(&container.dir, host)?;
    match btrfs::counts(&above, host)? {
        true => Ok(Some(btrfs::limit(&container.root(), bytes, None))),
        false => Err(no_quotas(&above)),
    }
}

/// The option `size`, in bytes.
fn size(container: &Container) -> Result<Option<u64>> {
    let Some(value) = container.storage.get("size") else { return Ok(None) };
    let number = value.as_integer().and_then(|bytes| u64::try_from(bytes).ok());
    let bytes = number.or_else(|| value.as_str().and_then(parse_size)).filter(|&bytes| bytes > 0);
    bytes.map(Some).ok_or_else(|| {
        Error::new(ErrorKind::Config, format!("size {value} is nothing to keep a container in"))
            .with("key", "size")
    })
}

/// # Errors
/// Unavailable, with the file system that was found.
fn require_btrfs(container: &Container, host: &dyn Observe) -> Result<()> {
    if host.program(btrfs::PROGRAM)?.is_none() {
        return Err(Error::new(ErrorKind::Unavailable, "this host has no program btrfs")
            .hint("`apt install btrfs-progs`, or use another storage"));
    }
    let above = existing(&container.dir, host)?;
    let found = host.space(&Place::host(&above))?.fs;
    if found == "btrfs" {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Unavailable, format!("{above} is no btrfs but {found}"))
        .with("path", &above)
        .hint(format!("mount a btrfs on {above}, or choose a directory on one with --root")))
}

/// The directory, or the nearest one above it that exists.
fn existing(dir: &Utf8Path, host: &dyn Observe) -> Result<Utf8PathBuf> {
    for above in dir.ancestors() {
        if host.stat(&Place::host(above))?.is_some() {
            return Ok(above.to_owned());
        }
    }
    Ok("/".into())
}

fn no_quotas(dir: &Utf8Path) -> Error {
    Error::new(ErrorKind::Unavailable, format!("the btrfs of {dir} does not count what subvolumes take"))
        .with("path", dir)
        .hint(format!("`btrfs quota enable {dir}`, or do without a size"))
}

fn too_small(container: &Container, to: u64, used: u64) -> Error {
    Error::new(ErrorKind::Usage, format!("{} is too small for what {} holds", size_text(to), container.name))
        .cause(format!("{} are in use", size_text(used)))
        .with("container", &container.name)
        .with("used", used)
        .with("least", used)
        .hint(format!("remove files inside, or choose {} at least", size_text(used)))
}
