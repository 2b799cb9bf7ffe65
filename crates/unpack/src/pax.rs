//! Records of pax extended headers (pax(1), "pax Extended Header"). It knows their syntax and which ones matter
//! here, and no other part of an archive.

use std::collections::BTreeMap;

use qchroot_api::{Error, ErrorKind, Result};

/// Records by keyword. Values are bytes: those of extended attributes may hold anything, newlines too.
#[derive(Debug, Clone, Default)]
pub(crate) struct Records(BTreeMap<Vec<u8>, Vec<u8>>);

impl Records {
    /// Parses `LENGTH KEY=VALUE\n` records, where LENGTH counts the whole record.
    pub(crate) fn parse(mut bytes: &[u8]) -> Result<Self> {
        let mut records = BTreeMap::new();
        while !bytes.is_empty() {
            let (key, value, rest) = record(bytes)
                .ok_or_else(|| Error::new(ErrorKind::BadData, "pax extended header is malformed"))?;
            records.insert(key.to_vec(), value.to_vec());
            bytes = rest;
        }
        Ok(Self(records))
    }

    /// Takes over what a global header says for all entries to come.
    ///
    /// # Errors
    /// Bad data for records that make no sense for more than one entry: readers disagree about them.
    pub(crate) fn extend(&mut self, global: Self) -> Result<()> {
        for (key, value) in global.0 {
            if matches!(key.as_slice(), b"path" | b"linkpath" | b"size") || key.starts_with(b"GNU.sparse.") {
                let key = String::from_utf8_lossy(&key).into_owned();
                return Err(Error::new(ErrorKind::BadData, format!("global pax header sets {key}")));
            }
            self.0.insert(key, value);
        }
        Ok(())
    }

    /// These records with those of `global` where these say nothing.
    pub(crate) fn over(mut self, global: &Self) -> Self {
        for (key, value) in &global.0 {
            self.0.entry(key.clone()).or_insert_with(|| value.clone());
        }
        self
    }

    /// The value of `key`; an empty one counts as none.
    pub(crate) fn get(&self, key: &str) -> Option<&[u8]> {
        self.0.get(key.as_bytes()).map(Vec::as_slice).filter(|value| !value.is_empty())
    }

    /// The value of `key` as text.
    pub(crate) fn text(&self, key: &str) -> Result<Option<&str>> {
        self.get(key).map(|value| std::str::from_utf8(value).map_err(|_| bad(key, value))).transpose()
    }

    /// The value of `key` as a decimal number.
    pub(crate) fn number(&self, key: &str) -> Result<Option<u64>> {
        self.text(key)?.map(|text| text.parse().map_err(|_| bad(key, text.as_bytes()))).transpose()
    }

    /// Modification time: seconds and nanoseconds since the epoch, rounded down.
    pub(crate) fn mtime(&self) -> Result<Option<(i64, u32)>> {
        let Some(text) = self.text("mtime")? else { return Ok(None) };
        time(text).map(Some).ok_or_else(|| bad("mtime", text.as_bytes()))
    }

    /// The records whose keyword begins with `prefix`, without it.
    pub(crate) fn below<'a>(&'a self, prefix: &'a [u8]) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        self.0.iter().filter_map(move |(key, value)| Some((key.strip_prefix(prefix)?, value.as_slice())))
    }
}

fn record(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = bytes.iter().position(|&byte| byte == b' ')?;
    let length: usize = std::str::from_utf8(&bytes[..space]).ok()?.parse().ok()?;
    let body = bytes.get(space + 1..length)?.strip_suffix(b"\n")?;
    let equals = body.iter().position(|&byte| byte == b'=')?;
    Some((&body[..equals], &body[equals + 1..], &bytes[length..]))
}

fn time(text: &str) -> Option<(i64, u32)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    let (seconds, nanos) = (whole.parse::<i64>().ok()?, digits.parse::<u32>().ok()?);
    if text.starts_with('-') && nanos > 0 {
        Some((seconds.checked_sub(1)?, 1_000_000_000 - nanos))
    } else {
        Some((seconds, nanos))
    }
}

fn bad(key: &str, value: &[u8]) -> Error {
    let value = String::from_utf8_lossy(value).into_owned();
    Error::new(ErrorKind::BadData, format!("pax record {key} has the value {value:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_may_hold_newlines_and_what_looks_like_records() {
        let records = Records::parse(b"34 SCHILY.xattr.user.x=\n9 path=x\n\n13 path=good\n").unwrap();
        assert_eq!(records.get("path"), Some(&b"good"[..]));
        assert_eq!(records.get("SCHILY.xattr.user.x"), Some(&b"\n9 path=x\n"[..]));
    }

    #[test]
    fn times_before_the_epoch_round_down() {
        assert_eq!(time("1700000000.5"), Some((1_700_000_000, 500_000_000)));
        assert_eq!(time("-0.25"), Some((-1, 750_000_000)));
        assert_eq!(time("12"), Some((12, 0)));
        assert_eq!(time("1.x"), None);
    }

    #[test]
    fn lengths_that_lie_are_refused() {
        for bad in ["99 path=x\n", "3 path=x\n", "x path=x\n", "9 path=x!", "9 pathxx\n", "0 path=x\n"] {
            assert!(Records::parse(bad.as_bytes()).is_err(), "{bad:?}");
        }
    }
}
