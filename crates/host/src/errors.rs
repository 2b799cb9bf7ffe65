//! Turns what the system said into the project's error: one table for both systems of what the standard library has no
//! kind for. It knows no subject of its own.

use std::io;

use qchroot_api::{Error, ErrorKind, Result};

/// Says what failed where a system call only says why.
pub(crate) trait OrError<T> {
    /// The value, or an error that reads `message: reason`.
    fn or_error(self, message: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: Into<io::Error>> OrError<T> for std::result::Result<T, E> {
    fn or_error(self, message: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| from_io(&error.into(), message()))
    }
}

/// What a number means.
struct Meaning {
    /// Its name in errno(2) and errno(3).
    #[cfg_attr(not(test), expect(dead_code, reason = "for the reader, and for the test that compares it"))]
    name: &'static str,
    /// The number on FreeBSD, where it has one (sys/errno.h).
    freebsd: Option<i32>,
    /// The same on Linux (asm-generic/errno.h).
    linux: Option<i32>,
    kind: ErrorKind,
    /// Instead of the system's own words, where these mislead.
    words: Option<&'static str>,
    hint: Option<&'static str>,
}

const fn row(name: &'static str, freebsd: i32, linux: i32, kind: ErrorKind) -> Meaning {
    let (freebsd, linux) = (Some(freebsd), Some(linux));
    Meaning { name, freebsd, linux, kind, words: None, hint: None }
}

const fn freebsd(name: &'static str, number: i32, kind: ErrorKind) -> Meaning {
    Meaning { name, freebsd: Some(number), linux: None, kind, words: None, hint: None }
}

const fn linux(name: &'static str, number: i32, kind: ErrorKind) -> Meaning {
    Meaning { name, freebsd: None, linux: Some(number), kind, words: None, hint: None }
}

impl Meaning {
    const fn words(mut self, words: &'static str) -> Self {
        self.words = Some(words);
        self
    }

    const fn hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }

    const fn here(&self) -> Option<i32> {
        if cfg!(target_os = "freebsd") { self.freebsd } else { self.linux }
    }
}

const MEANINGS: [Meaning; 20] = [
    row("ENOTBLK", 15, 15, ErrorKind::BadData),
    row("ENODEV", 19, 19, ErrorKind::Unavailable),
    row("ETXTBSY", 26, 26, ErrorKind::Busy),
    row("EDEADLK", 11, 35, ErrorKind::Busy),
    row("EBADMSG", 89, 74, ErrorKind::BadData),
    // What open(2) says of a link that it must not follow differs.
    row("ELOOP", 62, 40, ErrorKind::Exists).words("a link is in the way, or links lead in a circle"),
    freebsd("EMLINK", 31, ErrorKind::Exists).words("a link is in the way, or a file has too many names"),
    freebsd("EPROCLIM", 67, ErrorKind::Busy)
        .hint("no more processes are allowed: see the limits of the login class, login.conf(5)"),
    freebsd("EFTYPE", 79, ErrorKind::BadData),
    freebsd("EAUTH", 80, ErrorKind::Permission),
    freebsd("ENEEDAUTH", 81, ErrorKind::Permission),
    freebsd("ENOATTR", 87, ErrorKind::NotFound),
    freebsd("EDOOFUS", 88, ErrorKind::Internal),
    freebsd("ENOTCAPABLE", 93, ErrorKind::Permission)
        .words("it leads out of the directory that it must stay in"),
    freebsd("ECAPMODE", 94, ErrorKind::Permission).words("not permitted in capability mode"),
    freebsd("EINTEGRITY", 97, ErrorKind::BadData)
        .hint("the file system is damaged: unmount it and run fsck_ffs(8)"),
    linux("ENODATA", 61, ErrorKind::NotFound),
    linux("EUCLEAN", 117, ErrorKind::BadData).hint("the file system is damaged: unmount it and run fsck(8)"),
    linux("EREMOTEIO", 121, ErrorKind::Io),
    linux("ENOMEDIUM", 123, ErrorKind::Unavailable),
];

/// An error of the operating system's.
pub(crate) fn from_io(error: &io::Error, message: impl Into<String>) -> Error {
    let number = error.raw_os_error();
    let Some(meaning) = MEANINGS.iter().find(|meaning| number.is_some() && meaning.here() == number) else {
        return Error::from_io(error, message);
    };
    let built = match meaning.words {
        Some(words) => Error::new(meaning.kind, message).cause(words),
        None => Error::from_io(error, message).of_kind(meaning.kind),
    };
    match meaning.hint {
        Some(hint) => built.hint(hint),
        None => built,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_is_that_of_its_name() {
        for meaning in &MEANINGS {
            if let Some(number) = meaning.here() {
                let name = format!("{:?}", nix::errno::Errno::from_raw(number));
                // Not every name is known to those who compare.
                assert!(name == meaning.name || name == "UnknownErrno", "{name}, not {}", meaning.name);
            }
        }
    }

    #[test]
    fn no_number_has_two_meanings() {
        for of in [|meaning: &Meaning| meaning.freebsd, |meaning: &Meaning| meaning.linux] {
            let mut numbers: Vec<i32> = MEANINGS.iter().filter_map(of).collect();
            let all = numbers.len();
            numbers.sort_unstable();
            numbers.dedup();
            assert_eq!(numbers.len(), all);
        }
    }

    #[test]
    fn a_link_in_the_way_is_said_in_words_and_what_is_held_is_busy() {
        let link = from_io(&nix::errno::Errno::ELOOP.into(), "cannot lock x");
        assert_eq!(link.to_string(), "cannot lock x: a link is in the way, or links lead in a circle");
        assert_eq!(link.kind(), ErrorKind::Exists);
        assert_eq!(from_io(&nix::errno::Errno::EDEADLK.into(), "x").kind(), ErrorKind::Busy);
        assert_eq!(from_io(&nix::errno::Errno::EACCES.into(), "x").kind(), ErrorKind::Permission);
    }
}
