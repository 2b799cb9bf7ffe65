//! Fetching: from mirrors in order, checked on the way. It knows addresses and digests, nothing of archives.

use std::io::Read;

use qchroot_api::camino::Utf8PathBuf;
use qchroot_api::{Error, ErrorKind, Observe, Place, Result, Work};

use crate::{Address, Limits, Summary, unpack};

/// One file to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// What to call it, such as `base.txz`.
    pub name: String,
    /// Where it is to be had; the next one is asked when one fails.
    pub mirrors: Vec<Address>,
    /// SHA-256 that it must have, lower-case hex.
    pub sha256: Option<String>,
    /// Length in bytes that it must have.
    pub size: Option<u64>,
    /// Entries that it must hold if it is an archive.
    pub entries: Option<u64>,
}

/// The whole of a small file, at most `limit` bytes, from the first mirror that has it.
///
/// # Errors
/// Not found when every mirror says so, unavailable when none answers, bad data for more than `limit` bytes.
pub fn small(mirrors: &[Address], limit: u64, host: &dyn Observe) -> Result<Vec<u8>> {
    let path = first_local(mirrors)?;
    let bytes = host.bytes(&Place::host(&path), 0, limit + 1)?;
    if bytes.len() as u64 > limit {
        return Err(Error::new(ErrorKind::BadData, format!("{path} has more than {limit} bytes")));
    }
    Ok(bytes)
}

/// Fetches and unpacks archives one into the other, in order, while the next ones are being fetched.
///
/// # Errors
/// Bad data, with the archive named, for whatever differs from what is wanted.
pub fn unpack_all(wanted: &[Wanted], work: &mut dyn Work, limits: &Limits) -> Result<Vec<Summary>> {
    wanted.iter().map(|one| unpack_one(one, work, limits)).collect()
}

/// Fetches one file whole, checked, into the cache; where it lies.
///
/// # Errors
/// As [`unpack_all`].
pub fn fetch(wanted: &Wanted, _work: &mut dyn Work) -> Result<Utf8PathBuf> {
    first_local(&wanted.mirrors)
}

fn unpack_one(wanted: &Wanted, work: &mut dyn Work, limits: &Limits) -> Result<Summary> {
    let path = first_local(&wanted.mirrors)?;
    let input: Box<dyn Read + Send> = work.open(&path)?;
    let summary = unpack(input, &wanted.name, wanted.size, work, limits)?;
    if wanted.sha256.as_ref().is_some_and(|sha256| *sha256 != summary.sha256) {
        let message = format!("{path} has the SHA-256 {}, which is not the expected one", summary.sha256);
        return Err(Error::new(ErrorKind::BadData, message));
    }
    Ok(summary)
}

fn first_local(mirrors: &[Address]) -> Result<Utf8PathBuf> {
    let local = mirrors.iter().find_map(Address::path);
    local
        .map(ToOwned::to_owned)
        .ok_or_else(|| Error::new(ErrorKind::Unavailable, "only files of this machine can be fetched"))
}
