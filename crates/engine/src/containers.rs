//! Containers as they stand in the configuration: which there are, and what each consists of.

use camino::Utf8PathBuf;
use qchroot_api::{Capability, Container, Error, ErrorKind, Isolation, Name, Result, Service, SharedStorage};

use crate::config::{ContainerFile, locate, parse};
use crate::service_entry::in_order_of;
use crate::{Engine, Held, Installed, PermissionEntry};

/// A container, its base and its back ends.
pub struct Loaded<'a> {
    /// Its name.
    pub name: Name,
    /// Its administration file.
    pub file: ContainerFile,
    /// What back ends are told.
    pub container: Container,
    /// The base it is pinned to, or what stands for one.
    pub installed: Installed,
    /// Its storage.
    pub storage: &'a dyn SharedStorage,
    /// Its isolation.
    pub isolation: &'a dyn Isolation,
    /// Its services, in the order they start.
    pub services: Vec<Service>,
}

impl Engine<'_> {
    /// All containers in ascending order.
    pub fn names(&self) -> Result<Vec<Name>> {
        let files = self.host.list_own(&self.layout.containers)?;
        let mut names: Vec<Name> =
            files.iter().filter_map(|file| file.strip_suffix(".toml")?.parse().ok()).collect();
        names.sort();
        Ok(names)
    }

    /// Those that start with the system. One whose file is damaged is among them, so that its user is told.
    pub fn names_at_boot(&self) -> Result<Vec<Name>> {
        let mut names = self.names()?;
        names.retain(|name| self.read_file(name).map_or(true, |(file, _)| file.boot));
        Ok(names)
    }

    /// The names given, each once; all containers when none is given.
    pub fn names_or_all(&self, given: &[Name]) -> Result<Vec<Name>> {
        let mut names = if given.is_empty() { self.names()? } else { given.to_vec() };
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// A container's administration file and its text.
    ///
    /// # Errors
    /// Not found, or configuration with line and column.
    pub(crate) fn read_file(&self, name: &Name) -> Result<(ContainerFile, String)> {
        let path = self.layout.file(name);
        let bytes = self.host.read_own(&path)?.ok_or_else(|| self.no_such(name))?;
        let text = String::from_utf8(bytes)
            .map_err(|_| Error::new(ErrorKind::Config, format!("{path} is not UTF-8")).with("path", &path))?;
        Ok((parse(&path, &text)?, text))
    }

    /// Everything about one container, its options checked by its back ends.
    pub fn load(&self, name: &Name) -> Result<Loaded<'_>> {
        let (file, text) = self.read_file(name)?;
        let storage = self.registry.storage(&file.storage.backend)?;
        let isolation = self.registry.isolation(&file.isolation.backend)?;
        let locate_in = |table| {
            let path = self.layout.file(name);
            let text = &text;
            move |error| locate(error, &path, text, &[table, "options"])
        };
        storage.check(&file.storage.options).map_err(locate_in("storage"))?;
        isolation.check(&file.isolation.options).map_err(locate_in("isolation"))?;
        let configured = in_order_of(&file.service, &self.layout.file(name), &text)?;
        file.permission.iter().try_for_each(PermissionEntry::check)?;
        file.node.iter().try_for_each(|node| node.numbers().map(drop))?;
        let installed = self.base_of(&file, storage)?;
        let container = self.container(name, self.layout.container(name), &file);
        let mut services = isolation.services(&container)?;
        if let Some(twice) = configured.iter().find(|one| services.iter().any(|own| own.name == one.name)) {
            let message = format!("{name} has a service {} by its isolation already", twice.name);
            return Err(Error::new(ErrorKind::Config, message)
                .with("container", name)
                .hint("give it another name"));
        }
        services.extend(configured);
        Ok(Loaded { name: name.clone(), file, container, installed, storage, isolation, services })
    }

    pub(crate) fn container(&self, name: &Name, dir: Utf8PathBuf, file: &ContainerFile) -> Container {
        let isolation = self.registry.isolation(&file.isolation.backend);
        Container {
            name: name.clone(),
            dir,
            log: self.layout.container_log(name),
            storage: file.storage.options.clone(),
            isolation: file.isolation.options.clone(),
            limits: file.limits.limits(),
            own_dev: isolation.is_ok_and(|it| it.info().capabilities.contains(&Capability::OwnDev)),
        }
    }

    /// # Errors
    /// Not found, with a name that is near.
    pub(crate) fn refuse_missing(&self, name: &Name) -> Result<()> {
        if self.names()?.contains(name) { Ok(()) } else { Err(self.no_such(name)) }
    }

    fn no_such(&self, name: &Name) -> Error {
        let error =
            Error::new(ErrorKind::NotFound, format!("there is no container {name}")).with("container", name);
        let near = self
            .names()
            .unwrap_or_default()
            .into_iter()
            .find(|other| strsim::damerau_levenshtein(other.as_str(), name.as_str()) <= 2);
        match near {
            Some(near) => error.hint(format!("did you mean {near}?")),
            None => error.hint("`qchroot list` shows all containers"),
        }
    }

    /// Takes the lock of one container for a whole operation. A dry run takes none: it changes nothing.
    ///
    /// # Errors
    /// Busy, when another qchroot works on it.
    pub(crate) fn lock_container(&self, name: &Name) -> Result<Option<Held>> {
        if self.dry_run {
            return Ok(None);
        }
        self.require_superuser()?;
        self.host.make_own_dir(&self.layout.locks())?;
        match self.host.lock(&self.layout.lock(name), false)? {
            Some(held) => Ok(Some(held)),
            None => Err(Error::new(ErrorKind::Busy, format!("{name} is busy: another qchroot works on it"))
                .with("container", name)
                .hint("wait for it to end, then try again")),
        }
    }

    /// # Errors
    /// Permission, when this process may not change the machine.
    pub(crate) fn require_superuser(&self) -> Result<()> {
        if self.host.is_superuser() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Permission, "only root may do this")
            .hint("log in as root, or use su, sudo or doas"))
    }
}
