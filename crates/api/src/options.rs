//! Options of back ends: a schema that each back end declares, and the check of a table against it.
//!
//! It knows nothing about files: whoever has the text turns the key of an error into a line and a column.

use serde::{Deserialize, Serialize};
use toml::Value;

use crate::nearest::nearest;
use crate::{Error, ErrorKind, Result};

/// A back end's options, as they stand in TOML.
pub type Options = toml::Table;

/// The type of an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OptionKind {
    /// Text.
    Text,
    /// `true` or `false`; on the command line also `yes` and `no`.
    Flag,
    /// A whole number.
    Number,
    /// A size in bytes: a number, or text with a suffix of K, M, G or T (powers of 1024).
    Size,
    /// A list of text; on the command line separated by commas.
    List,
}

/// One option that a back end takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptionSpec {
    /// Its key.
    pub key: String,
    /// Its type.
    pub kind: OptionKind,
    /// The default, for people to read.
    pub default: String,
    /// One line on what it does.
    pub summary: String,
}

impl OptionSpec {
    /// One option.
    pub fn new(key: &str, kind: OptionKind, default: &str, summary: &str) -> Self {
        Self { key: key.into(), kind, default: default.into(), summary: summary.into() }
    }

    /// Turns the text of a command line's `KEY=VALUE` into a value of this option's type.
    pub fn parse(&self, text: &str) -> Result<Value> {
        let value = match self.kind {
            OptionKind::Text => Some(Value::String(text.into())),
            OptionKind::Flag => match text {
                "true" | "yes" | "on" | "1" => Some(Value::Boolean(true)),
                "false" | "no" | "off" | "0" => Some(Value::Boolean(false)),
                _ => None,
            },
            OptionKind::Number => text.parse().ok().map(Value::Integer),
            OptionKind::Size => parse_size(text).map(|_| Value::String(text.into())),
            OptionKind::List => {
                Some(Value::Array(text.split(',').map(|s| Value::String(s.trim().into())).collect()))
            }
        };
        value.ok_or_else(|| self.wrong_type(text))
    }

    fn fits(&self, value: &Value) -> bool {
        match (self.kind, value) {
            (OptionKind::Text, Value::String(_)) | (OptionKind::Flag, Value::Boolean(_)) => true,
            (OptionKind::Number, Value::Integer(_)) => true,
            (OptionKind::Size, Value::Integer(n)) => *n >= 0,
            (OptionKind::Size, Value::String(text)) => parse_size(text).is_some(),
            (OptionKind::List, Value::Array(items)) => items.iter().all(Value::is_str),
            _ => false,
        }
    }

    fn wrong_type(&self, got: &str) -> Error {
        let want = match self.kind {
            OptionKind::Text => "text",
            OptionKind::Flag => "true or false",
            OptionKind::Number => "a whole number",
            OptionKind::Size => "a size such as 512M",
            OptionKind::List => "a list of text",
        };
        Error::new(ErrorKind::Config, format!("option {} must be {want}, not {got}", self.key))
            .with("key", &self.key)
    }
}

/// A size in bytes from `512M`, `2G`, `4096`; suffixes are powers of 1024. `None` when it is no size.
#[must_use]
pub fn parse_size(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor: u64 = match &text[digits.len()..] {
        "" | "B" | "b" => 1,
        "K" | "k" | "KiB" => 1 << 10,
        "M" | "m" | "MiB" => 1 << 20,
        "G" | "g" | "GiB" => 1 << 30,
        "T" | "t" | "TiB" => 1 << 40,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

/// A number of bytes for people, in the largest unit that leaves a whole one: `64 MiB`, `1.5 GiB`.
#[must_use]
pub fn size_text(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let unit = (0..units.len() - 1).find(|n| bytes >> (10 * (n + 1)) == 0).unwrap_or(units.len() - 1);
    let whole = 1_u64 << (10 * unit);
    match bytes % whole * 10 / whole {
        0 => format!("{} {}", bytes / whole, units[unit]),
        tenths => format!("{}.{tenths} {}", bytes / whole, units[unit]),
    }
}

/// Checks `options` against what a back end declares: every key known, every value of its type. The error
/// carries the fact `key`, from which the reader of the file finds line and column.
pub fn check_options(backend: &str, specs: &[OptionSpec], options: &Options) -> Result<()> {
    for (key, value) in options {
        let Some(spec) = specs.iter().find(|spec| spec.key == *key) else {
            return Err(unknown(backend, specs, key));
        };
        if !spec.fits(value) {
            return Err(spec.wrong_type(&value.to_string()));
        }
    }
    Ok(())
}

fn unknown(backend: &str, specs: &[OptionSpec], key: &str) -> Error {
    let error = Error::new(ErrorKind::Config, format!("{backend} has no option {key:?}"))
        .with("key", key)
        .with("backend", backend);
    match nearest(specs.iter().map(|spec| spec.key.as_str()), key) {
        Some(near) => error.hint(format!("did you mean {near}?")),
        None if specs.is_empty() => error.hint(format!("{backend} takes no options")),
        None => {
            let keys: Vec<_> = specs.iter().map(|s| s.key.as_str()).collect();
            error.hint(format!("{backend} takes: {}", keys.join(", ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn specs() -> Vec<OptionSpec> {
        vec![
            OptionSpec::new("size", OptionKind::Size, "none", "limit"),
            OptionSpec::new("proc", OptionKind::Flag, "true", "mount /proc"),
            OptionSpec::new("sets", OptionKind::List, "base", "sets"),
        ]
    }

    #[test]
    fn sizes() {
        assert_eq!(parse_size("512M"), Some(512 << 20));
        assert_eq!(parse_size("0"), Some(0));
        for bad in ["", "M", "-1", "1.5G", "12X", "99999999999T"] {
            assert_eq!(parse_size(bad), None, "{bad}");
        }
    }

    #[test]
    fn sizes_for_people() {
        let shown = [0, 1023, 1024, 64 << 20, 3 << 29, (1 << 30) - 1, u64::MAX].map(size_text);
        assert_eq!(shown, ["0 B", "1023 B", "1 KiB", "64 MiB", "1.5 GiB", "1023.9 MiB", "16777215.9 TiB"]);
    }

    #[test]
    fn a_misspelt_key_names_the_right_one() {
        let options = toml::toml! { sise = "1G" };
        let error = check_options("md", &specs(), &options).unwrap_err();
        assert_eq!(error.hint_text(), Some("did you mean size?"));
        assert_eq!(error.fact("key"), Some("sise"));
    }

    #[test]
    fn values_must_fit_their_type() {
        let error = check_options("md", &specs(), &toml::toml! { proc = "maybe" }).unwrap_err();
        assert!(error.message().contains("true or false"), "{error}");
        assert!(
            check_options("md", &specs(), &toml::toml! { size = 4096 sets = ["a"] proc = false }).is_ok()
        );
    }

    #[test]
    fn the_command_line_spells_the_same_values() {
        let specs = specs();
        assert_eq!(specs[1].parse("no").unwrap(), Value::Boolean(false));
        assert_eq!(specs[2].parse("base, lib32").unwrap(), toml::toml! { v = ["base", "lib32"] }["v"]);
        assert!(specs[0].parse("huge").is_err());
    }
}
