//! What a third party's back end answers is judged here before anybody acts on it: that a plan stays with the container
//! that it is for, does only what plans of its kind do, and runs no program that was not declared.
//!
//! A plug-in is the superuser in any case. This finds its mistakes before they do harm, and makes a dry run of its plans
//! something that one can believe. It asks nobody: all is judged by what was said, as text. `docs/plugin-rules.md` is
//! for authors.

mod answers;
mod disks;
mod ground;
mod info;
mod mounts;
mod programs;
mod services;
mod steps;
mod verbs;
mod words;

pub(crate) use answers::{derived, facts, layers, private, release, snapshots};
pub(crate) use info::info;
pub(crate) use programs::way;
pub(crate) use services::services;
pub(crate) use steps::plan;
pub(crate) use words::{cleaned, one_line};

use qchroot_api::{Error, ErrorKind};
use serde::Serialize;

use crate::Call;

/// What is wrong with an answer: the end of a sentence that begins with it, such as `which is not web's`.
type Verdict = Result<(), String>;

/// Whether something holds; `why` ends the sentence where it does not.
fn require(holds: bool, why: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(why()) }
}

/// The answer of `who` to the call `verb` is refused.
fn refused(who: &str, verb: &str, message: &str) -> Error {
    Error::new(ErrorKind::Plugin, format!("{who} {}", one_line(message, words::MESSAGE)))
        .with("plugin", who)
        .with("call", verb)
        .hint(format!("nothing was changed; tell the author of {who}"))
}

/// The word that the text form of a value has for `key`, such as the name of a call.
fn word_of(value: &impl Serialize, key: &str) -> Option<String> {
    let value = serde_json::to_value(value).ok()?;
    value.get(key)?.as_str().map(str::to_owned)
}

/// The name of a call.
pub(crate) fn verb_of(call: &Call) -> String {
    word_of(call, "call").unwrap_or_default()
}
