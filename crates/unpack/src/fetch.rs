//! Fetching: from mirrors in order, checked on the way. It knows addresses and digests, nothing of archives.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use qchroot_api::camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Download, Error, ErrorKind, Observe, Place, Progress, Result, Work};
use sha2::{Digest, Sha256};

use crate::blame::Blame;
use crate::cache::{Cache, hex};
use crate::net::{Ask, Connection, Failure, Network, Stop, too_long};
use crate::transfer::{Transfer, wrong_digest};
use crate::{Address, Headers, HostFile, Limits, Patience, Proxies, Summary, unpack_showing};

/// Files that are fetched at once.
const AT_ONCE: usize = 3;
/// Bytes that are asked of the host at a time; see [`qchroot_api::Query::Bytes`].
const PART: u64 = 16 << 20;

/// One file to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// What to call it, such as `base.txz`.
    pub name: String,
    /// Where it is to be had; the next one is asked when one fails. Files of this machine's come first.
    pub mirrors: Vec<Address>,
    /// Header fields for the origin of each mirror.
    pub headers: Headers,
    /// SHA-256 that it must have, lower-case hex. Without one, a broken download is taken up only while the server
    /// says that the file is still the same.
    pub sha256: Option<String>,
    /// Length in bytes that it must have.
    pub size: Option<u64>,
    /// Entries that it must hold if it is an archive.
    pub entries: Option<u64>,
}

impl Wanted {
    /// What a back end asks for in the words of the api.
    ///
    /// # Errors
    /// Configuration, for an address that is none, or a header field that cannot be sent.
    pub fn of(download: &Download) -> Result<Self> {
        let mirrors = download.addresses.iter().map(|text| text.parse()).collect::<Result<_>>()?;
        let headers = Headers::try_from(download.headers.as_slice())?;
        let Download { name, sha256, size, .. } = download.clone();
        Ok(Self { name, mirrors, headers, sha256, size, entries: None })
    }
}

/// What [`Work::fetch`] is: [`fetch`] in the words of the api.
///
/// # Errors
/// As [`Wanted::of`] and [`fetch`].
pub fn fetch_download(download: &Download, work: &mut dyn Work) -> Result<Utf8PathBuf> {
    fetch(&Wanted::of(download)?, work)
}

/// What [`Work::unpack`] is: [`unpack_all`] in the words of the api, within the usual limits.
///
/// # Errors
/// As [`Wanted::of`] and [`unpack_all`].
pub fn unpack_downloads(downloads: &[Download], work: &mut dyn Work) -> Result<()> {
    let wanted = downloads.iter().map(Wanted::of).collect::<Result<Vec<_>>>()?;
    unpack_all(&wanted, work, &Limits::default()).map(drop)
}

/// The whole of a small file, at most `limit` bytes, from the first mirror that has it.
///
/// # Errors
/// Not found when every mirror says so, unavailable when none answers, bad data for more than `limit` bytes.
pub fn small(mirrors: &[Address], limit: u64, host: &dyn Observe) -> Result<Vec<u8>> {
    Fetcher::default().small(mirrors, limit, host)
}

/// Fetches and unpacks archives one into the other, in order, while the next ones are being fetched.
/// `TreeWriter::finish` is left to the caller.
///
/// # Errors
/// Bad data, with the archive named, for whatever differs from what is wanted.
pub fn unpack_all(wanted: &[Wanted], work: &mut dyn Work, limits: &Limits) -> Result<Vec<Summary>> {
    Fetcher::default().unpack_all(wanted, work, limits)
}

/// Fetches one file whole, checked, into the cache; where it lies. A file of this machine's stays where it is.
///
/// # Errors
/// As [`unpack_all`].
pub fn fetch(wanted: &Wanted, work: &mut dyn Work) -> Result<Utf8PathBuf> {
    Fetcher::default().fetch(wanted, work)
}

/// SHA-256 of what lies at the first mirror that has it, lower-case hex. All of it is read, and none of it kept.
///
/// # Errors
/// As [`small`], for a file of any length.
pub fn digest(mirrors: &[Address], host: &dyn Observe) -> Result<String> {
    Fetcher::default().digest(mirrors, host)
}

/// Fetches, with a patience and proxies of its own.
#[derive(Debug, Clone)]
pub struct Fetcher(pub(crate) Arc<Network>);

impl Default for Fetcher {
    /// The usual patience, and the proxies of the environment.
    fn default() -> Self {
        Self::new(Patience::default(), Proxies::from_environment())
    }
}

