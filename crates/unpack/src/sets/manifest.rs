//! MANIFEST, which lists the sets of a release. It knows how the file is written, not where it came from.
//!
//! Six columns with tabs between them: file, SHA-256, number of entries, name, quoted description, and whether the
//! set is installed by default. Source: release(7), `release/scripts/make-manifest.sh`.

use qchroot_api::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

use crate::{Address, Headers, Wanted};

/// One set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The archive's name, in the directory of MANIFEST.
    pub file: String,
    /// Its SHA-256, lower-case hex.
    pub sha256: String,
    /// How many entries it holds.
    pub entries: u32,
    /// What the set is called.
    pub name: String,
    /// What it is, for people.
    pub description: String,
    /// Whether it is installed by default.
    pub on: bool,
}

impl Row {
    /// Whether people mean this set by `word`: its name, its file, or that without the suffix; never a part of it.
    #[must_use]
    pub fn is_called(&self, word: &str) -> bool {
        self.name == word
            || self.file == word
            || self.file.rsplit_once('.').is_some_and(|(stem, _)| stem == word)
    }

    /// Its archive, from the directories that have it beside MANIFEST.
    #[must_use]
    pub fn wanted(&self, directories: &[Address]) -> Wanted {
        Wanted {
            name: self.file.clone(),
            mirrors: directories.iter().map(|directory| directory.join(&self.file)).collect(),
            sha256: Some(self.sha256.clone()),
            size: None,
            entries: Some(self.entries.into()),
            headers: Headers::default(),
        }
    }
}

/// Reads all rows. A file in which one line is not in order is not believed at all.
///
/// # Errors
/// Bad data, with the line.
pub fn manifest(content: &[u8]) -> Result<Vec<Row>> {
    let bad = |why: &str| Error::new(ErrorKind::BadData, format!("MANIFEST {why}"));
    let text = std::str::from_utf8(content).map_err(|_| bad("is not text"))?;
    let mut rows: Vec<Row> = vec![];
    for (n, line) in text.lines().enumerate() {
        let row = row(line).map_err(|why| bad(&format!("is not in order: line {}: {why}", n + 1)))?;
        if rows.iter().any(|other| other.file == row.file || other.name == row.name) {
            return Err(bad(&format!("is not in order: line {}: {} is listed twice", n + 1, row.file)));
        }
        rows.push(row);
    }
    if rows.is_empty() {
        return Err(bad("is empty"));
    }
    Ok(rows)
}

fn row(line: &str) -> Result<Row, String> {
    let columns: Vec<&str> = line.split('\t').collect();
    let [file, sha256, entries, name, description, on] = columns[..] else {
        return Err(format!("it has {} columns, not 6", columns.len()));
    };
    let checked = |what, text: &str, good: bool| {
        if good { Ok(text.to_owned()) } else { Err(format!("{text:?} is no {what}")) }
    };
    Ok(Row {
        file: checked("name of a file", file, is_plain_name(file))?,
        sha256: checked("SHA-256", sha256, is_sha256(sha256))?,
        entries: entries.parse().map_err(|_| format!("{entries:?} is no number of entries"))?,
        name: checked("name of a set", name, is_plain_name(name))?,
        description: description
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'))
            .filter(|text| !text.chars().any(|c| c == '"' || c.is_control()))
            .ok_or_else(|| format!("{description:?} is no quoted description"))?
            .to_owned(),
        on: match on {
            "on" => true,
            "off" => false,
            _ => return Err(format!("{on:?} is neither on nor off")),
        },
    })
}

/// Whether this is a SHA-256 in lower-case hexadecimal digits.
#[must_use]
pub fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// A name that can only be that of a file in one directory.
#[must_use]
pub fn is_plain_name(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._+-".contains(c);
    !text.is_empty() && text.len() <= 255 && !text.starts_with(['.', '-']) && text.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(file: &str, sha256: &str, rest: &str) -> String {
        format!("{file}\t{sha256}\t{rest}\n")
    }

    #[test]
    fn every_column_is_read() {
        let text = line("base-dbg.txz", &"a1".repeat(32), "1234\tbase_dbg\t\"Base system (Debugging)\"\toff");
        let rows = manifest(text.as_bytes()).unwrap();
        assert_eq!(rows[0].entries, 1234);
        assert_eq!(rows[0].description, "Base system (Debugging)");
        assert!(!rows[0].on);
        assert!(["base_dbg", "base-dbg", "base-dbg.txz"].iter().all(|word| rows[0].is_called(word)));
        assert!(!["base", "dbg", "base-dbg.tx", ""].iter().any(|word| rows[0].is_called(word)));
    }

    #[test]
    fn one_wrong_column_is_enough_to_disbelieve() {
        let sha = "a1".repeat(32);
        let rest = "12\tbase\t\"Base\"\ton";
        for (file, sha256, rest, why) in [
            ("../base.txz", sha.as_str(), rest, "name of a file"),
            ("/etc/base.txz", &sha, rest, "name of a file"),
            ("", &sha, rest, "name of a file"),
            ("base.txz", &sha[..63], rest, "SHA-256"),
            ("base.txz", &"g".repeat(64), rest, "SHA-256"),
            ("base.txz", &sha, "-1\tbase\t\"Base\"\ton", "number of entries"),
            ("base.txz", &sha, "many\tbase\t\"Base\"\ton", "number of entries"),
            ("base.txz", &sha, "12\ta b\t\"Base\"\ton", "name of a set"),
            ("base.txz", &sha, "12\tbase\tBase\ton", "quoted description"),
            ("base.txz", &sha, "12\tbase\t\"Ba\u{1b}[2J\"\ton", "quoted description"),
            ("base.txz", &sha, "12\tbase\t\"Base\"\to", "neither on nor off"),
            ("base.txz", &sha, "12\tbase\t\"Base\"", "5 columns"),
            ("base.txz", &sha, "12\tbase\t\"Base\"\ton\t", "7 columns"),
        ] {
            let error = manifest(line(file, sha256, rest).as_bytes()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BadData);
            assert!(error.message().contains("line 1") && error.message().contains(why), "{error}");
        }
    }

    #[test]
    fn nothing_twice_and_not_nothing() {
        let row = line("base.txz", &"a1".repeat(32), "12\tbase\t\"Base\"\ton");
        assert!(
            manifest(row.repeat(2).as_bytes())
                .unwrap_err()
                .message()
                .contains("line 2: base.txz is listed twice")
        );
        let other = row.replace("base.txz", "other.txz");
        assert!(manifest([row, other].concat().as_bytes()).is_err(), "two sets of one name");
        assert!(manifest(b"").is_err());
        assert!(manifest(b"<html>404</html>").is_err());
        assert!(manifest(&[0xff, 0xfe]).is_err());
    }
}
