//! Which sets of a MANIFEST are taken. It knows names and profiles, not archives.

use qchroot_api::{Error, ErrorKind, Result};
use serde::Deserialize;

use super::manifest::Row;

/// A selection of sets by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// The base system alone.
    Minimal,
    /// What the release installs by default, as far as a container has use for it.
    Base,
    /// All that a container has use for.
    Full,
}

/// The set that is a userland by itself.
const BASE: &str = "base";
/// Sets whose files a base never has: `/usr/src` and `/usr/ports` are the host's.
const HOST_TREES: &[&str] = &["ports", "src"];

/// The sets of the profile and those named, the base system first, each once.
///
/// # Errors
/// Not found, with the nearest names, for a set that MANIFEST does not list.
pub fn choose<'a>(rows: &'a [Row], names: &[String], profile: Option<Profile>) -> Result<Vec<&'a Row>> {
    let profile = profile.or_else(|| names.is_empty().then_some(Profile::Minimal));
    let mut chosen: Vec<&Row> = match profile {
        None => vec![],
        Some(Profile::Minimal) => vec![find(rows, BASE)?],
        Some(Profile::Base) => rows.iter().filter(|row| row.on && !is_no_use(row)).collect(),
        Some(Profile::Full) => rows.iter().filter(|row| !is_no_use(row)).collect(),
    };
    for name in names {
        chosen.push(find(rows, name)?);
    }
    let base_first = |row: &&Row| row.name != BASE;
    chosen.sort_by_key(base_first);
    let mut seen: Vec<&str> = vec![];
    chosen.retain(|row| {
        !seen.contains(&row.name.as_str()) && {
            seen.push(&row.name);
            true
        }
    });
    Ok(chosen)
}

/// A container runs on the host's kernel, debugs nothing of it, and sees the host's sources.
fn is_no_use(row: &Row) -> bool {
    let name = row.name.as_str();
    name.starts_with("kernel") || name.ends_with("dbg") || HOST_TREES.contains(&name)
}

fn find<'a>(rows: &'a [Row], word: &str) -> Result<&'a Row> {
    let mut found = rows.iter().filter(|row| row.is_called(word));
    match (found.next(), found.next()) {
        (Some(row), None) => Ok(row),
        (Some(one), Some(other)) => {
            let message = format!("{word:?} is both {} and {} in MANIFEST", one.file, other.file);
            Err(Error::new(ErrorKind::BadData, message).hint("name the file itself"))
        }
        (None, _) => Err(unknown(rows, word)),
    }
}

fn unknown(rows: &[Row], word: &str) -> Error {
    let error = Error::new(ErrorKind::NotFound, format!("MANIFEST lists no set {word:?}")).with("set", word);
    let distance = |row: &&Row| strsim::damerau_levenshtein(&row.name, word);
    match rows.iter().min_by_key(distance) {
        Some(near) if distance(&near) <= 2 => error.hint(format!("did you mean {}?", near.name)),
        _ => {
            let all: Vec<_> = rows.iter().map(|row| format!("{} ({})", row.name, row.description)).collect();
            error.hint(format!("there are: {}", all.join(", ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Row> {
        let row = |name: &str, on| Row {
            file: format!("{}.txz", name.replace('_', "-")),
            sha256: "0".repeat(64),
            entries: 1,
            name: name.into(),
            description: format!("All of {name}"),
            on,
        };
        let names = ["base_dbg", "kernel", "lib32", "base", "kernel_dbg", "src", "ports", "tests"];
        names.map(|name| row(name, !["base_dbg", "src", "ports", "tests"].contains(&name))).to_vec()
    }

    fn chosen(names: &[&str], profile: Option<Profile>) -> Result<Vec<String>> {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        Ok(choose(&rows(), &names, profile)?.into_iter().map(|row| row.name.clone()).collect())
    }

    #[test]
    fn profiles_leave_out_what_a_container_has_no_use_for() {
        assert_eq!(chosen(&[], None).unwrap(), ["base"]);
        assert_eq!(chosen(&[], Some(Profile::Minimal)).unwrap(), ["base"]);
        assert_eq!(chosen(&[], Some(Profile::Base)).unwrap(), ["base", "lib32"]);
        assert_eq!(chosen(&[], Some(Profile::Full)).unwrap(), ["base", "lib32", "tests"]);
        assert_eq!(chosen(&["kernel"], Some(Profile::Minimal)).unwrap(), ["base", "kernel"]);
    }

    #[test]
    fn sets_are_named_exactly() {
        assert_eq!(chosen(&["lib32", "base.txz", "base"], None).unwrap(), ["base", "lib32"]);
        assert_eq!(chosen(&["base-dbg"], None).unwrap(), ["base_dbg"]);
        for part in ["lib", "bas", "dbg", "txz", "b"] {
            assert_eq!(chosen(&[part], None).unwrap_err().kind(), ErrorKind::NotFound, "{part}");
        }
    }

    #[test]
    fn an_unknown_set_is_answered_with_the_nearest() {
        assert_eq!(chosen(&["lib23"], None).unwrap_err().hint_text(), Some("did you mean lib32?"));
        let error = chosen(&["documentation"], None).unwrap_err();
        assert!(error.hint_text().unwrap().contains("lib32 (All of lib32)"), "{error:?}");
    }
}
