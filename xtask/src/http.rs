//! As much HTTP as it takes to see that a web server answers.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::Result;

/// How long one connection may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A port of the loopback address that nobody uses now.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Fetches `/`, waiting until somebody listens but no longer than `patience`; the whole answer, head and body.
pub(crate) fn get(port: u16, patience: Duration) -> Result<String> {
    let mut stream = connect(port, patience)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    write!(stream, "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn connect(port: u16, patience: Duration) -> Result<TcpStream> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let deadline = Instant::now() + patience;
    loop {
        match TcpStream::connect_timeout(&address, TIMEOUT) {
            Ok(stream) => return Ok(stream),
            Err(_) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(20)),
            Err(error) => return Err(format!("nobody answers at {address}: {error}").into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_arrives_whole() {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = server.local_addr().unwrap().port();
        let thread = std::thread::spawn(move || {
            let (mut stream, _) = server.accept().unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                request.extend(byte);
            }
            stream.write_all(b"HTTP/1.0 200 OK\r\n\r\nhello").unwrap();
            request
        });
        assert_eq!(get(port, TIMEOUT).unwrap(), "HTTP/1.0 200 OK\r\n\r\nhello");
        assert_eq!(&thread.join().unwrap()[..7], b"GET / H");
    }

    #[test]
    fn silence_is_an_error_that_names_the_address() {
        let port = free_port().unwrap();
        let error = get(port, Duration::ZERO).unwrap_err().to_string();
        assert!(error.starts_with(&format!("nobody answers at 127.0.0.1:{port}")), "{error}");
    }
}
