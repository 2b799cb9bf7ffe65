//! Paths that need not be UTF-8, in formats that are: text where it can be, else its bytes one by one.

use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use serde::de::{SeqAccess, Visitor};
use serde::{Deserializer, Serializer};

pub(crate) fn serialize<S: Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
    match path.to_str() {
        Some(text) => to.serialize_str(text),
        None => to.collect_seq(path.as_os_str().as_bytes()),
    }
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<PathBuf, D::Error> {
    from.deserialize_any(TextOrBytes)
}

struct TextOrBytes;

impl<'de> Visitor<'de> for TextOrBytes {
    type Value = PathBuf;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a path as text or as a list of bytes")
    }

    fn visit_str<E>(self, text: &str) -> Result<PathBuf, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut bytes: A) -> Result<PathBuf, A::Error> {
        let mut all = Vec::new();
        while let Some(byte) = bytes.next_element()? {
            all.push(byte);
        }
        Ok(OsString::from_vec(all).into())
    }
}

#[cfg(test)]
mod tests {
    use crate::{Node, NodeKind};

    use super::*;

    #[test]
    fn names_that_are_not_text_cross_unchanged() {
        let path = PathBuf::from(OsString::from_vec(b"etc/\xff\"".to_vec()));
        let kind = NodeKind::Symlink { to: "a b".into() };
        let node = Node { path, kind, mode: 0, uid: 0, gid: 0, mtime: (-1, 5), xattrs: vec![], flags: None };
        let json = serde_json::to_string(&node).unwrap();
        assert!(json.contains(r#""path":[101,"#) && json.contains(r#""to":"a b""#), "{json}");
        assert_eq!(serde_json::from_str::<Node>(&json).unwrap(), node);
    }
}
