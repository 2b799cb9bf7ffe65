//! The files that describe a set in parts: CHECKSUM.MD5, CHECKSUM.SHA256 and SET.inf. It knows how they are written,
//! not where they are.
//!
//! Sources: md5(1), cksum(1), `release/scripts/info.sh` of FreeBSD before 9.0.

use std::collections::BTreeMap;
use std::fmt;

use qchroot_api::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

use super::parts::digest_as;
use crate::{Address, Headers, Wanted};

/// Parts are named by two letters.
const MOST_PARTS: usize = 26 * 26;
/// Bytes that no part has; floppy disks were the measure.
const LARGEST_PART: u64 = 64 << 20;

/// The list of checksums that can be forged, the only one before 5.5.
pub const MD5_LIST: &str = "CHECKSUM.MD5";

/// One set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitSet {
    /// Its name, and its directory's.
    pub name: String,
    /// The parts of its archive, in order.
    pub parts: Vec<Part>,
}

/// One part of an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its file in the set's directory.
    pub file: String,
    /// Its published digest.
    pub digest: Digest,
    /// Its CRC as of cksum(1).
    pub crc: u32,
    /// Its length in bytes.
    pub size: u64,
}

impl Part {
    /// The part of the set `set`, from the directories of the release. MD5 is checked when the parts are joined.
    #[must_use]
    pub fn wanted(&self, set: &str, directories: &[Address]) -> Wanted {
        Wanted {
            name: self.file.clone(),
            mirrors: directories.iter().map(|directory| directory.join(set).join(&self.file)).collect(),
            sha256: match &self.digest {
                Digest::Sha256(hex) => Some(hex.clone()),
                Digest::Md5(_) => None,
            },
            size: Some(self.size),
            entries: None,
            headers: Headers::default(),
        }
    }
}

/// A published digest, lower-case hex.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", content = "hex", rename_all = "lowercase")]
pub enum Digest {
    /// MD5.
    Md5(String),
    /// SHA-256.
    Sha256(String),
}

impl Digest {
    /// Whether a list of this name has digests like this one: a weaker one in its place is none.
    fn belongs_in(&self, list: &str) -> bool {
        match self {
            Self::Md5(_) => list == MD5_LIST,
            Self::Sha256(_) => list != MD5_LIST,
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Md5(hex) => write!(f, "MD5 {hex}"),
            Self::Sha256(hex) => write!(f, "SHA-256 {hex}"),
        }
    }
}

fn bad(message: String) -> Error {
    Error::new(ErrorKind::BadData, message)
}

/// Reads a list of checksums, with lines like `SHA256 (base.aa) = 0123…`. A list in which one line is not in order is
/// not believed at all.
///
/// # Errors
/// Bad data, with the line.
pub fn checksums(list: &str, content: &[u8]) -> Result<BTreeMap<String, Digest>> {
    let text = std::str::from_utf8(content).map_err(|_| bad(format!("{list} is not text")))?;
    let mut digests = BTreeMap::new();
    for (n, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
        let wrong = || bad(format!("{list} is not in order: line {}", n + 1));
        let (file, digest) =
            checksum(line).filter(|(_, digest)| digest.belongs_in(list)).ok_or_else(wrong)?;
        if digests.insert(file, digest).is_some() {
            return Err(wrong().cause("the file is listed twice"));
        }
    }
    Ok(digests)
}

fn checksum(line: &str) -> Option<(String, Digest)> {
    let (algorithm, rest) = line.split_once(" (")?;
    let (file, hex) = rest.split_once(") = ")?;
    let file = file.strip_prefix("./").unwrap_or(file).to_owned();
    let hex = hex.to_ascii_lowercase();
    let is_hex = |digits| hex.len() == digits && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    match algorithm {
        "MD5" if is_hex(32) => Some((file, Digest::Md5(hex))),
        "SHA256" if is_hex(64) => Some((file, Digest::Sha256(hex))),
        _ => None,
    }
}

/// The parts of the archive `name`, as its description and the checksums of its directory tell alike.
///
/// # Errors
/// Bad data when they do not, and when the description is not the published one.
pub fn parts(name: &str, info: &[u8], digests: &BTreeMap<String, Digest>) -> Result<Vec<Part>> {
    let file = format!("{name}.inf");
    if let Some(published) = digests.get(&file).filter(|published| digest_as(published, info) != **published)
    {
        let found = digest_as(published, info);
        return Err(bad(format!("{file} has the {found}, not the published {published}")));
    }
    let text = std::str::from_utf8(info).map_err(|_| bad(format!("{file} is not text")))?;
    let values: BTreeMap<&str, &str> =
        text.lines().filter_map(|line| line.split_once('=')).map(|(k, v)| (k.trim(), v.trim())).collect();
    let pieces: Option<usize> = values.get("Pieces").and_then(|count| count.parse().ok());
    let pieces = pieces
        .filter(|count| (1..=MOST_PARTS).contains(count))
        .ok_or_else(|| bad(format!("{file} does not tell the number of pieces")))?;
    let listed = digests.keys().filter(|file| is_part(name, file)).count();
    if listed != pieces {
        return Err(bad(format!("{file} tells of {pieces} pieces of {name}, the checksums of {listed}")));
    }
    (0..pieces).map(|n| part(name, &suffix(n), &values, digests)).collect()
}

