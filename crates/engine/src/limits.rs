//! What a container's file says of limits, and which of them this machine can keep. It does not know how any of them
//! is kept.

use std::num::NonZeroU64;

use qchroot_api::{
    Capability, Container, Error, ErrorKind, Info, Limits, Name, Result, Unenforced, parse_size,
};
use serde::{Deserialize, Serialize};
use toml_edit::{DocumentMut, Item, Table, Value, value};

use crate::{Engine, Loaded};

/// The table `[limits]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsTable {
    /// Processors: 1.5 is one and a half.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<Processors>,
    /// Memory and swap of all processes together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Size>,
    /// Processes and threads together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processes: Option<NonZeroU64>,
    /// Open files of each process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_files: Option<NonZeroU64>,
    /// Bytes read from the disk in a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read: Option<Size>,
    /// Bytes written to the disk in a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write: Option<Size>,
    /// Whether the container stays stopped where the machine cannot keep one of them.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub required: bool,
}

/// A number of processors, kept in percent of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Processors(u32);

/// A number of bytes, written as `512M`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Size {
    bytes: u64,
    text: String,
}

impl TryFrom<f64> for Processors {
    type Error = String;

    fn try_from(processors: f64) -> std::result::Result<Self, String> {
        let percent = (processors * 100.0).round();
        if (1.0..=1e6).contains(&percent) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to a million")]
            return Ok(Self(percent as u32));
        }
        Err(format!("{processors} is no number of processors from 0.01 to 10000"))
    }
}

impl From<Processors> for f64 {
    fn from(processors: Processors) -> Self {
        Self::from(processors.0) / 100.0
    }
}

impl TryFrom<String> for Size {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Self, String> {
        match parse_size(&text) {
            Some(bytes) if bytes > 0 => Ok(Self { bytes, text }),
            _ => Err(format!("{text:?} is no size such as 512M")),
        }
    }
}

impl From<Size> for String {
    fn from(size: Size) -> Self {
        size.text
    }
}

impl Default for LimitsTable {
    fn default() -> Self {
        Self {
            cpu: None,
            memory: None,
            processes: None,
            open_files: None,
            read: None,
            write: None,
            required: true,
        }
    }
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_true(value: &bool) -> bool {
    *value
}

impl LimitsTable {
    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What back ends are told.
    #[must_use]
    pub fn limits(&self) -> Limits {
        let bytes = |size: &Option<Size>| size.as_ref().map(|size| size.bytes);
        Limits {
            cpu_percent: self.cpu.map(|processors| processors.0),
            memory_bytes: bytes(&self.memory),
            processes: self.processes.map(NonZeroU64::get),
            open_files: self.open_files.map(NonZeroU64::get),
            read_bps: bytes(&self.read),
            write_bps: bytes(&self.write),
        }
    }

    /// The table that `--limit KEY=VALUE` asks for.
    pub(crate) fn of(given: &[(String, String)]) -> Result<Self> {
        let mut document = DocumentMut::new();
        set(&mut document, given)?;
        let table: Option<Self> = document.remove("limits").map(|item| table_of(&item)).transpose()?;
        Ok(table.unwrap_or_default())
    }
}

fn table_of(item: &Item) -> Result<LimitsTable> {
    let text = item.as_table().map(ToString::to_string).unwrap_or_default();
    toml::from_str(&text).map_err(|error| {
        Error::new(ErrorKind::Usage, format!("bad limit: {}", error.message())).hint(EXAMPLES)
    })
}

const EXAMPLES: &str =
    "cpu=1.5, memory=512M, processes=200, open_files=1024, read=10M, write=10M, required=no";

/// Puts `--limit KEY=VALUE` into a container's file; the value `none` takes a limit out.
pub(crate) fn set(document: &mut DocumentMut, given: &[(String, String)]) -> Result<()> {
    for (key, text) in given {
        if text == "none" {
            document.get_mut("limits").and_then(Item::as_table_like_mut).and_then(|table| table.remove(key));
            continue;
        }
        let mut only = DocumentMut::new();
        only[key] = value(in_toml(key, text)?);
        table_of(&Item::Table(only.as_table().clone()))?;
        document.entry("limits").or_insert_with(|| Item::Table(Table::new()))[key] = only[key].clone();
    }
    if document.get("limits").and_then(Item::as_table_like).is_some_and(|table| table.is_empty()) {
        document.remove("limits");
    }
    Ok(())
}

fn in_toml(key: &str, text: &str) -> Result<Value> {
    let bad = |what: &str| Error::new(ErrorKind::Usage, format!("limit {key} is {what}, not {text:?}"));
    match key {
        "cpu" => {
            text.parse::<f64>().map(Value::from).map_err(|_| bad("a number of processors").hint(EXAMPLES))
        }
        "processes" | "open_files" => {
            text.parse::<i64>().map(Value::from).map_err(|_| bad("a whole number").hint(EXAMPLES))
        }
        "required" => match text {
            "yes" => Ok(true.into()),
            "no" => Ok(false.into()),
            _ => Err(bad("yes or no")),
        },
        _ => Ok(text.into()),
    }
}

impl Engine<'_> {
    /// Refuses limits that an isolation keeps nobody to.
    pub(crate) fn refuse_limits(&self, name: &Name, table: &LimitsTable, isolation: &Info) -> Result<()> {
        if table.limits().is_empty() || isolation.capabilities.contains(&Capability::Limits) {
            return Ok(());
        }
        let infos = self.registry.infos();
        let can = infos.iter().filter(|info| info.capabilities.contains(&Capability::Limits));
        let can: Vec<&str> = can.map(|info| info.name.as_str()).collect();
        let message = format!("isolation {} cannot keep {name} to limits", isolation.name);
        Err(Error::new(ErrorKind::Config, message)
            .with("container", name)
            .hint(format!("take the limits out, or choose an isolation that can: {}", can.join(", "))))
    }

