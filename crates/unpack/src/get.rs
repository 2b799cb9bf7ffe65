//! One question to a server and all of its answer, whatever the answer is. It keeps nothing.

use qchroot_api::{Observe, Reply, Result};

use crate::fetch::local_bytes;
use crate::net::{self, Failure, Headers};
use crate::{Address, Fetcher};

/// What the server of `address` says, at most `limit` bytes; for [`qchroot_api::Query::Get`]. Redirects are followed;
/// `headers` are told to the origin of `address` alone.
///
/// # Errors
/// Not found for a file that is not there, unavailable for a server that cannot be reached, bad data for more than
/// `limit` bytes, configuration for what is no address or header field.
pub fn get(address: &str, headers: &[(String, String)], limit: u64, host: &dyn Observe) -> Result<Reply> {
    Fetcher::default().get(address, headers, limit, host)
}

impl Fetcher {
    /// As the function [`get`].
    pub fn get(
        &self,
        address: &str,
        headers: &[(String, String)],
        limit: u64,
        host: &dyn Observe,
    ) -> Result<Reply> {
        let address: Address = address.parse()?;
        let headers = Headers::try_from(headers)?;
        let answer = match address.path() {
            Some(path) => {
                let whole = |body| Reply { status: 200, headers: vec![], body };
                local_bytes(path, limit, host).map(whole)
            }
            None => self.ask(&address, &headers, limit),
        };
        answer.map_err(|error| error.while_doing(format!("cannot get {}", address.shown())))
    }

    /// A server that is too busy is asked again, and has the last word.
    fn ask(&self, address: &Address, headers: &Headers, limit: u64) -> Result<Reply> {
        let mut busy = None;
        let answer = self.patiently(|| {
            busy = None;
            let reply = net::get(address, headers, limit, &self.0)?;
            match net::refusal(reply.status, "the server is busy") {
                Failure::Again(error) => {
                    busy = Some(reply);
                    Err(Failure::Again(error))
                }
                _ => Ok(reply),
            }
        });
        busy.map_or(answer, Ok)
    }
}
