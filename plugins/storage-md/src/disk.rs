//! A container's disk as it is now: where it is, what it looks like, and what must be so before it is changed.

use camino::Utf8PathBuf;
use qchroot_api::{
    Base, Container, DiskCheck, DiskFs, DiskInfo, DiskStep, Error, ErrorKind, Observe, Place, Result, Step,
    sandbox_lock, size_text,
};

use crate::settings::Settings;

/// The disk of a container.
pub(crate) fn image(container: &Container) -> Utf8PathBuf {
    container.dir.join("disk.img")
}

/// The disk that those of a base's containers are cloned from.
pub(crate) fn template(base: &Base, fs: DiskFs) -> Utf8PathBuf {
    base.template.with_file_name("disks").join(format!("{fs}.img"))
}

/// A container's options together with its disk.
pub(crate) struct Disk<'a> {
    container: &'a Container,
    pub(crate) settings: Settings,
    pub(crate) fs: DiskFs,
    pub(crate) info: DiskInfo,
}

impl<'a> Disk<'a> {
    /// Looks at a container's disk.
    ///
    /// # Errors
    /// Not found, where it has none.
    pub(crate) fn of(container: &'a Container, host: &dyn Observe) -> Result<Self> {
        let settings = Settings::read(&container.storage)?;
        let fs = settings.fs(host.platform()?)?;
        let at = image(container);
        match host.disk(&at)? {
            Some(info) => Ok(Self { container, settings, fs, info }),
            None => Err(Error::new(ErrorKind::NotFound, format!("{} has no disk", container.name))
                .cause(format!("{at} does not exist"))
                .with("container", &container.name)
                .hint("bring the file back, or delete the container")),
        }
    }

    /// The same, of a container that is stopped.
    ///
    /// # Errors
    /// Busy, where the disk is attached anywhere.
    pub(crate) fn stopped(container: &'a Container, what: &str, host: &dyn Observe) -> Result<Self> {
        let disk = Self::of(container, host)?;
        if disk.info.attached.is_empty() {
            return Ok(disk);
        }
        let name = &container.name;
        Err(disk
            .busy(format!("{name} cannot be {what} while its disk is in use"))
            .hint(format!("`qchroot stop {name}` first")))
    }

    /// An error that names the devices that show the disk.
    pub(crate) fn busy(&self, message: String) -> Error {
        Error::new(ErrorKind::Busy, message)
            .cause(format!("{} is attached as {}", image(self.container), self.info.attached.join(", ")))
            .with("container", &self.container.name)
    }

    /// Where it is mounted, if it is: the container's root.
    ///
    /// # Errors
    /// Busy, where it is attached without being mounted there.
    pub(crate) fn mounted(&self, host: &dyn Observe) -> Result<Option<Place>> {
        if self.info.attached.is_empty() {
            return Ok(None);
        }
        let root = self.container.root();
        let real = host.real_path(&root)?;
        let in_sandbox = host.holder(&sandbox_lock(&root))?.is_some();
        if in_sandbox || host.mounts()?.iter().any(|mounted| mounted.at == real) {
            return Ok(Some(Place::host(root)));
        }
        let name = &self.container.name;
        Err(self
            .busy(format!("the disk of {name} is in use, and not by {name}"))
            .hint("find out who attached it, and detach it"))
    }

    /// The step that puts it in order before it is mounted or copied, as the container's options say.
    pub(crate) fn put_in_order(&self) -> Step {
        check(self.container, self.fs, before_use(&self.settings, Some(&self.info)))
    }

    /// Bytes that can hold what is inside: its files and tables, and what a new file system needs beside them.
    pub(crate) fn least(&self) -> u64 {
        let tables = self.info.used / 16 + (4 << 20);
        (self.info.used + tables).max(self.fs.smallest())
    }
}

/// How a disk is checked before it is mounted or copied. Every repair, which takes a look at everything, is for a disk
/// that shows that it needs one.
pub(crate) fn before_use(settings: &Settings, info: Option<&DiskInfo>) -> DiskCheck {
    match info {
        Some(info) if settings.check == DiskCheck::Repair && info.clean && info.fs_length <= info.length => {
            DiskCheck::Preen
        }
        _ => settings.check,
    }
}

/// The step that checks a container's disk.
pub(crate) fn check(container: &Container, fs: DiskFs, how: DiskCheck) -> Step {
    Step::Disk(DiskStep::Check { at: image(container), fs, how, log: container.log.join("disk.log") })
}

/// Refuses to take more from the host's space, in the directory `near`, than there is.
///
/// # Errors
/// Usage, with the figures.
pub(crate) fn require_space(near: &Place, wanted: u64, host: &dyn Observe) -> Result<()> {
    let free = host.space(near)?.free;
    if wanted <= free {
        return Ok(());
    }
    let message = format!("the host has not enough space for {}", size_text(wanted));
    Err(Error::new(ErrorKind::Usage, message)
        .cause(format!("{} are free where containers are kept", size_text(free)))
        .with("wanted", wanted)
        .with("free", free)
        .hint("choose a smaller size, or make room on the host"))
}
