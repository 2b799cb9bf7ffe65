//! Compares the file at a place with what a step would write there. It changes nothing.

use std::fs::File;
use std::io::Read;

use qchroot_api::{Place, Result};
use qchroot_engine::Probe;
use rustix::fs::{FileType, Mode, OFlags, fstat, openat};
use rustix::io::Errno;

use crate::beneath::{self, describe};
use crate::errors::OrError;
use crate::files::permissions;

/// How the file at a place stands to `text` with `mode`; before, it was `was`.
pub(crate) fn file(at: &Place, text: &str, mode: u32, was: Option<&str>) -> Result<Probe> {
    let message = || format!("cannot read {at}");
    let spot = beneath::parent(at)?;
    match beneath::file_type(&spot.dir, &spot.name)? {
        None => return Ok(Probe::Absent),
        Some(FileType::RegularFile) => {}
        Some(other) => return Ok(Probe::Conflict(format!("{at} is {}, not a file", describe(other)))),
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = match openat(&spot.dir, &spot.name, flags, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(Probe::Absent),
        file => File::from(file.or_error(message)?),
    };
    let found_mode = permissions(&fstat(&file).or_error(message)?);
    let found = read_up_to(file, text.len().max(was.map_or(0, str::len))).or_error(message)?;
    Ok(if found == text.as_bytes() && found_mode == mode & 0o7777 {
        Probe::Present
    } else if found == text.as_bytes() || was.is_some_and(|was| found == was.as_bytes()) {
        Probe::Absent
    } else {
        Probe::Conflict(format!("{at} has other content than expected"))
    })
}

/// One byte more than `length` tells that the file is longer.
fn read_up_to(file: File, length: usize) -> std::io::Result<Vec<u8>> {
    let mut found = vec![];
    file.take(length as u64 + 1).read_to_end(&mut found)?;
    Ok(found)
}
