//! A server of HTTP/1.1 for tests, also as somebody's proxy. It closes after each answer.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::Path;
use std::thread;

use super::files::{Fault, Files, Request, controls, version};

/// A server of HTTP, which ends when it is dropped.
pub struct HttpServer {
    pub(super) files: Files,
    pub(super) address: SocketAddr,
}

controls!(HttpServer);

impl HttpServer {
    /// A server without files.
    #[must_use]
    pub fn start() -> Self {
        let files = Files::default();
        let address = files.listen(|files, stream| drop(serve(files, stream)));
        Self { files, address }
    }

    /// A server of the files below `directory`.
    #[must_use]
    pub fn serving(directory: impl AsRef<Path>) -> Self {
        let server = Self::start();
        server.files.serve_directory(directory.as_ref());
        server
    }

    /// The address of `path`, which begins with a slash.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

fn serve(files: &Files, mut stream: TcpStream) -> io::Result<()> {
    let mut input = BufReader::new(stream.try_clone()?);
    let mut first = String::new();
    input.read_line(&mut first)?;
    let mut words = first.split_whitespace();
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let fields = fields(&mut input)?;
    let from = fields.get("range").and_then(|range| first_byte(range)).unwrap_or(0);
    let path = path_of(target);
    let request = Request { target: target.into(), from, fields: fields.clone() };
    let faults = files.ask(&path, request);
    if method == "CONNECT" {
        return tunnel(target, stream);
    }
    let sent = answer(files, &mut stream, &path, from, &fields, &faults);
    let _ = stream.shutdown(Shutdown::Both);
    sent
}

fn fields(input: &mut impl BufRead) -> io::Result<BTreeMap<String, String>> {
    let mut fields = BTreeMap::new();
    loop {
        let mut line = String::new();
        if input.read_line(&mut line)? == 0 || line.trim().is_empty() {
            return Ok(fields);
        }
        if let Some((name, value)) = line.split_once(':') {
            fields.insert(name.to_lowercase(), value.trim().to_owned());
        }
    }
}

/// `bytes=5-`
fn first_byte(range: &str) -> Option<u64> {
    range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
}

/// The path of a target in either form.
fn path_of(target: &str) -> String {
    match target.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]).to_owned(),
        None => target.to_owned(),
    }
}

fn answer(
    files: &Files,
    to: &mut TcpStream,
    path: &str,
    from: u64,
    fields: &BTreeMap<String, String>,
    faults: &[Fault],
) -> io::Result<()> {
    for fault in faults {
        match fault {
            Fault::Status(status) => return head(to, *status, &[("Content-Length", "0".into())]),
            Fault::Redirect(location) => {
                return head(to, 302, &[("Location", location.clone()), ("Content-Length", "0".into())]);
            }
            Fault::Answer { status, fields: said, body, unless } if !has(fields, unless.as_ref()) => {
                let mut lines: Vec<_> = said.iter().map(|(name, value)| (&**name, value.clone())).collect();
                lines.push(("Content-Length", body.len().to_string()));
                head(to, *status, &lines)?;
                return to.write_all(body);
            }
            _ => {}
        }
    }
    let Some(content) = files.content(path) else {
        return head(to, 404, &[("Content-Length", "0".into())]);
    };
    let tag = format!("\"{:x}\"", version(&content));
    let same = fields.get("if-range").is_none_or(|wanted| *wanted == tag);
    let from = if same && !faults.contains(&Fault::IgnoreRange) { from } else { 0 };
    let told = faults.iter().find_map(|fault| match fault {
        Fault::ClaimLength(bytes) => Some(*bytes),
        _ => None,
    });
    let total = told.unwrap_or(content.len() as u64);
    if from > 0 && from >= content.len() as u64 {
        return head(
            to,
            416,
            &[("Content-Range", format!("bytes */{total}")), ("Content-Length", "0".into())],
        );
    }
    let mut lines = Vec::new();
    if !faults.contains(&Fault::HideLength) {
        lines.push(("Content-Length", (total - from.min(total)).to_string()));
    }
    if !faults.contains(&Fault::HideVersion) {
        lines.push(("ETag", tag));
    }
    if from > 0 {
        lines.push(("Content-Range", format!("bytes {from}-{}/{total}", total.saturating_sub(1))));
    }
    head(to, if from > 0 { 206 } else { 200 }, &lines)?;
    files.send(to, &content[usize::try_from(from).unwrap_or(0)..], faults)
}

fn has(fields: &BTreeMap<String, String>, wanted: Option<&(String, String)>) -> bool {
    wanted.is_some_and(|(name, value)| fields.get(name) == Some(value))
}

fn head(to: &mut TcpStream, status: u16, fields: &[(&str, String)]) -> io::Result<()> {
    let mut text = format!("HTTP/1.1 {status} Whatever\r\nConnection: close\r\n");
    for (name, value) in fields {
        text += &format!("{name}: {value}\r\n");
    }
    to.write_all(format!("{text}\r\n").as_bytes())
}

/// Passes bytes on in both directions (RFC 9110 9.3.6).
fn tunnel(target: &str, mut client: TcpStream) -> io::Result<()> {
    let mut server = TcpStream::connect(target)?;
    client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n")?;
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || {
        let _ = io::copy(&mut from_client, &mut to_server);
        let _ = to_server.shutdown(Shutdown::Write);
    });
    io::copy(&mut server, &mut client)?;
    client.shutdown(Shutdown::Both)
}
