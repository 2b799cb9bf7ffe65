//! HTTP and HTTPS (RFC 9110, 9112): ranges, redirects, proxies. It knows one request at a time.

use std::io;
use std::sync::{Arc, OnceLock};

use base64ct::{Base64, Encoding};
use percent_encoding::percent_decode_str;
use qchroot_api::{Error, ErrorKind, Reply, Result};
use ureq::config::Config;
use ureq::http::header::AUTHORIZATION;
use ureq::http::{self, HeaderMap, HeaderName, HeaderValue, Request, Uri, uri};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{Connector, DefaultConnector};
use ureq::{Agent, Proxy};

use super::relay::Relay;
use super::{Ask, Body, Failure, Head, Headers, Network};
use crate::{Address, Scheme};

/// Redirects that are followed before it is called a loop.
const REDIRECTS: usize = 10;

type Response = http::Response<ureq::Body>;

/// Begins to receive what is at `address`.
pub(super) fn open(address: &Address, ask: &Ask, network: &Network) -> Result<(Head, Body), Failure> {
    let response = follow(address, ask, network)?;
    let head = head(&response, ask)?;
    // What comes with 416 is a text for people.
    let is_over = response.status() == 416;
    let body = response.into_body().into_reader();
    Ok((head, if is_over { Box::new(io::empty()) } else { Box::new(body) }))
}

/// All that the server says, whatever its status.
pub(super) fn get(
    address: &Address,
    headers: &Headers,
    limit: u64,
    network: &Network,
) -> Result<Reply, Failure> {
    let ask = Ask { headers: headers.clone(), ..Ask::default() };
    let response = follow(address, &ask, network)?;
    let told = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let headers = response.headers().iter().map(told).collect();
    let status = response.status().as_u16();
    let body = super::bounded(response.into_body().into_reader(), limit)?;
    Ok(Reply { status, headers, body })
}

/// Asks for `address` and goes where the server leads, but never from HTTPS to anything else. The caller's own header
/// fields are for the origin of `address` alone.
fn follow(address: &Address, ask: &Ask, network: &Network) -> Result<Response, Failure> {
    let mut at = address.clone();
    let elsewhere = Ask { headers: Headers::default(), ..ask.clone() };
    for _ in 0..=REDIRECTS {
        let is_home = at.origin() == address.origin();
        let response = send(&at, if is_home { ask } else { &elsewhere }, network)?;
        if !is_redirect(response.status().as_u16()) {
            return Ok(response);
        }
        at = target(&at, &response).map_err(Failure::Mirror)?;
    }
    let message = format!("it redirects more than {REDIRECTS} times, at last to {}", at.shown());
    Err(Failure::Mirror(Failure::unavailable(message)))
}

fn is_redirect(status: u16) -> bool {
    (300..400).contains(&status) && status != 304
}

fn target(at: &Address, response: &Response) -> Result<Address> {
    let location = header(response.headers(), "location")
        .ok_or_else(|| Failure::unavailable(format!("{} without a Location", status(response))))?;
    let next = at.redirected(location)?;
    match (at.scheme(), next.scheme()) {
        (_, Scheme::Https) | (Scheme::Http, Scheme::Http) => Ok(next),
        _ => Err(Failure::unavailable(format!("redirects to {}, which is refused", next.shown()))),
    }
}

fn send(address: &Address, ask: &Ask, network: &Network) -> Result<Response, Failure> {
    let proxy = network.proxies.of(address);
    // A proxy is asked for http: and ftp: addresses in their absolute form (RFC 9112 3.2.2); most refuse to
    // make a tunnel for those. TLS and SOCKS go through a tunnel, which is the agent's business.
    let (relay, tunnel) = match proxy {
        Some(proxy) if proxy.starts_with("http") && address.scheme() != Scheme::Https => (Some(proxy), None),
        other => (None, other),
    };
    let request = request(address, ask, relay.as_deref()).map_err(Failure::Mirror)?;
    let is_tls = request.uri().scheme_str() == Some("https");
    let config = config(network, tunnel.as_deref(), is_tls).map_err(Failure::Final)?;
    let agent = match relay.map(|_| origin(address)).transpose().map_err(Failure::Mirror)? {
        None => config.new_agent(),
        Some(origin) => {
            let connector = DefaultConnector::new().chain(Relay { origin });
            Agent::with_parts(config, connector, DefaultResolver::default())
        }
    };
    agent.run(request).map_err(|error| failure(error, network))
}

