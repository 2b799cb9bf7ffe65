//! `config`: which services start and stop with a container, and its options. The administrator's own comments
//! and order in the file are kept.

use camino::Utf8PathBuf;
use qchroot_api::{Capability, Error, ErrorKind, FileKind, Name, Place, Result, Step};
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};

use crate::config::{ContainerFile, parse};
use crate::ops::config_service::{self, ServiceSetting};
use crate::ops::install::set_options;
use crate::service_entry::{check_service_name, in_order};
use crate::{Engine, Loaded, PermissionEntry, Point, limits};

/// Where the script of a service may be, the first one that exists wins.
const SCRIPT_DIRS: &[&str] = &["usr/local/etc/rc.d", "etc/rc.d", "etc/init.d"];

/// What `config` was asked to change; nothing means: show.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConfigChange {
    /// Services with a script inside, to add.
    pub services: Vec<String>,
    /// `--command SERVICE=COMMANDLINE`, to add or replace.
    pub commands: Vec<(String, String)>,
    /// `--after SERVICE=OTHER` and others.
    pub settings: Vec<ServiceSetting>,
    /// `--remove SERVICE`.
    pub remove: Vec<String>,
    /// `--permission`, to add or replace by path.
    pub permissions: Vec<PermissionEntry>,
    /// `--limit`.
    pub limits: Vec<(String, String)>,
    /// `--boot`.
    pub boot: Option<bool>,
    /// `--after`, to add.
    pub after: Vec<Name>,
    /// `--remove-after`.
    pub remove_after: Vec<Name>,
    /// `--requires`, to add.
    pub requires: Vec<Name>,
    /// `--remove-requires`.
    pub remove_requires: Vec<Name>,
    /// `--keep-run-files`.
    pub keep_run_files: Option<bool>,
    /// `-o storage.KEY=VALUE`.
    pub storage_options: Vec<(String, String)>,
    /// `-o isolation.KEY=VALUE`.
    pub isolation_options: Vec<(String, String)>,
}

impl ConfigChange {
    /// Whether there is nothing to change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Engine<'_> {
    /// Changes a container's administration file at once, or not at all. A running container is not disturbed:
    /// the change counts from its next start.
    pub fn configure(&self, name: &Name, change: &ConfigChange) -> Result<()> {
        let _lock = self.lock_container(name)?;
        self.refuse_half_done(name)?;
        let loaded = self.load(name)?;
        refuse_size(&loaded, change)?;
        let (_, was) = self.read_file(name)?;
        let text = self.edited(&loaded, change, &was)?;
        if text == was {
            return Ok(());
        }
        let path = self.layout.file(name);
        let file: ContainerFile = parse(&path, &text)?;
        in_order(&file.service)?;
        self.check_needs(name, &file)?;
        loaded.storage.check(&file.storage.options)?;
        loaded.isolation.check(&file.isolation.options)?;
        self.refuse_limits(name, &file.limits, &loaded.isolation.info())?;
        let step = Step::WriteFile { at: Place::host(path), text, mode: 0o644, was: Some(was) };
        if self.dry_run {
            self.watch.step(Point::Planned, &step);
            return Ok(());
        }
        self.watch.step(Point::Begun, &step);
        self.host.apply(&step, self.deadline_in(crate::STOP_PATIENCE))
    }

    fn edited(&self, loaded: &Loaded<'_>, change: &ConfigChange, was: &str) -> Result<String> {
        let mut document: DocumentMut = was
            .parse()
            .map_err(|e| Error::new(ErrorKind::Config, "the administration file is damaged").cause(e))?;
        for service in &change.remove {
            config_service::remove(&mut document, service)?;
        }
        for service in &change.services {
            let path = self.script_of(loaded, service)?;
            config_service::set_script(&mut document, service, path.as_str());
        }
        for (service, line) in &change.commands {
            config_service::set_command(&mut document, service, line)?;
        }
        change.settings.iter().try_for_each(|setting| config_service::set(&mut document, setting))?;
        change.permissions.iter().try_for_each(|entry| set_permission(&mut document, entry))?;
        limits::set(&mut document, &change.limits)?;
        if let Some(boot) = change.boot {
            document["boot"] = value(boot);
        }
        if let Some(keep) = change.keep_run_files {
            document["keep_run_files"] = value(keep);
        }
        set_names(&mut document, "after", &change.after, &change.remove_after)?;
        set_names(&mut document, "requires", &change.requires, &change.remove_requires)?;
        let infos = [("storage", loaded.storage.info()), ("isolation", loaded.isolation.info())];
        for ((table, info), given) in infos.iter().zip([&change.storage_options, &change.isolation_options]) {
            set_backend_options(&mut document, table, info, given)?;
        }
        Ok(document.to_string())
    }

