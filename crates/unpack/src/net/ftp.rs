//! FTP (RFC 959, 2428, 3659): always passive, always binary. It knows one file at a time.

use std::io::{self, Read};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};

use percent_encoding::percent_decode_str;
use qchroot_api::{Error, ErrorKind};
use suppaftp::types::{FileType, Mode};
use suppaftp::{FtpError, FtpStream, ImplFtpStream, TlsStream, TransferStream};
use ureq::http::Uri;

use super::http::words;
use super::{Ask, Body, Failure, Head, Patience};
use crate::Address;

/// Logs in, as `anonymous` unless the address names a user, and begins to receive the file.
pub(super) fn open(address: &Address, ask: &Ask, patience: &Patience) -> Result<(Head, Body), Failure> {
    let uri = address.uri().map_err(Failure::Mirror)?;
    let path = decoded(uri.path().trim_start_matches('/'));
    let mut server = log_in(&uri, *patience)?;
    let total = server.size(&path).ok().map(|bytes| bytes as u64);
    let date = server.mdtm(&path).ok().map(|date| date.to_string());
    let version = total.zip(date).map(|(bytes, date)| format!("{bytes} bytes of {date}"));
    match total {
        Some(total) if total < ask.from => {
            let why = format!("has fewer than the {} bytes that were sent already", ask.from);
            return Err(Failure::Mirror(Error::new(ErrorKind::BadData, why)));
        }
        Some(total) if total == ask.from && total > 0 => {
            return Ok((Head { at: total, total: Some(total), version }, Box::new(io::empty())));
        }
        _ => {}
    }
    let (at, stream) = retrieve(&mut server, &path, ask.from)?;
    Ok((Head { at, total, version }, Box::new(Receiving { stream: Some(stream), server })))
}

fn log_in(uri: &Uri, patience: Patience) -> Result<FtpStream, Failure> {
    let host = uri.host().unwrap_or_default();
    let place = (host.trim_matches(['[', ']']), uri.port_u16().unwrap_or(21));
    let addresses = place.to_socket_addrs().map_err(|e| io_failure(&e))?;
    let stream = first_that_answers(addresses, patience)?;
    let server = FtpStream::connect_with_stream(stream).map_err(failure)?;
    let mut server =
        server.passive_stream_builder(move |at| connect(at, patience).map_err(FtpError::ConnectionError));
    // Behind a translation of addresses, the one in the answer to PASV is wrong; elsewhere it may be a trap.
    server.set_passive_nat_workaround(true);
    let (user, password) = credentials(uri);
    server.login(user, password).map_err(failure)?;
    server.transfer_type(FileType::Binary).map_err(failure)?;
    Ok(server)
}

fn first_that_answers(
    addresses: impl Iterator<Item = SocketAddr>,
    patience: Patience,
) -> Result<TcpStream, Failure> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        match connect(address, patience) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(io_failure(&last))
}

fn connect(address: SocketAddr, patience: Patience) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, patience.connect)?;
    stream.set_read_timeout(Some(patience.stall))?;
    stream.set_write_timeout(Some(patience.stall))?;
    Ok(stream)
}

/// RFC 1738 3.2.1.
fn credentials(uri: &Uri) -> (String, String) {
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    match authority.rsplit_once('@') {
        None => ("anonymous".into(), "anonymous@".into()),
        Some((user, _)) => {
            let (user, password) = user.split_once(':').unwrap_or((user, ""));
            (decoded(user), decoded(password))
        }
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Receives from `from` on where the server can, by EPSV where it knows that.
fn retrieve<T: TlsStream>(
    server: &mut ImplFtpStream<T>,
    path: &str,
    from: u64,
) -> Result<(u64, TransferStream<T>), Failure> {
    let mut last = Failure::Mirror(Failure::unavailable("nothing was tried"));
    let offsets = if from > 0 { &[from, 0][..] } else { &[0] };
    for &at in offsets {
        for mode in [Mode::ExtendedPassive, Mode::Passive] {
            server.set_mode(mode);
            let skipped = usize::try_from(at).unwrap_or(usize::MAX);
            server.resume_transfer(skipped).map_err(failure)?;
            match server.retr_as_stream(path) {
                Ok(stream) => return Ok((at, stream)),
                Err(error) if is_unknown_command(&error) => last = failure(error),
                Err(error) => return Err(failure(error)),
            }
        }
    }
    Err(last)
}

/// RFC 959 4.2.1 and RFC 2428 2: the server does not have EPSV, or REST.
fn is_unknown_command(error: &FtpError) -> bool {
    matches!(error, FtpError::UnexpectedResponse(response)
        if matches!(response.status.code(), 500..=504 | 522 | 554))
}

fn failure(error: FtpError) -> Failure {
    match error {
        FtpError::ConnectionError(error) => io_failure(&error),
        FtpError::UnexpectedResponse(response) => {
            let said = format!("the server says {}", String::from_utf8_lossy(&response.body).trim());
            match response.status.code() {
                550 | 551 => Failure::Mirror(Error::new(ErrorKind::NotFound, said)),
                400..=499 => Failure::Again(Failure::unavailable(said)),
                _ => Failure::Mirror(Failure::unavailable(said)),
            }
        }
        other => Failure::Again(Failure::unavailable(other.to_string().to_lowercase())),
    }
}

fn io_failure(error: &io::Error) -> Failure {
    Failure::Again(Failure::unavailable("cannot get it").cause(words(error)))
}

/// The content; it ends well only when the server says so too.
struct Receiving<T: TlsStream> {
    stream: Option<TransferStream<T>>,
    server: ImplFtpStream<T>,
}

impl<T: TlsStream> Read for Receiving<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(stream) = &mut self.stream else { return Ok(0) };
        let n = stream.read(buffer)?;
        if n == 0 && !buffer.is_empty() {
            self.stream.take().map_or(Ok(()), TransferStream::finish).map_err(io::Error::other)?;
            // Only good manners: all is here.
            let _ = self.server.quit();
        }
        Ok(n)
    }
}
