//! Opening a plug-in's library. It does not know where plug-ins lie, nor which ones may be opened.

use abi_stable::library::{AbiHeaderRef, LibraryError};
use camino::Utf8Path;
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use qchroot_api::{Error, ErrorKind, Result};

use crate::judge::cleaned;
use crate::module::PluginRef;
use crate::text::error_of;
use crate::{InProcess, LIBRARY_SYMBOL};

/// Characters of another's words that are repeated in an error, at most.
const WORDS: usize = 300;

/// Opens a library and makes its back end. It stays in this process until its end.
///
/// # Errors
/// Plug-in, with the file and what is wrong with it.
pub fn open(file: &Utf8Path) -> Result<InProcess> {
    // SAFETY: what a library does when it is opened is its author's word; only the superuser can have put it here. All
    // that it needs of other libraries is looked for now, not when it is first called.
    let library = unsafe { Library::open(Some(file.as_std_path()), RTLD_NOW | RTLD_LOCAL) };
    let library = library.map_err(|error| not_loaded(file, &error))?;
    // SAFETY: under this name, a library that has the header of a plug-in offers abi_stable's `LibHeader`, whose
    // beginning is checked before the rest is believed.
    let symbol = unsafe { library.get::<AbiHeaderRef>(LIBRARY_SYMBOL.as_bytes()) };
    let abi = *symbol.map_err(|error| broken(file, "offers no back end").cause(loaders_words(&error)))?;
    // Never closed: what came from it may be anywhere.
    std::mem::forget(library);
    let module = abi.upgrade().and_then(|header| header.init_root_module::<PluginRef>());
    let module = module.map_err(|error| misfit(file, &error))?;
    let make = module.make();
    let made = make().into_result().map(InProcess::new);
    made.map_err(|text| {
        let error = cleaned(&error_of(file.as_str(), &text));
        error.while_doing(format!("{file} makes no back end")).with("file", file)
    })
}

fn not_loaded(file: &Utf8Path, error: &libloading::Error) -> Error {
    let words = loaders_words(error);
    let hint = if words.contains("undefined symbol") || words.contains("Undefined symbol") {
        "it was built against other libraries than this host has: ask its author"
    } else {
        "install the library that it needs; ldd(1) lists them"
    };
    broken(file, "cannot be loaded").cause(words).hint(hint)
}

/// What dlopen(3) and dlsym(3) say, without the crate's own words around it.
fn loaders_words(error: &libloading::Error) -> String {
    let source = std::error::Error::source(error);
    cut(&source.map_or_else(|| error.to_string(), ToString::to_string))
}

fn misfit(file: &Utf8Path, error: &LibraryError) -> Error {
    let (what, words) = match error {
        LibraryError::InvalidAbiHeader(_) | LibraryError::InvalidCAbi { .. } => {
            ("was built with another abi_stable than this program", String::new())
        }
        LibraryError::AbiInstability(tree) => {
            ("has another layout than its border says", first_difference(&tree.to_string()))
        }
        error => ("cannot be used", error.to_string()),
    };
    let error =
        broken(file, what).hint("ask its author for one that is built with the published qchroot-plugin");
    if words.trim().is_empty() { error } else { error.cause(cut(&words)) }
}

/// The first of the differences in abi_stable's account, which goes on for thousands of lines.
fn first_difference(account: &str) -> String {
    account.split_once("\nError:").map_or(account, |(_, first)| first).to_owned()
}

/// The beginning of somebody's words, on one line.
fn cut(words: &str) -> String {
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(WORDS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

fn broken(file: &Utf8Path, what: &str) -> Error {
    Error::new(ErrorKind::Plugin, format!("{file} {what}")).with("file", file)
}
