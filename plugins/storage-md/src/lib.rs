//! Storage `md`: the private tree lives on a disk of a fixed size, a file system in a file, and the shared base is
//! mounted read-only inside it.
//!
//! A container cannot take one byte more than it was given. This crate only plans; the host layer shows the file as
//! md(4) on FreeBSD and as loop(4) on Linux.

#![forbid(unsafe_code)]

mod disk;
mod resize;
mod settings;
mod snapshots;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{
    Backend, Base, Capability, Container, Derived, DiskCheck, DiskStep, Error, ErrorKind, Info, Kind, Mount,
    MountFs, Observe, Options, Place, Plan, Platform, Registration, Result, SHARED_PART, SharedStorage,
    Snapshot, Step, Usage, inventory, shared_links, shared_plan, size_text, snapshots_of,
};

use disk::{Disk, image, require_space, template};
use settings::Settings;

inventory::submit! { Registration::Storage(|| Box::new(Md)) }

/// The back end.
#[derive(Debug, Clone, Copy, Default)]
pub struct Md;

impl Backend for Md {
    fn info(&self) -> Info {
        Info {
            name: "md".into(),
            kind: Kind::SharedStorage,
            programs: vec![],
            summary: "a private tree on a disk of a fixed size, the shared base mounted read-only inside"
                .into(),
            platforms: vec![Platform::Linux, Platform::Freebsd],
            capabilities: [
                Capability::SharedReadOnly,
                Capability::Quota,
                Capability::Closed,
                Capability::Resize,
                Capability::Check,
                Capability::Clone,
                Capability::Snapshot,
                Capability::Export,
            ]
            .into(),
            options: settings::specs(),
        }
    }

    fn check(&self, options: &Options) -> Result<()> {
        Settings::read(options).map(drop)
    }
}

impl SharedStorage for Md {
    fn create(&self, base: &Base, container: &Container, host: &dyn Observe) -> Result<Plan> {
        let settings = Settings::read(&container.storage)?;
        let fs = settings.fs(host.platform()?)?;
        let (size, from, reserve) = (settings.size(fs)?, template(base, fs), settings.reserve);
        if let Some(least) = host.disk(&from)?.map(|info| info.length)
            && size < least
        {
            return Err(too_small_for(base, size, least));
        }
        if reserve {
            // The container's own directory is yet to be made.
            let near = container.dir.parent().unwrap_or(&container.dir);
            require_space(&Place::host(near), size, host)?;
        }
        let first = DiskStep::Template {
            at: from.clone(),
            fs,
            tree: base.template.clone(),
            dirs: vec![SHARED_PART.into()],
            links: shared_links(base),
        };
        Ok(vec![
            Step::Disk(first),
            make_root(container),
            Step::Disk(DiskStep::Clone { from, to: image(container), fs, size, reserve }),
        ])
    }

    fn attach(&self, base: &Base, container: &Container, host: &dyn Observe) -> Result<Plan> {
        let settings = Settings::read(&container.storage)?;
        let fs = settings.fs(host.platform()?)?;
        let file = image(container);
        let how = disk::before_use(&settings, host.disk(&file)?.as_ref());
        let mut mount = Mount::new(Place::host(container.root()), MountFs::Disk { file, fs });
        (mount.nosuid, mount.nodev) = (settings.nosuid, container.own_dev);
        let mut plan = vec![disk::check(container, fs, how), Step::Mount(mount)];
        plan.extend(shared_plan(base, container, host)?);
        Ok(plan)
    }

    /// While the container is stopped its root is empty, and its files are on the disk alone.
    fn layers(&self, base: &Base, container: &Container) -> Result<Vec<Utf8PathBuf>> {
        Ok(vec![container.root(), base.sharedfs.clone()])
    }

    fn private(&self, container: &Container) -> Result<Utf8PathBuf> {
        Ok(image(container))
    }

    fn derived(&self, base: &Base, container: &Container) -> Result<Option<Derived>> {
        Ok(Some(Derived::Copy { at: container.root(), links: shared_links(base) }))
    }

    fn usage(&self, container: &Container, host: &dyn Observe) -> Result<Option<Usage>> {
        Ok(host.disk(&image(container))?.map(|info| Usage {
            used: info.used,
            free: Some(info.free),
            limit: Some(info.length),
            apparent: Some(info.length),
            allocated: info.allocated,
        }))
    }

    fn resize(&self, _base: &Base, container: &Container, to: u64, host: &dyn Observe) -> Result<Plan> {
        resize::plan(container, to, host)
    }

    fn examine(&self, container: &Container, how: DiskCheck, host: &dyn Observe) -> Result<Plan> {
        let disk = Disk::stopped(container, "checked", host)?;
        Ok(vec![disk::check(container, disk.fs, how)])
    }

    fn clone_of(&self, _base: &Base, from: &Container, to: &Container, host: &dyn Observe) -> Result<Plan> {
        let disk = Disk::stopped(from, "cloned", host)?;
        let settings = Settings::read(&to.storage)?;
        let (size, reserve) = (settings.size(disk.fs)?.max(disk.info.length), settings.reserve);
        if reserve {
            require_space(&Place::host(&from.dir), size, host)?;
        }
        let copy = DiskStep::Clone { from: image(from), to: image(to), fs: disk.fs, size, reserve };
        Ok(vec![disk.put_in_order(), make_root(to), Step::Disk(copy)])
    }

    /// The disk that was brought has the identity of the one that it was made from, and that may be on this host.
    fn receive(
        &self,
        _base: &Base,
        container: &Container,
        disk: Option<&Utf8Path>,
        host: &dyn Observe,
    ) -> Result<Plan> {
        let settings = Settings::read(&container.storage)?;
        let (fs, reserve) = (settings.fs(host.platform()?)?, settings.reserve);
        let size = settings.size(fs)?;
        let from = disk.ok_or_else(|| Error::new(ErrorKind::BadData, "a tree cannot become a disk"))?;
        let copy = DiskStep::Clone { from: from.into(), to: image(container), fs, size, reserve };
        Ok(vec![make_root(container), Step::Disk(copy)])
    }

    fn snapshot(&self, container: &Container, name: &str, host: &dyn Observe) -> Result<Plan> {
        snapshots::take(container, name, host)
    }

    fn restore(&self, container: &Container, name: &str, host: &dyn Observe) -> Result<Plan> {
        snapshots::restore(container, name, host)
    }

    fn forget(&self, container: &Container, name: &str, host: &dyn Observe) -> Result<Plan> {
        snapshots::forget(container, name, host)
    }

    fn snapshots(&self, container: &Container, host: &dyn Observe) -> Result<Vec<Snapshot>> {
        snapshots_of(container, host)
    }
}

fn make_root(container: &Container) -> Step {
    Step::MakeDir { at: Place::host(container.root()), mode: 0o755 }
}

fn too_small_for(base: &Base, size: u64, least: u64) -> Error {
    let message = format!("{} is too small for a container of {}", size_text(size), base.id);
    Error::new(ErrorKind::Usage, message)
        .cause(format!("what it starts with takes {}", size_text(least)))
        .with("key", "size")
        .with("least", least)
        .hint(format!("choose {} at least", settings::size_word(least)))
}
