//! A plug-in's library: what its file says of itself, and opening it. It does not know where plug-ins lie, nor which ones
//! may be opened.

use std::fs;

use abi_stable::library::{AbiHeaderRef, LibraryError};
use camino::Utf8Path;
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use object::{Object, ObjectSymbol};
use qchroot_api::{Error, ErrorKind, Result};

use crate::module::PluginRef;
use crate::text::error_of;
use crate::{HEADER_SYMBOL, Header, InProcess, LIBRARY_SYMBOL};

/// What a plug-in's file says of itself. The file is read, and nothing of it runs.
///
/// # Errors
/// Plug-in, with the file and what is wrong with it.
pub fn read_header(file: &Utf8Path) -> Result<Header> {
    let bytes = fs::read(file).map_err(|error| Error::from_io(&error, format!("cannot read {file}")))?;
    let parsed =
        object::File::parse(&*bytes).map_err(|error| broken(file, "is no shared library").cause(error))?;
    let symbol = parsed.dynamic_symbols().find(|symbol| symbol.name() == Ok(HEADER_SYMBOL));
    let Some(symbol) = symbol else { return Err(broken(file, "is no plug-in of qchroot's")) };
    let start = symbol.address();
    let section =
        parsed.section_by_index(symbol.section_index().ok_or_else(|| broken(file, "has no header"))?);
    let data = section.and_then(|section| object::ObjectSection::data_range(&section, start, symbol.size()));
    let text = data.ok().flatten().ok_or_else(|| broken(file, "has no header"))?;
    serde_json::from_slice(text)
        .map_err(|error| broken(file, "has a header that cannot be read").cause(error))
}

/// Opens a library and makes its back end. It stays in this process until its end.
///
/// # Errors
/// Plug-in, with the file and what is wrong with it.
pub fn open(file: &Utf8Path) -> Result<InProcess> {
    // SAFETY: what a library does when it is opened is its author's word; only the superuser can have put it here.
    let library = unsafe { Library::open(Some(file.as_std_path()), RTLD_NOW | RTLD_LOCAL) };
    let library = library.map_err(|error| broken(file, "cannot be opened").cause(error))?;
    // SAFETY: under this name, a library that has the header of a plug-in offers abi_stable's `LibHeader`, whose
    // beginning is checked before the rest is believed.
    let symbol = unsafe { library.get::<AbiHeaderRef>(LIBRARY_SYMBOL.as_bytes()) };
    let abi = *symbol.map_err(|error| broken(file, "offers no back end").cause(error))?;
    // Never closed: what came from it may be anywhere.
    std::mem::forget(library);
    let refused = |error: LibraryError| broken(file, "does not fit this qchroot").cause(error);
    let module = abi.upgrade().and_then(|header| header.init_root_module::<PluginRef>()).map_err(refused)?;
    let make = module.make();
    make().into_result().map(InProcess::new).map_err(|text| error_of(file.as_str(), &text))
}

fn broken(file: &Utf8Path, what: &str) -> Error {
    Error::new(ErrorKind::Plugin, format!("{file} {what}")).with("file", file)
}
