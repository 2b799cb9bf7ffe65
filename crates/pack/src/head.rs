//! The two texts at the beginning of an export, read without the rest. It does not know what they mean.

use std::io::Read;

use qchroot_api::camino::Utf8Path;
use qchroot_api::{Error, ErrorKind, Observe, Result};
use qchroot_unpack::HostFile;
use tar::{EntryType, Header};

use crate::{CONTAINER, HEADER, LONGEST_TEXT};

/// What stands at the beginning of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// What the export holds.
    pub header: String,
    /// The container's administration file.
    pub container: String,
}

/// Reads the head of the file `path`. Nothing is checked by digest yet.
///
/// # Errors
/// Bad data for a file that does not begin as an export does.
pub fn head(path: &Utf8Path, host: &dyn Observe) -> Result<Head> {
    let read = || {
        let file = HostFile::open(path, host)?;
        let mut input = zstd::Decoder::new(file).map_err(|error| damaged(&error))?;
        Ok(Head { header: text(&mut input, HEADER)?, container: text(&mut input, CONTAINER)? })
    };
    read().map_err(|error: Error| error.while_doing(format!("{path} is no export")).with("path", path))
}

/// The member that comes next, which must be a file of this name.
fn text(input: &mut impl Read, name: &str) -> Result<String> {
    let mut header = Header::new_ustar();
    input.read_exact(header.as_mut_bytes()).map_err(|error| damaged(&error))?;
    let size = header.entry_size().unwrap_or(u64::MAX);
    let right = *header.path_bytes() == *name.as_bytes() && header.entry_type() == EntryType::Regular;
    if !right || size > LONGEST_TEXT {
        return Err(Error::new(ErrorKind::BadData, format!("where {name} should be is something else")));
    }
    let mut bytes = vec![];
    let length = size.next_multiple_of(512);
    input.take(length).read_to_end(&mut bytes).map_err(|error| damaged(&error))?;
    bytes.truncate(usize::try_from(size).unwrap_or(0));
    String::from_utf8(bytes).map_err(|_| Error::new(ErrorKind::BadData, format!("{name} in it is not UTF-8")))
}

fn damaged(error: &std::io::Error) -> Error {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(ours) => ours.clone(),
        None => Error::new(ErrorKind::BadData, "its beginning is damaged or cut off").cause(error),
    }
}
