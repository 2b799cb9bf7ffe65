//! Turns what the system said into the project's error. It knows no subject of its own.

use std::io;

use qchroot_api::{Error, Result};

/// Says what failed where a system call only says why.
pub(crate) trait OrError<T> {
    /// The value, or an error that reads `message: reason`.
    fn or_error(self, message: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: Into<io::Error>> OrError<T> for std::result::Result<T, E> {
    fn or_error(self, message: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| Error::from_io(&error.into(), message()))
    }
}
