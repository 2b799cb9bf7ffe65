//! Values as the text that crosses the border, and the errors of text that is not what it should be.

use qchroot_api::{Error, ErrorKind, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Bytes of a text that crosses the border, at most: room for a plan of thousands of steps. The content of files goes
/// beside the text, in parts.
pub const MOST_TEXT: usize = 16 << 20;

/// A value as JSON.
pub(crate) fn to_text<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|error| Error::new(ErrorKind::Internal, "cannot be said across the border").cause(error))
}

/// A value from JSON; `who` says whose words these are.
///
/// # Errors
/// Plug-in, with the place in the text.
pub(crate) fn from_text<T: DeserializeOwned>(who: &str, text: &str) -> Result<T> {
    if text.len() > MOST_TEXT {
        let message = format!("{who} said {} bytes at once, more than {MOST_TEXT}", text.len());
        return Err(Error::new(ErrorKind::Plugin, message));
    }
    serde_json::from_str(text).map_err(|error| {
        Error::new(ErrorKind::Plugin, format!("{who} said what cannot be understood")).cause(error)
    })
}

/// An error as JSON.
pub(crate) fn error_text(error: &Error) -> String {
    serde_json::to_string(error).unwrap_or_default()
}

/// An error from JSON; what is none becomes one about `who`.
pub(crate) fn error_of(who: &str, text: &str) -> Error {
    from_text(who, text).unwrap_or_else(|error| error)
}
