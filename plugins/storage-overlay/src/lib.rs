//! Storage `overlay`: the base below, the container's own changes above, by Linux' overlayfs.
//!
//! A container may replace anything it sees, package managers included, and the base stays as it is. This
//! crate only plans; it knows nothing about how a mount is made.

#![forbid(unsafe_code)]

mod limit;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{
    Backend, Base, Capability, Container, Derived, Error, ErrorKind, Info, Kind, Mount, MountFs, Observe,
    Options, Place, Plan, Platform, Registration, Result, SharedStorage, Snapshot, Step, Usage,
    check_host_trees, check_options, forget_steps, host_trees_plan, host_trees_spec, inventory, require_leaf,
    restore_steps, snapshot_data, snapshot_steps, snapshots_of,
};

inventory::submit! { Registration::Storage(|| Box::new(Overlay)) }

/// The back end.
#[derive(Debug, Clone, Copy, Default)]
pub struct Overlay;

impl Backend for Overlay {
    fn info(&self) -> Info {
        Info {
            name: "overlay".into(),
            kind: Kind::SharedStorage,
            programs: vec![],
            summary: "the shared base below, the container's own changes above (overlayfs)".into(),
            platforms: vec![Platform::Linux],
            capabilities: [
                Capability::CopyOnWrite,
                Capability::Quota,
                Capability::Resize,
                Capability::Snapshot,
                Capability::Clone,
                Capability::Export,
            ]
            .into(),
            options: vec![limit::spec(), host_trees_spec()],
        }
    }

    fn check(&self, options: &Options) -> Result<()> {
        check_options("overlay", &self.info().options, options)?;
        limit::check(options)?;
        check_host_trees(options)
    }
}

impl SharedStorage for Overlay {
    fn create(&self, _base: &Base, container: &Container, host: &dyn Observe) -> Result<Plan> {
        require_overlay(host)?;
        require_upper(container, host)?;
        limit::require_quotas(container, host)?;
        let mut plan = Plan::from(
            [("root", 0o755), ("upper", 0o755), ("work", 0o700)]
                .map(|(name, mode)| Step::MakeDir { at: Place::host(container.dir.join(name)), mode }),
        );
        plan.extend(limit::limit(container, None)?);
        Ok(plan)
    }

    fn usage(&self, container: &Container, host: &dyn Observe) -> Result<Option<Usage>> {
        limit::usage(container, host)
    }

    fn resize(&self, _base: &Base, container: &Container, to: u64, host: &dyn Observe) -> Result<Plan> {
        limit::resize(container, to, host)
    }

    fn delete(&self, container: &Container, host: &dyn Observe) -> Result<Plan> {
        limit::forget(container, host)
    }

    fn attach(&self, base: &Base, container: &Container, host: &dyn Observe) -> Result<Plan> {
        require_overlay(host)?;
        require_leaf(base, host)?;
        let root = container.root();
        let layers = MountFs::Overlay {
            lower: vec![base.template.clone(), base.sharedfs.clone()],
            upper: container.dir.join("upper"),
            work: container.dir.join("work"),
        };
        let mut plan = vec![Step::Mount(Mount::new(Place::host(&root), layers))];
        plan.extend(host_trees_plan(&container.storage, host, |path| Place::within(&root, path))?);
        Ok(plan)
    }

    fn receive(
        &self,
        base: &Base,
        container: &Container,
        _disk: Option<&Utf8Path>,
        host: &dyn Observe,
    ) -> Result<Plan> {
        self.create(base, container, host)
    }

    fn layers(&self, base: &Base, container: &Container) -> Result<Vec<Utf8PathBuf>> {
        Ok(vec![container.dir.join("upper"), base.template.clone(), base.sharedfs.clone()])
    }

    fn derived(&self, _base: &Base, container: &Container) -> Result<Option<Derived>> {
        Ok(Some(Derived::Layer { at: container.dir.join("upper") }))
    }

    fn private(&self, container: &Container) -> Result<Utf8PathBuf> {
        Ok(container.dir.join("upper"))
    }

    /// The layer is copied as it is: it stands for itself, without references into the lower ones that an index
    /// would verify.
    fn clone_of(&self, base: &Base, from: &Container, to: &Container, host: &dyn Observe) -> Result<Plan> {
        let (from, copy) = (self.private(from)?, self.private(to)?);
        let upper = Place::host(&copy);
        let in_place_of = |step| match step {
            Step::MakeDir { at, .. } if at == upper => {
                Step::CopyTree { from: from.clone(), to: copy.clone() }
            }
            step => step,
        };
        Ok(self.create(base, to, host)?.into_iter().map(in_place_of).collect())
    }

    fn snapshot(&self, container: &Container, name: &str, _host: &dyn Observe) -> Result<Plan> {
        Ok(snapshot_steps(container, &self.private(container)?, name))
    }

    fn restore(&self, container: &Container, name: &str, host: &dyn Observe) -> Result<Plan> {
        let from = snapshot_data(container, name);
        let mut plan = restore_steps(container, &self.private(container)?, |to| Step::CopyTree { from, to });
        let was = limit::usage(container, host)?.and_then(|usage| usage.limit);
        plan.extend(limit::limit(container, was)?);
        Ok(plan)
    }

    fn forget(&self, container: &Container, name: &str, _host: &dyn Observe) -> Result<Plan> {
        Ok(forget_steps(container, name))
    }

    fn snapshots(&self, container: &Container, host: &dyn Observe) -> Result<Vec<Snapshot>> {
        snapshots_of(container, host)
    }
}

fn require_overlay(host: &dyn Observe) -> Result<()> {
    if host.has_fs("overlay")? {
        return Ok(());
    }
    let hint = match host.platform()? {
        Platform::Linux => "load it (modprobe overlay), or use --storage nullfs",
        Platform::Freebsd => "it is Linux's: use --storage nullfs",
    };
    Err(Error::new(ErrorKind::Unavailable, "this kernel has no overlay file system").hint(hint))
}

/// Types of file systems that the kernel refuses as an upper layer: they lack extended attributes, marks of removed
/// files or names that tell capitals, or others change them; "Upper and lower" in the kernel's "Overlay Filesystem".
const NO_UPPER: &[&str] = &[
    "9p", "afs", "aufs", "ceph", "cifs", "ecryptfs", "erofs", "exfat", "hfsplus", "iso9660", "msdos", "nfs",
    "nfs4", "ntfs", "ntfs3", "overlay", "smb3", "squashfs", "udf", "vfat", "virtiofs",
];

fn require_upper(container: &Container, host: &dyn Observe) -> Result<()> {
    // The container's own directory is yet to be made.
    let near = container.dir.parent().unwrap_or(&container.dir);
    let fs = host.space(&Place::host(near))?.fs;
    if !NO_UPPER.contains(&fs.as_str()) && !fs.starts_with("fuse") {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Unavailable, format!("overlayfs cannot keep changes in {near}: it is on {fs}"))
        .with("path", near)
        .hint("use --storage nullfs, or keep containers on a file system such as ext4, xfs or btrfs"))
}
