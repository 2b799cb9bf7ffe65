//! `[[service]]` tables as `config` edits them. What the administrator wrote beside what is changed stays. It does not
//! know what may stand in them beyond the form of the command line.

use qchroot_api::{Error, ErrorKind, Restart, Result};
use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, Value, value};

use crate::service_entry::check_service_name;

/// A key of a service that the command line can set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceKey {
    /// `after`: one more.
    After,
    /// `requires`: one more.
    Requires,
    /// `ready`: `port:N`, `file:PATH`, `command:COMMANDLINE` or `notify`.
    Ready,
    /// `restart`.
    Restart,
    /// `user`.
    User,
    /// `stop_signal`.
    StopSignal,
}

/// One key of one service, and its new value; an empty one takes the key out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceSetting {
    /// The service.
    pub service: String,
    /// The key.
    pub key: ServiceKey,
    /// The value as on the command line.
    pub value: String,
}

impl ServiceKey {
    fn name(self) -> &'static str {
        match self {
            Self::After => "after",
            Self::Requires => "requires",
            Self::Ready => "ready",
            Self::Restart => "restart",
            Self::User => "user",
            Self::StopSignal => "stop_signal",
        }
    }
}

/// Adds the service `name` with a script, or gives it one.
pub(super) fn set_script(document: &mut DocumentMut, name: &str, path: &str) {
    set_program(document, name, ("script", value(path)), "command");
}

/// Adds the service `name` with a command line, or gives it one.
pub(super) fn set_command(document: &mut DocumentMut, name: &str, line: &str) -> Result<()> {
    check_service_name(name)?;
    set_program(document, name, ("command", value(words(name, line)?)), "script");
    Ok(())
}

fn set_program(document: &mut DocumentMut, name: &str, (key, what): (&str, Item), other: &str) {
    let tables = document
        .entry("service")
        .or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()))
        .as_array_of_tables_mut();
    let Some(tables) = tables else { return };
    if let Some(old) = tables.iter_mut().find(|table| is_named(table, name)) {
        old.remove(other);
        old[key] = what;
        return;
    }
    let mut table = Table::new();
    table["name"] = value(name);
    table[key] = what;
    tables.push(table);
}

/// Takes the service `name` out.
pub(super) fn remove(document: &mut DocumentMut, name: &str) -> Result<()> {
    let tables = document.get_mut("service").and_then(Item::as_array_of_tables_mut);
    let before = tables.as_ref().map_or(0, |tables| tables.len());
    let after = tables.map_or(0, |tables| {
        tables.retain(|table| !is_named(table, name));
        tables.len()
    });
    if after == 0 {
        document.remove("service");
    }
    if after < before { Ok(()) } else { Err(not_configured(name)) }
}

/// Puts one key of a service that is there into its table.
pub(super) fn set(document: &mut DocumentMut, setting: &ServiceSetting) -> Result<()> {
    let tables = document.get_mut("service").and_then(Item::as_array_of_tables_mut);
    let mut tables = tables.into_iter().flat_map(|tables| tables.iter_mut());
    let table = tables.find(|table| is_named(table, &setting.service));
    let table = table.ok_or_else(|| not_configured(&setting.service))?;
    let key = setting.key.name();
    if setting.value.is_empty() {
        table.remove(key);
        return Ok(());
    }
    match setting.key {
        ServiceKey::After | ServiceKey::Requires => add_name(table, key, &setting.value),
        ServiceKey::Ready => {
            table[key] = value(ready(setting)?);
            Ok(())
        }
        ServiceKey::Restart => {
            check_restart(&setting.value)?;
            table[key] = value(&setting.value);
            Ok(())
        }
        ServiceKey::User | ServiceKey::StopSignal => {
            table[key] = value(&setting.value);
            Ok(())
        }
    }
}

fn add_name(table: &mut Table, key: &str, name: &str) -> Result<()> {
    check_service_name(name)?;
    let names = table.entry(key).or_insert_with(|| value(Array::new())).as_array_mut();
    if let Some(names) = names.filter(|names| !names.iter().any(|known| known.as_str() == Some(name))) {
        names.push(name);
    }
    Ok(())
}

fn ready(setting: &ServiceSetting) -> Result<InlineTable> {
    let text = setting.value.as_str();
    let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
    let what: Option<Value> = match kind {
        "port" => rest.parse::<u16>().ok().map(|port| i64::from(port).into()),
        "file" => Some(rest.into()),
        "command" => Some(words(&setting.service, rest)?.into()),
        "notify" if rest.is_empty() => Some(true.into()),
        _ => None,
    };
    let what = what.ok_or_else(|| {
        Error::new(ErrorKind::Usage, format!("service {} cannot be ready by {text:?}", setting.service))
            .with("service", &setting.service)
            .hint("it is port:NUMBER, file:PATH, command:COMMANDLINE or notify, for example --ready db=port:5432")
    })?;
    Ok(InlineTable::from_iter([(kind, what)]))
}

fn check_restart(text: &str) -> Result<()> {
    Restart::ALL.iter().any(|restart| restart.to_string() == text).then_some(()).ok_or_else(|| {
        Error::new(ErrorKind::Usage, format!("restart is on-failure, always or never, not {text:?}"))
    })
}

fn words(service: &str, line: &str) -> Result<Array> {
    match shlex::split(line) {
        Some(words) if !words.is_empty() => Ok(words.into_iter().collect()),
        _ => Err(Error::new(
            ErrorKind::Usage,
            format!("the command line of {service} is empty or has an open quote"),
        )
        .with("service", service)
        .hint("for example: --command web='/usr/sbin/lighttpd -D -f /etc/lighttpd/lighttpd.conf'")),
    }
}

fn not_configured(name: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("service {name} is not configured")).with("service", name)
}

fn is_named(table: &Table, name: &str) -> bool {
    table.get("name").and_then(Item::as_str) == Some(name)
}