impl Fetcher {
    /// One that waits and asks again as `patience` says.
    #[must_use]
    pub fn new(patience: Patience, proxies: Proxies) -> Self {
        Self(Arc::new(Network { patience, proxies }))
    }

    /// As the function [`small`].
    pub fn small(&self, mirrors: &[Address], limit: u64, host: &dyn Observe) -> Result<Vec<u8>> {
        first(mirrors, |mirror| match mirror.path() {
            Some(path) => local_bytes(path, limit, host),
            None => self.patiently(|| {
                let mut all = Vec::new();
                self.pass(mirror, &mut |bytes| {
                    all.extend_from_slice(bytes);
                    if all.len() as u64 > limit { Err(too_long(limit)) } else { Ok(()) }
                })?;
                Ok(all)
            }),
        })
    }

    /// As the function [`digest`].
    pub fn digest(&self, mirrors: &[Address], host: &dyn Observe) -> Result<String> {
        first(mirrors, |mirror| match mirror.path() {
            Some(path) => {
                let told = |e: &std::io::Error| Error::from_io(e, format!("cannot read {path}"));
                crate::sha256(HostFile::open(path, host)?).map(|(sha256, _)| sha256).map_err(|e| told(&e))
            }
            None => self.patiently(|| {
                let mut hash = Sha256::new();
                self.pass(mirror, &mut |bytes| {
                    hash.update(bytes);
                    Ok(())
                })?;
                Ok(hex(hash))
            }),
        })
    }

    pub(crate) fn patiently<T>(&self, mut attempt: impl FnMut() -> Result<T, Failure>) -> Result<T> {
        let mut tried = 0;
        loop {
            tried += 1;
            match attempt() {
                Ok(value) => return Ok(value),
                Err(Failure::Again(_)) if tried < self.0.patience.tries.min(3) => {
                    thread::sleep(self.0.patience.pause * tried);
                }
                Err(Failure::Again(error) | Failure::Mirror(error) | Failure::Final(error)) => {
                    return Err(error);
                }
            }
        }
    }