fn request(address: &Address, ask: &Ask, relay: Option<&str>) -> Result<Request<()>> {
    let bad = |e: http::Error| bad_address(address).cause(e);
    let own = address.uri()?;
    let path = own.path_and_query().cloned();
    let mut request = Request::get(own.clone());
    if let Some(relay) = relay {
        let proxy: Uri = relay.parse().map_err(|_| bad_proxy(relay))?;
        request = request.uri(anonymous(&proxy, path).map_err(bad)?).header("Host", host(&own));
        if let Some(credentials) = proxy.authority().and_then(basic) {
            request = request.header("Proxy-Authorization", credentials);
        }
    } else {
        request = request.uri(anonymous(&own, path).map_err(bad)?);
    }
    let user = own.authority().and_then(basic);
    if let Some(user) = user.filter(|_| address.scheme() != Scheme::Ftp && !ask.headers.has(&AUTHORIZATION)) {
        request = request.header(AUTHORIZATION, user);
    }
    request = ask.headers.add_to(request);
    if ask.from > 0 {
        request = request.header("Range", format!("bytes={}-", ask.from));
        if let Some(version) = &ask.unless_changed {
            request = request.header("If-Range", version);
        }
    }
    request.body(()).map_err(bad)
}

/// What stands before the path. The user of an FTP server stays in it: HTTP has no other place for that.
fn origin(address: &Address) -> Result<String> {
    let uri = address.uri()?;
    let authority = uri.authority().map_or("", uri::Authority::as_str);
    Ok(match address.scheme() {
        Scheme::Ftp => format!("ftp://{authority}"),
        _ => format!("http://{}", without_user(authority)),
    })
}

fn host(address: &Uri) -> &str {
    address.authority().map_or("", |authority| without_user(authority.as_str()))
}

/// The address without user and password, which have a header of their own.
fn anonymous(address: &Uri, path: Option<uri::PathAndQuery>) -> http::Result<Uri> {
    let builder = Uri::builder().scheme(address.scheme_str().unwrap_or("http")).authority(host(address));
    builder.path_and_query(path.unwrap_or_else(|| uri::PathAndQuery::from_static("/"))).build()
}

fn without_user(authority: &str) -> &str {
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}

/// RFC 7617.
fn basic(authority: &uri::Authority) -> Option<String> {
    let (user, _) = authority.as_str().rsplit_once('@')?;
    let user = if user.contains(':') { user.to_owned() } else { format!("{user}:") };
    let decoded: Vec<u8> = percent_decode_str(&user).collect();
    Some(format!("Basic {}", Base64::encode_string(&decoded)))
}

fn config(network: &Network, tunnel: Option<&str>, is_tls: bool) -> Result<Config> {
    let (connect, stall) = (Some(network.patience.connect), Some(network.patience.stall));
    let tunnel = tunnel.map(|proxy| Proxy::new(proxy).map_err(|_| bad_proxy(proxy))).transpose()?;
    let mut config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .accept_encoding("identity")
        .user_agent(concat!("qchroot/", env!("CARGO_PKG_VERSION")))
        .proxy(tunnel)
        .timeout_resolve(connect)
        .timeout_connect(connect)
        .timeout_send_request(stall)
        .timeout_recv_response(stall)
        .timeout_per_read(stall)
        .timeout_per_write(stall);
    if is_tls {
        config = config.tls_config(TlsConfig::builder().root_certs(roots()?).build());
    }
    Ok(config.build())
}

/// The certificates that the system trusts, or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name; where there
/// are none, those that are built in.
fn roots() -> Result<RootCerts> {
    static CERTIFICATES: OnceLock<Arc<Vec<Certificate<'static>>>> = OnceLock::new();
    if let Some(known) = CERTIFICATES.get() {
        return Ok(RootCerts::Specific(Arc::clone(known)));
    }
    let loaded = rustls_native_certs::load_native_certs();
    if loaded.certs.is_empty() {
        let named = ["SSL_CERT_FILE", "SSL_CERT_DIR"].iter().find(|name| std::env::var_os(name).is_some());
        return match named {
            Some(name) => {
                let message = format!("no certificates where {name} says");
                Err(loaded.errors.iter().fold(Error::new(ErrorKind::Config, message), Error::cause))
            }
            None => Ok(RootCerts::WebPki),
        };
    }
    let owned = loaded.certs.iter().map(|der| Certificate::from_der(der).to_owned()).collect();
    Ok(RootCerts::Specific(Arc::clone(CERTIFICATES.get_or_init(|| Arc::new(owned)))))
}

