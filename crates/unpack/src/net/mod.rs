//! One connection to one server: what is asked of it, and what it says. It knows nothing of mirrors, digests
//! and files.

mod connection;
mod ftp;
mod headers;
mod http;
mod proxy;
mod relay;

use std::io::Read;
use std::time::Duration;

use qchroot_api::{Cancelled, Error, ErrorKind, Reply, Result};

use crate::{Address, Scheme};
pub(crate) use connection::Connection;
pub use headers::Headers;
pub(crate) use http::refusal;
pub use proxy::Proxies;

/// How long to wait for a server, and how often to ask it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Until a connection stands.
    pub connect: Duration,
    /// Until the next byte arrives.
    pub stall: Duration,
    /// Attempts at one mirror that bring little or nothing, one after another.
    pub tries: u32,
    /// Pause before the second attempt; before the third it is twice as long, and so on.
    pub pause: Duration,
}

impl Default for Patience {
    /// 30 seconds, 60 seconds, five attempts, one second.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            stall: Duration::from_secs(60),
            tries: 5,
            pause: Duration::from_secs(1),
        }
    }
}

/// How the network is used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Network {
    pub(crate) patience: Patience,
    pub(crate) proxies: Proxies,
}

/// Whether to give up: the user wants it, or nobody wants the result any more.
#[derive(Clone)]
pub(crate) struct Stop(Cancelled);

impl Stop {
    pub(crate) fn new(cancelled: Cancelled) -> Self {
        Self(cancelled)
    }

    /// # Errors
    /// System, when it is time to give up.
    pub(crate) fn check(&self) -> Result<()> {
        if (self.0)() { Err(Error::new(ErrorKind::System, "interrupted")) } else { Ok(()) }
    }
}

/// What a failure means for what comes next.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It may be better next time.
    Again(Error),
    /// This mirror will not do.
    Mirror(Error),
    /// No mirror will do.
    Final(Error),
}

impl Failure {
    pub(crate) fn unavailable(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Unavailable, message)
    }
}

/// What is asked of a server.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ask {
    /// Bytes to skip.
    pub(crate) from: u64,
    /// Skip them only if the file is still the one that this was said of; else send the whole.
    pub(crate) unless_changed: Option<String>,
    /// What is said to the origin of the address alone.
    pub(crate) headers: Headers,
}

/// What a server said before it sent the content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    /// Where in the file the content begins.
    pub(crate) at: u64,
    /// Length of the whole file, if told.
    pub(crate) total: Option<u64>,
    /// Changes with the content: an entity tag, a date.
    pub(crate) version: Option<String>,
}

type Body = Box<dyn Read + Send>;

/// Asks the server of `address`, which is not a file of this machine's.
fn open(address: &Address, ask: &Ask, network: &Network) -> Result<(Head, Body), Failure> {
    match address.scheme() {
        Scheme::Ftp if network.proxies.of(address).is_none() => ftp::open(address, ask, &network.patience),
        _ => http::open(address, ask, network),
    }
}

/// All that the server of `address` says, at most `limit` bytes of content.
pub(crate) fn get(
    address: &Address,
    headers: &Headers,
    limit: u64,
    network: &Network,
) -> Result<Reply, Failure> {
    match address.scheme() {
        Scheme::Ftp if network.proxies.of(address).is_none() => {
            let (_, body) = ftp::open(address, &Ask::default(), &network.patience)?;
            Ok(Reply { status: 200, headers: vec![], body: bounded(body, limit)? })
        }
        _ => http::get(address, headers, limit, network),
    }
}

/// All of a body that has at most `limit` bytes.
fn bounded(body: impl Read, limit: u64) -> Result<Vec<u8>, Failure> {
    let mut all = Vec::new();
    let read = body.take(limit.saturating_add(1)).read_to_end(&mut all);
    read.map_err(|error| Failure::Again(broken(&error)))?;
    if all.len() as u64 > limit { Err(Failure::Mirror(too_long(limit))) } else { Ok(all) }
}

/// The connection ended before the content did.
fn broken(error: &std::io::Error) -> Error {
    Failure::unavailable("the connection broke").cause(http::words(error))
}

/// There is more than was asked for.
pub(crate) fn too_long(limit: u64) -> Error {
    Error::new(ErrorKind::BadData, format!("it has more than {limit} bytes"))
}