    /// Hands over all that the mirror sends, once.
    fn pass(&self, mirror: &Address, each: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<(), Failure> {
        let stop = Stop::new(Arc::new(|| false));
        let (head, connection) = Connection::open(mirror, &Ask::default(), &self.0, &stop)?;
        let mut length = 0;
        while let Some(bytes) = connection.next(&stop)? {
            length += bytes.len() as u64;
            each(&bytes).map_err(Failure::Mirror)?;
        }
        match head.total {
            Some(total) if total != length => {
                let message = format!("it ended after {length} of {total} bytes");
                Err(Failure::Again(Error::new(ErrorKind::BadData, message)))
            }
            _ => Ok(()),
        }
    }

    /// As the function [`fetch`].
    pub fn fetch(&self, wanted: &Wanted, work: &mut dyn Work) -> Result<Utf8PathBuf> {
        if let Some((path, mut input)) = local(wanted, work)? {
            let told = |e: &std::io::Error| Error::from_io(e, format!("cannot read {path}"));
            let (sha256, bytes) = crate::sha256(&mut input).map_err(|e| told(&e))?;
            check(wanted, &Summary { sha256, bytes, entries: 0 })?;
            return Ok(path);
        }
        let stop = Stop::new(work.cancellation());
        let transfer = Transfer::new(wanted, Cache::new(work.cache()), Arc::clone(&self.0), stop);
        let mut progress = showing(wanted, "fetching");
        thread::scope(|scope| {
            scope.spawn(|| transfer.run());
            transfer.finish(&mut |bytes| {
                progress.bytes = bytes;
                work.progress(&progress);
            })
        })
    }

    /// As the function [`unpack_all`].
    pub fn unpack_all(
        &self,
        wanted: &[Wanted],
        work: &mut dyn Work,
        limits: &Limits,
    ) -> Result<Vec<Summary>> {
        let over = Arc::new(AtomicBool::new(false));
        let stop = Stop::new({
            let (over, cancelled) = (Arc::clone(&over), work.cancellation());
            Arc::new(move || over.load(Ordering::Relaxed) || cancelled())
        });
        let inputs = wanted.iter().map(|one| local(one, work)).collect::<Result<Vec<_>>>()?;
        let cache = Cache::new(work.cache());
        let transfer =
            |one| Transfer::new(one, cache.clone(), Arc::clone(&self.0), stop.clone()).with_reader();
        let remote = wanted.iter().zip(&inputs).filter(|(_, input)| input.is_none());
        let transfers: Vec<Transfer<'_>> = remote.map(|(one, _)| transfer(one)).collect();
        let next = AtomicUsize::new(0);
        thread::scope(|scope| {
            let _over = SetOnDrop(&over);
            for _ in 0..transfers.len().min(AT_ONCE) {
                scope.spawn(|| {
                    while let Some(transfer) = transfers.get(next.fetch_add(1, Ordering::Relaxed)) {
                        transfer.run();
                    }
                });
            }
            let mut transfers = transfers.iter();
            let unpack = |(one, input): (&Wanted, Option<Local>)| {
                if let Some((_, input)) = input {
                    return unpack_one(one, input, work, limits);
                }
                let unfetched = || Error::new(ErrorKind::Internal, "nobody fetches it");
                unpack_transfer(transfers.next().ok_or_else(unfetched)?, work, limits)
            };
            wanted.iter().zip(inputs).map(unpack).collect()
        })
    }
}

/// What the first mirror gives that gives something.
fn first<T>(mirrors: &[Address], ask: impl Fn(&Address) -> Result<T>) -> Result<T> {
    let mut blame = Blame::default();
    for mirror in mirrors {
        match ask(mirror) {
            Ok(value) => return Ok(value),
            Err(error) => blame.add(mirror, error),
        }
    }
    Err(blame.error(mirrors.first().map_or("nothing", Address::file_name)))
}

/// Tells the threads that fetch that nobody waits for them any more.
struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn unpack_transfer(transfer: &Transfer<'_>, work: &mut dyn Work, limits: &Limits) -> Result<Summary> {
    let outcome = unpack_one(transfer.wanted, transfer.tail(), work, limits);
    if outcome.as_ref().is_err_and(|error| error.kind() == ErrorKind::BadData) {
        transfer.spoil();
    }
    outcome
}

fn unpack_one(
    wanted: &Wanted,
    input: impl Read + Send,
    work: &mut dyn Work,
    limits: &Limits,
) -> Result<Summary> {
    let summary = unpack_showing(input, &wanted.name, showing(wanted, "unpacking"), work, limits)?;
    if let Some(expected) = wanted.entries.filter(|&entries| entries != summary.entries) {
        let message = format!("{} has {} entries, expected are {expected}", wanted.name, summary.entries);
        return Err(Error::new(ErrorKind::BadData, message));
    }
    check(wanted, &summary).map(|()| summary)
}

fn check(wanted: &Wanted, found: &Summary) -> Result<()> {
    if let Some(expected) = wanted.size.filter(|&size| size != found.bytes) {
        let message = format!("{} has {} bytes, expected are {expected}", wanted.name, found.bytes);
        return Err(Error::new(ErrorKind::BadData, message));
    }
    match wanted.sha256.as_ref().filter(|expected| **expected != found.sha256) {
        Some(expected) => Err(wrong_digest(&wanted.name, expected, &found.sha256)),
        None => Ok(()),
    }
}

fn showing(wanted: &Wanted, doing: &str) -> Progress {
    Progress {
        what: format!("{doing} {}", wanted.name),
        total_bytes: wanted.size,
        total_entries: wanted.entries,
        ..Progress::default()
    }
}

type Local = (Utf8PathBuf, Box<dyn Read + Send>);

/// The first of the mirrors that is a file of this machine's, opened. None when the network has to be asked.
fn local(wanted: &Wanted, work: &mut dyn Work) -> Result<Option<Local>> {
    let mut blame = Blame::default();
    for mirror in &wanted.mirrors {
        let Some(path) = mirror.path() else { continue };
        match work.open(&path.to_owned()) {
            Ok(input) => return Ok(Some((path.to_owned(), input))),
            Err(error) => blame.add(mirror, error),
        }
    }
    let is_remote = wanted.mirrors.iter().any(|mirror| mirror.path().is_none());
    if is_remote { Ok(None) } else { Err(blame.error(&wanted.name)) }
}

pub(crate) fn local_bytes(path: &Utf8Path, limit: u64, host: &dyn Observe) -> Result<Vec<u8>> {
    let mut all = Vec::new();
    loop {
        let at = all.len() as u64;
        let part = host.bytes(&Place::host(path), at, (limit + 1 - at).min(PART))?;
        if part.is_empty() {
            return Ok(all);
        }
        all.extend(part);
        if all.len() as u64 > limit {
            return Err(too_long(limit));
        }
    }
}
