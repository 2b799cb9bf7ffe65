//! Container names. This module knows the rule and nothing about which names are taken.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind, Result};

/// Names that the layout of the state directory needs for itself.
pub const RESERVED: &[&str] =
    &["sharedfs", "template", "releases", "current", "cache", "images", "containers", "host", "all"];

/// The name of a container: letters, digits, dash and underscore, at most 64 bytes, not all digits, no
/// leading dash, not reserved.
///
/// Source: qchroot(8), "create"; the further refusals are row A6 of the specification.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

impl Name {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match broken_rule(text) {
            None => Ok(Self(text.to_owned())),
            Some(rule) => Err(Error::new(ErrorKind::Usage, format!("bad container name {text:?}: {rule}"))
                .hint("use letters, digits, dash and underscore, for example web1 or db_main")),
        }
    }
}

fn broken_rule(text: &str) -> Option<String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if text.is_empty() {
        return Some("it is empty".into());
    }
    if text.len() > 64 {
        return Some(format!("it has {} bytes, more than 64", text.len()));
    }
    if text == "." || text == ".." {
        return Some("it names a directory".into());
    }
    if text.starts_with('-') {
        return Some("it starts with a dash".into());
    }
    if let Some(c) = text.chars().find(|&c| !allowed(c)) {
        return Some(format!("{c:?} is not a letter, digit, dash or underscore"));
    }
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return Some("it is all digits".into());
    }
    RESERVED.iter().any(|r| r.eq_ignore_ascii_case(text)).then(|| "it is a reserved word".into())
}

impl TryFrom<String> for Name {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_names_are_taken() {
        for name in ["web", "web-1", "Db_main", "1a", "_x", &"n".repeat(64)] {
            assert!(name.parse::<Name>().is_ok(), "{name}");
        }
    }

    #[test]
    fn each_broken_rule_is_named() {
        let long = "n".repeat(65);
        let cases = [
            ("", "empty"),
            (".", "directory"),
            ("..", "directory"),
            ("-web", "starts with a dash"),
            ("a/b", "'/' is not"),
            ("a b", "' ' is not"),
            ("w\u{1b}b", "is not a letter"),
            ("é", "is not a letter"),
            ("123", "all digits"),
            ("sharedfs", "reserved"),
            ("Template", "reserved"),
            (long.as_str(), "65 bytes"),
        ];
        for (name, rule) in cases {
            let error = name.parse::<Name>().unwrap_err();
            assert!(error.message().contains(rule), "{name}: {error}");
            assert_eq!(error.kind(), ErrorKind::Usage);
        }
    }
}
