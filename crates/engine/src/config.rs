//! The two kinds of TOML file: the system's settings and one file a container.
//!
//! This module knows their form. A back end's own options are only checked here against what the back end declares.

use std::num::NonZeroU64;
use std::time::Duration;

use camino::Utf8Path;
use qchroot_api::{Error, ErrorKind, Name, Options, ReleaseId, Result};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use toml::de::{DeTable, DeValue};

use crate::{Host, Layout, ServiceEntry};

/// How long a call to a plug-in may take without a sign of life, where the settings do not say.
const PLUGIN_PATIENCE: Duration = Duration::from_secs(60);

/// The format number that this program writes and reads.
pub const FORMAT: u32 = 1;

/// `qchroot.toml`: defaults for what is made from now on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Always 1.
    pub format: u32,
    /// Defaults.
    #[serde(default)]
    pub defaults: Defaults,
    /// Options of release sources, by source.
    #[serde(default)]
    pub source: std::collections::BTreeMap<String, Options>,
    /// Third parties' plug-ins.
    #[serde(default)]
    pub plugins: PluginSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            format: FORMAT,
            defaults: Defaults::default(),
            source: Default::default(),
            plugins: PluginSettings::default(),
        }
    }
}

impl Settings {
    /// Those of the system that `layout` describes. It need not exist yet.
    ///
    /// # Errors
    /// Configuration, with line and column, when `qchroot.toml` is wrong.
    pub fn read(host: &dyn Host, layout: &Layout) -> Result<Self> {
        match host.read_own(&layout.settings)? {
            None => Ok(Self::default()),
            Some(bytes) => parse(&layout.settings, &String::from_utf8_lossy(&bytes)),
        }
    }
}

/// Which back ends are taken when the command line names none.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Defaults {
    /// Release source.
    pub source: Option<String>,
    /// Storage.
    pub storage: Option<String>,
    /// Isolation.
    pub isolation: Option<String>,
}

/// Which plug-ins of third parties are used, and how.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PluginSettings {
    /// Those that may be used, by name; where there is no list, all that the superuser put into the directory.
    pub allow: Option<Vec<String>>,
    /// Those that run in this program's own process, by name.
    #[serde(default, alias = "in-process")]
    pub in_process: Vec<String>,
    /// Seconds that a call may take without a sign of life.
    pub patience: Option<NonZeroU64>,
}

impl PluginSettings {
    /// How long a call may take without a sign of life.
    #[must_use]
    pub fn patience(&self) -> Duration {
        self.patience.map_or(PLUGIN_PATIENCE, |seconds| Duration::from_secs(seconds.get()))
    }
}

/// `containers/NAME.toml`: everything about one container but its state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContainerFile {
    /// Always 1.
    pub format: u32,
    /// The base it is pinned to; none for a container over an existing tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<ReleaseId>,
    /// Whether it starts with the system.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub boot: bool,
    /// Containers that it starts after, where those start too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<Name>,
    /// Containers that it starts after and cannot do without.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<Name>,
    /// Whether what its programs left in `/run` stays there; see [`qchroot_api::Step::Purge`].
    #[serde(default, skip_serializing_if = "is_false")]
    pub keep_run_files: bool,
    /// Its storage.
    pub storage: Choice,
    /// Its isolation.
    pub isolation: Choice,
    /// What it may use of the machine.
    #[serde(default, skip_serializing_if = "crate::LimitsTable::is_empty")]
    pub limits: crate::LimitsTable,
    /// Its services, in the order they start.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub service: Vec<ServiceEntry>,
    /// Owners and modes that files inside are to have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permission: Vec<crate::PermissionEntry>,
    /// Device nodes beside those in `/dev`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub node: Vec<crate::NodeEntry>,
}

/// A back end and its options.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// The back end's name.
    pub backend: String,
    /// Its options. Those whose names have dots can be written as tables, too.
    #[serde(default, skip_serializing_if = "Options::is_empty", deserialize_with = "flat")]
    pub options: Options,
}

