//! How a failure is told: one line, a hint below it, or one JSON object; and the exit status that goes with it.

use std::io::Write;

use qchroot_api::Error;
use serde_json::json;

use crate::print::escape;

/// The exit status of an error; programs that could not be run carry their own (chroot(8)).
pub(crate) fn status(error: &Error) -> u8 {
    error.fact("exit").and_then(|exit| exit.parse().ok()).unwrap_or_else(|| error.kind().exit_code())
}

/// Tells an error on standard error. Nothing can be done when that fails.
pub(crate) fn tell(error: &Error, exit: u8, as_json: bool) {
    let mut stderr = std::io::stderr().lock();
    if as_json {
        let context: serde_json::Map<_, _> =
            error.context().iter().map(|(key, value)| (key.clone(), value.clone().into())).collect();
        let object = json!({
            "kind": error.kind(),
            "message": error.message(),
            "context": context,
            "causes": error.causes(),
            "hint": error.hint_text(),
            "exit": exit,
        });
        let _ = writeln!(stderr, "{object}");
        return;
    }
    let _ = writeln!(stderr, "qchroot: {}", escape(&error.to_string()));
    if let Some(hint) = error.hint_text() {
        let _ = writeln!(stderr, "hint: {}", escape(hint));
    }
}

/// Tells on standard error what is no error. Nothing can be done when that fails.
pub(crate) fn warn(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "warning: {text}");
}
