//! The names of BSD's file flags, strtofflags(3), as archives and mtree(5) have them. It knows text and numbers only.

use qchroot_api::{Error, ErrorKind, Result};

/// Names and values; source: sys/stat.h and strtofflags(3). The first name of each value is the one that is written.
const NAMES: [(&str, u32); 33] = [
    ("nodump", 0x1),
    ("uchg", 0x2),
    ("uchange", 0x2),
    ("uimmutable", 0x2),
    ("uappnd", 0x4),
    ("uappend", 0x4),
    ("opaque", 0x8),
    ("uunlnk", 0x10),
    ("uunlink", 0x10),
    ("system", 0x80),
    ("usystem", 0x80),
    ("sparse", 0x100),
    ("usparse", 0x100),
    ("offline", 0x200),
    ("uoffline", 0x200),
    ("reparse", 0x400),
    ("ureparse", 0x400),
    ("uarch", 0x800),
    ("uarchive", 0x800),
    ("rdonly", 0x1000),
    ("urdonly", 0x1000),
    ("readonly", 0x1000),
    ("hidden", 0x8000),
    ("uhidden", 0x8000),
    ("arch", 0x1_0000),
    ("archived", 0x1_0000),
    ("schg", 0x2_0000),
    ("schange", 0x2_0000),
    ("simmutable", 0x2_0000),
    ("sappnd", 0x4_0000),
    ("sappend", 0x4_0000),
    ("sunlnk", 0x10_0000),
    ("sunlink", 0x10_0000),
];

/// Flags of other systems that bsdtar(1) writes there, chattr(1), and `snapshot`, which a copy of a snapshot is not.
const LEFT_OUT: [&str; 18] = [
    "snapshot",
    "compress",
    "compressed",
    "tracked",
    "secdel",
    "securedeletion",
    "undel",
    "sync",
    "synchronous",
    "atime",
    "dirsync",
    "topdir",
    "tail",
    "journal",
    "journal-data",
    "cow",
    "projinherit",
    "dump",
];

/// The names of these flags, separated by commas; `none` without any.
pub(crate) fn names(flags: u32) -> String {
    let mut left = flags;
    let mut found = vec![];
    for (name, value) in NAMES {
        if left & value != 0 {
            left &= !value;
            found.push(name);
        }
    }
    if found.is_empty() { "none".to_owned() } else { found.join(",") }
}

/// The flags with these names, separated by commas. With `no` in front a name says that the flag is not set.
///
/// # Errors
/// Bad data for a name that is not known.
pub(crate) fn named(names: &str) -> Result<u32> {
    let names = names.split(',').map(str::trim).filter(|name| !name.is_empty() && *name != "none");
    names.map(value).try_fold(0, |flags, value| Ok(flags | value?))
}

fn value(name: &str) -> Result<u32> {
    let known = |name: &str| NAMES.iter().find(|(known, _)| *known == name).map(|&(_, value)| value);
    if let Some(value) = known(name) {
        return Ok(value);
    }
    let positive = name.strip_prefix("no").unwrap_or(name);
    if LEFT_OUT.contains(&positive) || (positive != name && known(positive).is_some()) {
        return Ok(0);
    }
    Err(Error::new(ErrorKind::BadData, format!("unknown file flag {name}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_numbers_and_the_first_names_of_these() {
        assert_eq!(named("schg,uappend,nodump").unwrap_or_default(), 0x2_0000 | 0x4 | 0x1);
        assert_eq!(names(0x2_0000 | 0x4 | 0x1), "nodump,uappnd,schg");
        assert_eq!(names(0x800), "uarch");
        assert_eq!(names(0), "none");
        for (name, value) in NAMES {
            assert_eq!(named(&names(value)).unwrap_or_default(), value, "{name}");
        }
    }

    #[test]
    fn what_is_said_not_to_be_set_is_not() {
        assert_eq!(named("noschg,dump,nosunlink,none,").unwrap_or(1), 0);
        assert_eq!(named("uarch,noatime,undel,snapshot").unwrap_or_default(), 0x800);
    }

    #[test]
    fn what_nobody_knows_is_named() {
        for names in ["schg,bogus", "nobogus", "no"] {
            let error = named(names).map(drop);
            assert!(error.is_err_and(|error| error.kind() == ErrorKind::BadData), "{names}");
        }
    }
}