    /// The container with the limits that this machine can keep.
    ///
    /// # Errors
    /// Unavailable, when there is one that it cannot keep, and the container's file requires it.
    pub(crate) fn with_kept_limits(&self, loaded: &Loaded<'_>) -> Result<Container> {
        let mut container = loaded.container.clone();
        let table = &loaded.file.limits;
        self.refuse_limits(&loaded.name, table, &loaded.isolation.info())?;
        if container.limits.shared().is_empty() {
            return Ok(container);
        }
        for lack in self.view().unenforced(&container.limits.shared(), &container.dir)? {
            if table.required {
                return Err(self.cannot_keep(&loaded.name, &lack));
            }
            self.watch.warn(&format!("{} has no limit of {}: {}", loaded.name, lack.limit, lack.why));
            container.limits = container.limits.without(&lack.limit);
        }
        Ok(container)
    }

    fn cannot_keep(&self, name: &Name, lack: &Unenforced) -> Error {
        let message = format!("{name} cannot be kept to its limit of {}", lack.limit);
        Error::new(ErrorKind::Unavailable, message)
            .cause(&lack.why)
            .with("container", name)
            .with("limit", &lack.limit)
            .hint(format!(
                "{}; or let it start without: `qchroot config {name} --limit required=no`",
                lack.hint
            ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(key: &str, value: &str) -> (String, String) {
        (key.into(), value.into())
    }

    #[test]
    fn what_is_asked_for_on_the_command_line_stands_in_the_file() {
        let given = [
            pair("cpu", "1.5"),
            pair("memory", "512M"),
            pair("processes", "200"),
            pair("open_files", "1024"),
            pair("read", "10M"),
            pair("required", "no"),
        ];
        let table = LimitsTable::of(&given).unwrap();
        let expected = Limits {
            cpu_percent: Some(150),
            memory_bytes: Some(512 << 20),
            processes: Some(200),
            open_files: Some(1024),
            read_bps: Some(10 << 20),
            write_bps: None,
        };
        assert_eq!(table.limits(), expected);
        assert!(!table.required);
        let text = toml::to_string(&table).unwrap();
        assert!(text.contains("cpu = 1.5\nmemory = \"512M\"\nprocesses = 200\n"), "{text}");
        assert_eq!(toml::from_str::<LimitsTable>(&text).unwrap(), table);
    }

    #[test]
    fn a_limit_is_changed_and_taken_out_where_it_stands() {
        let file = "# mine\n[limits]\nmemory = \"1G\" # enough\n\n[storage]\nbackend = \"overlay\"\n";
        let mut document: DocumentMut = file.parse().unwrap();
        set(&mut document, &[pair("processes", "9")]).unwrap();
        assert!(document.to_string().contains("memory = \"1G\" # enough\nprocesses = 9\n"), "{document}");
        set(&mut document, &[pair("memory", "none"), pair("processes", "none")]).unwrap();
        assert!(!document.to_string().contains("limits"), "{document}");
    }

    #[test]
    fn what_is_no_limit_is_refused_with_its_name() {
        for (key, text, told) in [
            ("memory", "lots", "lots"),
            ("memory", "0", "no size"),
            ("cpu", "0", "processors"),
            ("cpu", "NaN", "processors"),
            ("cpu", "x", "cpu"),
            ("processes", "0", "limit"),
            ("disk", "1", "disk"),
            ("required", "maybe", "yes or no"),
        ] {
            let error = LimitsTable::of(&[pair(key, text)]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage, "{key}={text}");
            assert!(error.message().contains(told), "{key}={text}: {error}");
        }
    }
}
