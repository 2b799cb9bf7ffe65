//! What to say when no mirror delivered. It knows addresses and errors only.

use qchroot_api::{Error, ErrorKind};

use crate::Address;

/// Why each mirror failed, in the order they were asked.
#[derive(Default)]
pub(crate) struct Blame(Vec<(String, Error)>);

impl Blame {
    /// Remembers why `mirror` failed; what it said before is forgotten.
    pub(crate) fn add(&mut self, mirror: &Address, error: Error) {
        let shown = mirror.shown();
        self.0.retain(|(known, _)| *known != shown);
        self.0.push((shown, error));
    }

    /// The error for `name`, with a cause for each mirror: bad data if one of them sent that, not found when
    /// all say so.
    pub(crate) fn error(&self, name: &str) -> Error {
        let kinds = || self.0.iter().map(|(_, error)| error.kind());
        let first = kinds().next().unwrap_or(ErrorKind::Unavailable);
        let kind = if kinds().any(|kind| kind == ErrorKind::BadData) {
            ErrorKind::BadData
        } else if kinds().all(|kind| kind == first) {
            first
        } else {
            ErrorKind::Unavailable
        };
        let error = Error::new(kind, format!("cannot fetch {name}"));
        let error = self.0.iter().fold(error, |all, (mirror, one)| all.cause(format!("{mirror}: {one}")));
        match kind {
            ErrorKind::NotFound => error.hint("look at the address in a browser: name or version may differ"),
            ErrorKind::Unavailable => error.hint(
                "see whether the network is up; proxies are taken from http_proxy, https_proxy, ftp_proxy, \
                 all_proxy and no_proxy in the environment",
            ),
            _ => error,
        }
    }
}
