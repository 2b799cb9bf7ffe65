//! The one error type. It knows nothing about where it is printed; it serialises, so it crosses every border.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What went wrong, in the terms of `sysexits(3)`; one kind has one exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The command line is wrong.
    Usage,
    /// Data is bad: a digest, an archive, a package database.
    BadData,
    /// A container, release, service, program or file does not exist.
    NotFound,
    /// Something outside cannot be reached or does not support this: network, plug-in, kernel facility.
    Unavailable,
    /// A fault of qchroot's own.
    Internal,
    /// It exists already.
    Exists,
    /// Input or output failed: no space, read-only file system, I/O error.
    Io,
    /// Somebody else is at it, or it is in use.
    Busy,
    /// A plug-in broke the border's rules.
    Plugin,
    /// Not permitted.
    Permission,
    /// The configuration is wrong.
    Config,
    /// The operating system refused; for a plug-in also any kind that it is too old to know.
    #[serde(other)]
    System,
}

impl ErrorKind {
    /// The exit status of the program when this error ends it.
    ///
    /// Source: `sysexits(3)`, with 73 and 76 narrowed as `docs/exit-codes.md` says.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Usage => 64,
            Self::BadData => 65,
            Self::NotFound => 66,
            Self::Unavailable => 69,
            Self::Internal => 70,
            Self::System => 71,
            Self::Exists => 73,
            Self::Io => 74,
            Self::Busy => 75,
            Self::Plugin => 76,
            Self::Permission => 77,
            Self::Config => 78,
        }
    }
}

/// A result with qchroot's error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// One failure: what failed, on what, why, and what to do.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Error(Box<Inner>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Inner {
    /// What went wrong.
    kind: ErrorKind,
    /// A lower-case fragment without a full stop, with the names in it.
    message: String,
    /// Named facts, such as a path or a key.
    context: Vec<(String, String)>,
    /// Reasons, the nearest first.
    causes: Vec<String>,
    /// What to do about it.
    hint: Option<String>,
}

impl Error {
    /// A new error. `message` is a lower-case fragment without a full stop, with the names in it.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, message: message.into(), context: vec![], causes: vec![], hint: None }))
    }

    /// An error of the operating system's, its kind chosen by what the system said; one of ours that was carried as the
    /// system's, as by a reader, is what it was.
    pub fn from_io(error: &std::io::Error, message: impl Into<String>) -> Self {
        use std::io::ErrorKind as Io;
        if let Some(own) = error.get_ref().and_then(|inner| inner.downcast_ref::<Self>()) {
            return own.clone().while_doing(message);
        }
        let kind = match error.kind() {
            Io::NotFound => ErrorKind::NotFound,
            Io::PermissionDenied => ErrorKind::Permission,
            Io::AlreadyExists => ErrorKind::Exists,
            Io::ResourceBusy | Io::WouldBlock => ErrorKind::Busy,
            Io::StorageFull | Io::ReadOnlyFilesystem | Io::QuotaExceeded | Io::FileTooLarge => ErrorKind::Io,
            Io::Other | Io::UnexpectedEof | Io::WriteZero | Io::BrokenPipe => ErrorKind::Io,
            Io::Unsupported => ErrorKind::Unavailable,
            _ if error.raw_os_error() == Some(5) => ErrorKind::Io, // EIO on every system
            _ => ErrorKind::System,
        };
        Self::new(kind, message).cause(describe(error))
    }

    /// Adds a named fact: a path, an option's key, a line number.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl fmt::Display) -> Self {
        self.0.context.push((key.to_owned(), value.to_string()));
        self
    }

    /// Adds the reason below the last one.
    #[must_use]
    pub fn cause(mut self, cause: impl fmt::Display) -> Self {
        self.0.causes.push(cause.to_string());
        self
    }

    /// Says what the user can do about it. A hint that is there already is kept: it was nearer to the fault.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint.get_or_insert_with(|| hint.into());
        self
    }

    /// Changes the hint that is there, for a caller who knows names that it lacks.
    #[must_use]
    pub fn with_hint(mut self, change: impl FnOnce(&str) -> String) -> Self {
        self.0.hint = self.0.hint.take().map(|hint| change(&hint));
        self
    }

    /// Puts what was being done in front: the old message becomes the first cause.
    #[must_use]
    pub fn while_doing(mut self, message: impl Into<String>) -> Self {
        let old = std::mem::replace(&mut self.0.message, message.into());
        self.0.causes.insert(0, old);
        self
    }

    /// Changes the kind, where a caller knows better.
    #[must_use]
    pub fn of_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The message without causes.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Named facts, in the order they were added.
    #[must_use]
    pub fn context(&self) -> &[(String, String)] {
        &self.0.context
    }

    /// Reasons, the nearest first.
    #[must_use]
    pub fn causes(&self) -> &[String] {
        &self.0.causes
    }

    /// What to do, if anybody knows.
    #[must_use]
    pub fn hint_text(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// The value of the fact named `key`.
    #[must_use]
    pub fn fact(&self, key: &str) -> Option<&str> {
        self.0.context.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str())
    }
}

/// The system's own words, without Rust's "(os error N)".
fn describe(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_lowercase(),
        None => text,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        self.0.causes.iter().try_for_each(|cause| write!(f, ": {cause}"))
    }
}

/// All of it in words, for failed tests: reports of the test kit are read by authors of plug-ins.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} ({:?}", self.0.kind)?;
        self.0.context.iter().try_for_each(|(key, value)| write!(f, ", {key} {value:?}"))?;
        self.0.hint.iter().try_for_each(|hint| write!(f, ", hint: {hint}"))?;
        f.write_str(")")
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_hint_wins_and_causes_read_outside_in() {
        let error = Error::new(ErrorKind::Busy, "cannot unmount /x")
            .cause("device busy")
            .hint("stop it first")
            .while_doing("cannot stop web")
            .hint("try again");
        assert_eq!(error.to_string(), "cannot stop web: cannot unmount /x: device busy");
        assert_eq!(error.hint_text(), Some("stop it first"));
    }

    #[test]
    fn one_of_ours_that_a_reader_carried_is_what_it_was() {
        let own =
            Error::new(ErrorKind::BadData, "x.tar is damaged").cause("bad digest").hint("fetch it again");
        let error = Error::from_io(&std::io::Error::other(own), "cannot write etc/x");
        assert_eq!(error.to_string(), "cannot write etc/x: x.tar is damaged: bad digest");
        assert_eq!((error.kind(), error.hint_text()), (ErrorKind::BadData, Some("fetch it again")));
    }

    #[test]
    fn no_space_is_an_io_error_and_speaks_without_numbers() {
        let error = Error::from_io(&std::io::Error::from_raw_os_error(28), "cannot write x");
        assert_eq!(error.kind().exit_code(), 74);
        assert_eq!(error.to_string(), "cannot write x: no space left on device");
    }
}