    /// The path inside of the script that starts and stops a service.
    fn script_of(&self, loaded: &Loaded<'_>, service: &str) -> Result<Utf8PathBuf> {
        check_service_name(service)?;
        let script = self.while_attached(loaded, || self.find_script(loaded, service))?;
        script.ok_or_else(|| no_script(loaded, service))
    }

    fn find_script(&self, loaded: &Loaded<'_>, service: &str) -> Result<Option<Utf8PathBuf>> {
        let layers = loaded.storage.layers(&loaded.installed.base, &loaded.container)?;
        for dir in SCRIPT_DIRS {
            let path = Utf8PathBuf::from(dir).join(service);
            for layer in &layers {
                let found = self.view().stat(&Place::within(layer, &path))?;
                if found.is_some_and(|stat| matches!(stat.kind, FileKind::File | FileKind::Link)) {
                    return Ok(Some(Utf8PathBuf::from("/").join(path)));
                }
            }
        }
        Ok(None)
    }
}

/// A limit is more than a line in a file.
fn refuse_size(loaded: &Loaded<'_>, change: &ConfigChange) -> Result<()> {
    let size = change.storage_options.iter().find(|(key, _)| key == "size");
    match size {
        Some((_, size)) if loaded.storage.info().capabilities.contains(&Capability::Resize) => {
            let name = &loaded.name;
            Err(Error::new(ErrorKind::Usage, format!("the size of {name} is not changed by its file alone"))
                .with("container", name)
                .hint(format!("use `qchroot resize {name} {size}`")))
        }
        _ => Ok(()),
    }
}

fn no_script(loaded: &Loaded<'_>, service: &str) -> Error {
    let places: Vec<String> = SCRIPT_DIRS.iter().map(|dir| format!("/{dir}/{service}")).collect();
    Error::new(ErrorKind::NotFound, format!("{} has no service {service}", loaded.name))
        .cause(format!("none of {} exists inside", places.join(", ")))
        .with("container", &loaded.name)
        .with("service", service)
        .hint(format!(
            "install it with `qchroot console {0}`, or name a program: `qchroot config {0} --command \
             {service}='PROGRAM ARGUMENTS'`",
            loaded.name
        ))
}

fn set_permission(document: &mut DocumentMut, entry: &PermissionEntry) -> Result<()> {
    let text = toml::to_string(entry)
        .map_err(|e| Error::new(ErrorKind::Internal, "cannot write down a permission").cause(e))?;
    let fresh: DocumentMut = text
        .parse()
        .map_err(|e| Error::new(ErrorKind::Internal, "cannot write down a permission").cause(e))?;
    let tables = document
        .entry("permission")
        .or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()))
        .as_array_of_tables_mut();
    let Some(tables) = tables else { return Ok(()) };
    let same = |table: &Table| table.get("path").and_then(Item::as_str) == Some(entry.path.as_str());
    if let Some(old) = tables.iter_mut().find(|table| same(table)) {
        *old = fresh.as_table().clone();
        return Ok(());
    }
    tables.push(fresh.as_table().clone());
    Ok(())
}

/// Adds names to a list, and takes others out.
fn set_names(document: &mut DocumentMut, key: &str, add: &[Name], remove: &[Name]) -> Result<()> {
    if add.is_empty() && remove.is_empty() {
        return Ok(());
    }
    let list = document.entry(key).or_insert_with(|| value(toml_edit::Array::new())).as_array_mut();
    let Some(list) = list else { return Ok(()) };
    let position = |list: &toml_edit::Array, name: &Name| {
        list.iter().position(|item| item.as_str() == Some(name.as_str()))
    };
    for name in remove {
        let Some(at) = position(list, name) else {
            let message = format!("{name} is not in the list {key:?}");
            return Err(Error::new(ErrorKind::NotFound, message).with("container", name));
        };
        list.remove(at);
    }
    for name in add {
        if position(list, name).is_none() {
            list.push(name.as_str());
        }
    }
    if list.is_empty() {
        document.remove(key);
    }
    Ok(())
}

/// Puts `-o KEY=VALUE` of a back end into the administration file.
pub(crate) fn set_backend_options(
    document: &mut DocumentMut,
    table: &str,
    info: &qchroot_api::Info,
    given: &[(String, String)],
) -> Result<()> {
    let mut options = qchroot_api::Options::new();
    set_options(&mut options, info, given)?;
    for (key, new) in options {
        let text = toml::Value::to_string(&new);
        let item: toml_edit::Value = text
            .parse()
            .map_err(|e| Error::new(ErrorKind::Config, format!("option {key} cannot be written")).cause(e))?;
        document[table]["options"][&key] = value(item);
    }
    Ok(())
}