/// `a = { b = 1 }`, or `a.b = 1`, as the option `a.b`: no option is a table by itself.
fn flat<'de, D: serde::Deserializer<'de>>(input: D) -> std::result::Result<Options, D::Error> {
    fn add(options: Options, prefix: &str, all: &mut Options) {
        for (key, value) in options {
            match value {
                toml::Value::Table(inner) => add(inner, &format!("{prefix}{key}."), all),
                value => drop(all.insert(format!("{prefix}{key}"), value)),
            }
        }
    }
    let mut all = Options::new();
    add(Options::deserialize(input)?, "", &mut all);
    Ok(all)
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_true(value: &bool) -> bool {
    *value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_false(value: &bool) -> bool {
    !*value
}

/// Reads a file of this program's; `path` is for the error only.
///
/// # Errors
/// Configuration, with line and column, for broken TOML, unknown keys, wrong types and other formats.
pub(crate) fn parse<T: DeserializeOwned + HasFormat>(path: &Utf8Path, text: &str) -> Result<T> {
    let value: T = toml::from_str(text).map_err(|error| {
        let (line, column) = position(text, error.span().map_or(0, |span| span.start));
        let words = error.message().trim().replace('\n', ", ");
        at(Error::new(ErrorKind::Config, format!("{path}:{line}:{column}: {words}")), path, line, column)
            .hint(format!("mend the file: {path}"))
    })?;
    if value.format() == FORMAT {
        return Ok(value);
    }
    Err(Error::new(
        ErrorKind::Config,
        format!("{path} has format {}, this program reads {FORMAT}", value.format()),
    )
    .with("path", path)
    .hint("use the qchroot that wrote it"))
}

/// Whether a file says which format it has.
pub(crate) trait HasFormat {
    /// The number.
    fn format(&self) -> u32;
}

impl HasFormat for Settings {
    fn format(&self) -> u32 {
        self.format
    }
}

impl HasFormat for ContainerFile {
    fn format(&self) -> u32 {
        self.format
    }
}

/// Adds the file, line and column to an error about a key that stands in the table `table` of `text`; a number stands
/// for a table among several of the same name, from 0.
#[must_use]
pub(crate) fn locate(error: Error, path: &Utf8Path, text: &str, table: &[&str]) -> Error {
    let Some(key) = error.fact("key").map(str::to_owned) else { return error.with("path", path) };
    let Ok(document) = DeTable::parse(text) else { return error };
    let Some(offset) = offset_of(document.get_ref(), table, &key) else { return error };
    let (line, column) = position(text, offset);
    let message = format!("{path}:{line}:{column}: {}", error.message());
    let hint = error.hint_text().map(str::to_owned);
    let fresh = at(Error::new(error.kind(), message).with("key", key), path, line, column);
    fresh.hint(hint.unwrap_or_else(|| format!("mend the file: {path}")))
}

fn offset_of(table: &DeTable<'_>, path: &[&str], key: &str) -> Option<usize> {
    match path {
        [] => {
            let found = table.iter().find(|(k, _)| k.get_ref() == key).map(|(k, _)| k.span().start);
            found.or_else(|| {
                table.iter().find_map(|(k, value)| offset_below(k.get_ref(), value.get_ref(), key))
            })
        }
        [first, rest @ ..] => match table.iter().find(|(k, _)| k.get_ref() == first)?.1.get_ref() {
            DeValue::Table(inner) => offset_of(inner, rest, key),
            DeValue::Array(all) => {
                let (index, rest) = rest.split_first()?;
                offset_of(all.get(index.parse::<usize>().ok()?)?.get_ref().as_table()?, rest, key)
            }
            _ => None,
        },
    }
}

/// Where the option `a.b` stands in a table `a`.
fn offset_below(name: &str, value: &DeValue<'_>, key: &str) -> Option<usize> {
    let rest = key.strip_prefix(name)?.strip_prefix('.')?;
    offset_of(value.as_table()?, &[], rest)
}

fn at(error: Error, path: &Utf8Path, line: usize, column: usize) -> Error {
    error.with("path", path).with("line", line).with("column", column)
}

/// Line and column, both from 1, the column in characters.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |tail| tail.chars().count()) + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "format = 1\nrelease = \"debian-12\"\n[storage]\nbackend = \"overlay\"\n\
                        options = { hots_trees = [\"src\"] }\n[isolation]\nbackend = \"chroot\"\n";

    #[test]
    fn an_unknown_key_is_refused_with_line_and_column() {
        let text = FILE.replace("[isolation]", "bakend = 1\n[isolation]");
        let error = parse::<ContainerFile>("/etc/web.toml".into(), &text).unwrap_err();
        assert!(error.message().starts_with("/etc/web.toml:6:1: unknown field `bakend`"), "{error}");
        assert_eq!(error.kind(), ErrorKind::Config);
    }

    #[test]
    fn another_format_is_refused() {
        let text = FILE.replace("format = 1", "format = 2");
        let error = parse::<ContainerFile>("/etc/web.toml".into(), &text).unwrap_err();
        assert!(error.message().contains("format 2"), "{error}");
    }

    #[test]
    fn a_back_ends_own_option_is_found_in_the_text() {
        let error = Error::new(ErrorKind::Config, "overlay has no option").with("key", "hots_trees");
        let error = locate(error, "/etc/web.toml".into(), FILE, &["storage", "options"]);
        assert_eq!((error.fact("line"), error.fact("column")), (Some("5"), Some("13")));
    }

    #[test]
    fn what_is_written_reads_back() {
        let file: ContainerFile = parse("x".into(), FILE).unwrap();
        let text = toml::to_string_pretty(&file).unwrap();
        assert_eq!(parse::<ContainerFile>("x".into(), &text).unwrap(), file);
    }
}