fn part(
    name: &str,
    suffix: &str,
    values: &BTreeMap<&str, &str>,
    digests: &BTreeMap<String, Digest>,
) -> Result<Part> {
    let file = format!("{name}.{suffix}");
    let digest = digests.get(&file).ok_or_else(|| bad(format!("{file} has no checksum")))?.clone();
    let sum = values.get(format!("cksum.{suffix}").as_str()).and_then(|value| {
        let (crc, size) = value.split_once(' ')?;
        Some((crc.parse().ok()?, size.trim().parse().ok()?))
    });
    match sum {
        Some((crc, size)) if size <= LARGEST_PART => Ok(Part { file, digest, crc, size }),
        _ => Err(bad(format!("{name}.inf does not tell cksum and size of {file}"))),
    }
}

fn is_part(name: &str, file: &str) -> bool {
    let suffix = file.strip_prefix(name).and_then(|rest| rest.strip_prefix('.'));
    suffix.is_some_and(|suffix| suffix.len() == 2 && suffix.bytes().all(|byte| byte.is_ascii_lowercase()))
}

/// `aa`, `ab` and so on, as split(1) counts.
fn suffix(n: usize) -> String {
    let letter = |n: usize| char::from(b'a' + u8::try_from(n % 26).unwrap_or_default());
    [letter(n / 26), letter(n)].iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn listed(files: &[&str]) -> BTreeMap<String, Digest> {
        let lines: String = files.iter().map(|file| format!("SHA256 ({file}) = {SHA}\n")).collect();
        checksums("CHECKSUM.SHA256", lines.as_bytes()).unwrap()
    }

    #[test]
    fn lists_are_read_whole_or_not_at_all() {
        let text = "MD5 (./base.aa) = D41D8CD98F00B204E9800998ECF8427E\n\nMD5 (install.sh) = d41d8cd98f00b204e9800998ecf8427e\n";
        let digests = checksums("CHECKSUM.MD5", text.as_bytes()).unwrap();
        assert_eq!(digests["base.aa"], Digest::Md5("d41d8cd98f00b204e9800998ecf8427e".into()));
        for bad in [
            "MD5 (base.aa) = 12",
            &format!("SHA256 (base.aa) = {SHA}"),
            "SHA1 (base.aa) = 12",
            "base.aa",
            &text.repeat(2),
        ] {
            assert_eq!(
                checksums("CHECKSUM.MD5", bad.as_bytes()).unwrap_err().kind(),
                ErrorKind::BadData,
                "{bad}"
            );
        }
    }

    #[test]
    fn description_and_checksums_must_tell_alike() {
        let info = b"Pieces =  2\ncksum.aa = 4294967295 0\ncksum.ab = 1 7\n";
        let found =
            parts("base", info, &listed(&["base.aa", "base.ab", "install.sh", "base.mtree"])).unwrap();
        assert_eq!(found.iter().map(|part| part.size).collect::<Vec<_>>(), [0, 7]);
        for files in [&["base.aa"][..], &["base.aa", "base.ac"], &["base.aa", "base.ab", "base.ac"], &[]] {
            assert_eq!(
                parts("base", info, &listed(files)).unwrap_err().kind(),
                ErrorKind::BadData,
                "{files:?}"
            );
        }
        for info in ["", "Pieces = 0", "Pieces = 2", "Pieces = x", "Pieces = 2\ncksum.aa = 1 7\ncksum.ab = 1"]
        {
            assert!(parts("base", info.as_bytes(), &listed(&["base.aa", "base.ab"])).is_err(), "{info}");
        }
    }

    #[test]
    fn a_description_that_is_not_the_published_one_is_not_believed() {
        let info = b"Pieces = 1\ncksum.aa = 4294967295 0\n";
        let error = parts("base", info, &listed(&["base.aa", "base.inf"])).unwrap_err();
        assert!(error.message().contains("base.inf has the SHA-256"), "{error}");
    }

    #[test]
    fn parts_are_counted_as_split_does() {
        assert_eq!([0, 25, 26, 675].map(suffix), ["aa", "az", "ba", "zz"]);
    }
}