fn head(response: &Response, ask: &Ask) -> Result<Head, Failure> {
    let headers = response.headers();
    let version = version(headers);
    match response.status().as_u16() {
        200 => {
            let total = header(headers, "content-length").and_then(|text| text.trim().parse().ok());
            Ok(Head { at: 0, total, version })
        }
        206 => match header(headers, "content-range").and_then(range) {
            Some((Some(at), total)) => Ok(Head { at, total, version }),
            _ => Err(Failure::Mirror(Failure::unavailable("sends a part of the file without saying which"))),
        },
        416 if ask.from > 0 => match header(headers, "content-range").and_then(range) {
            // There is no byte after the last one: all of it was here already. The answer's own text is no part.
            Some((None, Some(total))) if total == ask.from => {
                Ok(Head { at: total, total: Some(total), version })
            }
            _ => Err(Failure::Mirror(Error::new(
                ErrorKind::BadData,
                format!("has fewer than the {} bytes that were sent already", ask.from),
            ))),
        },
        code => Err(refusal(code, &status(response))),
    }
}

/// What a status other than yes means for what comes next.
pub(crate) fn refusal(code: u16, status: &str) -> Failure {
    match code {
        404 | 410 => Failure::Mirror(Error::new(ErrorKind::NotFound, status)),
        408 | 425 | 429 | 500..=599 => Failure::Again(Failure::unavailable(status)),
        _ => Failure::Mirror(Failure::unavailable(status)),
    }
}

fn status(response: &Response) -> String {
    let status = response.status();
    let words = status.canonical_reason().unwrap_or("unknown status");
    format!("the server says {} {words}", status.as_u16())
}

/// What changes with the content: a strong entity tag (RFC 9110 8.8.3), else the date.
fn version(headers: &HeaderMap) -> Option<String> {
    let tag = header(headers, "etag").filter(|tag| !tag.starts_with("W/"));
    tag.or_else(|| header(headers, "last-modified")).map(ToOwned::to_owned)
}

/// `bytes 5-9/10`, `bytes 5-9/*`, `bytes */10` (RFC 9110 14.4): the first byte and the length.
fn range(text: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (part, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let first = part.split_once('-').and_then(|(first, _)| first.trim().parse().ok());
    if first.is_none() && part != "*" {
        return None;
    }
    Some((first, total.trim().parse().ok()))
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn failure(error: ureq::Error, network: &Network) -> Failure {
    let patience = network.patience;
    let told = |words: String| Failure::unavailable("cannot get it").cause(words);
    match error {
        ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => {
            Failure::Again(told(format!("no connection within {:?}", patience.connect)))
        }
        ureq::Error::Timeout(_) => Failure::Again(told(format!("no answer within {:?}", patience.stall))),
        ureq::Error::Io(error) => Failure::Again(told(words(&error))),
        ureq::Error::HostNotFound | ureq::Error::ConnectionFailed | ureq::Error::Protocol(_) => {
            Failure::Again(told(error.to_string()))
        }
        other => Failure::Mirror(told(other.to_string())),
    }
}

/// Why reading broke off, in few words.
pub(super) fn words(error: &io::Error) -> String {
    let timed_out = matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock);
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    match inner {
        Some(ureq::Error::Timeout(_)) => "nothing was sent for too long".into(),
        _ if timed_out => "nothing was sent for too long".into(),
        Some(ureq::Error::Io(inner)) => words(inner),
        _ => Error::from_io(error, "").causes().join(": "),
    }
}

fn bad_proxy(proxy: &str) -> Error {
    let host = without_user(proxy.split_once("://").map_or(proxy, |(_, rest)| rest));
    Error::new(ErrorKind::Config, format!("bad address {host:?} of a proxy"))
        .hint("look at http_proxy, https_proxy, ftp_proxy and all_proxy in the environment")
}

fn bad_address(address: &Address) -> Error {
    Error::new(ErrorKind::Config, format!("bad address {}", address.shown()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_standard_writes_them() {
        assert_eq!(range("bytes 5-9/10"), Some((Some(5), Some(10))));
        assert_eq!(range("bytes 5-9/*"), Some((Some(5), None)));
        assert_eq!(range("bytes */10"), Some((None, Some(10))));
        for bad in ["", "bytes 5", "items 1-2/3", "bytes x-9/10"] {
            assert_eq!(range(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_proxy_has_a_password_of_its_own() {
        let address: Address = "http://u%40x:secret@h:81/a?b".parse().unwrap();
        let asked = request(&address, &Ask::default(), Some("http://me:too@p:3128")).unwrap();
        assert_eq!(asked.uri().authority().unwrap().as_str(), "p:3128");
        assert_eq!(asked.uri().path_and_query().unwrap().as_str(), "/a?b");
        assert_eq!(origin(&address).unwrap(), "http://h:81");
        assert_eq!(header(asked.headers(), "host"), Some("h:81"));
        assert_eq!(header(asked.headers(), "proxy-authorization"), Some("Basic bWU6dG9v"));
        assert_eq!(header(asked.headers(), "authorization"), Some("Basic dUB4OnNlY3JldA=="));
    }
}
