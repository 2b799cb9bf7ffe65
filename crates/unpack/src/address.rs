//! Addresses that something can be fetched from. It knows how they are written, not how anything is fetched.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use qchroot_api::camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Error, ErrorKind, Result};
use ureq::http::Uri;

/// How an address is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// A file or directory of this machine's.
    File,
    /// HTTP without encryption.
    Http,
    /// HTTP over TLS.
    Https,
    /// FTP (RFC 959), always passive.
    Ftp,
}

/// Where something can be fetched from: `http:`, `https:`, `ftp:` and `file:` addresses (RFC 3986), or a path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    scheme: Scheme,
    /// The absolute path of a file; the whole text of any other address.
    text: String,
}

impl Address {
    /// How it is reached.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The absolute path of a file or directory of this machine's; none for an address on the network.
    #[must_use]
    pub fn path(&self) -> Option<&Utf8Path> {
        (self.scheme == Scheme::File).then(|| Utf8Path::new(&self.text))
    }

    /// Whether it leads over a network without encryption, so that anybody on the way can change what comes.
    #[must_use]
    pub fn is_open(&self) -> bool {
        match self.scheme {
            Scheme::File | Scheme::Https => false,
            Scheme::Http | Scheme::Ftp => !is_loopback(&self.text),
        }
    }

    /// What stands after the last slash.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.text.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
    }

    /// The address with `suffix` behind it.
    #[must_use]
    pub fn with_suffix(&self, suffix: &str) -> Self {
        Self { scheme: self.scheme, text: format!("{}{suffix}", self.text) }
    }

    /// The address for people to read: without a password.
    #[must_use]
    pub fn shown(&self) -> String {
        let Some((scheme, rest)) = self.text.split_once("://") else { return self.text.clone() };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        match authority.rsplit_once('@').and_then(|(user, host)| Some((user.split_once(':')?.0, host))) {
            Some((user, host)) => format!("{scheme}://{user}:***@{host}{path}"),
            None => self.text.clone(),
        }
    }

    /// The host of an address on the network, without a port; nothing for a file.
    pub(crate) fn host(&self) -> String {
        self.uri().ok().and_then(|uri| uri.host().map(ToOwned::to_owned)).unwrap_or_default()
    }

    /// Scheme, host and port (RFC 6454 4); nothing for a file.
    pub(crate) fn origin(&self) -> Option<(Scheme, String, u16)> {
        let uri = self.uri().ok()?;
        let usual = match self.scheme {
            Scheme::File => return None,
            Scheme::Http => 80,
            Scheme::Https => 443,
            Scheme::Ftp => 21,
        };
        Some((self.scheme, uri.host()?.to_lowercase(), uri.port_u16().unwrap_or(usual)))
    }

    /// The parts of an address on the network.
    pub(crate) fn uri(&self) -> Result<Uri> {
        let bad =
            |why: &str| Error::new(ErrorKind::Config, format!("bad address {}", self.shown())).cause(why);
        let uri: Uri = self.text.parse().map_err(|e: ureq::http::uri::InvalidUri| bad(&e.to_string()))?;
        if uri.host().is_none_or(str::is_empty) {
            return Err(bad("it names no host"));
        }
        let port = uri.authority().and_then(|all| all.as_str().rsplit(['@', ']']).next()?.split_once(':'));
        if port.is_some_and(|(_, port)| port.parse::<u16>().is_err()) {
            return Err(bad("its port is no number"));
        }
        Ok(uri)
    }

    /// Where a server's `Location` leads from here (RFC 9110 10.2.2).
    pub(crate) fn redirected(&self, location: &str) -> Result<Self> {
        let (scheme, rest) = self.text.split_once("://").unwrap_or(("", &self.text));
        let text = if location.contains("://") {
            location.to_owned()
        } else if let Some(other) = location.strip_prefix("//") {
            format!("{scheme}://{other}")
        } else if location.starts_with('/') {
            format!("{scheme}://{}{location}", rest.split('/').next().unwrap_or_default())
        } else {
            let directory = rest.rsplit_once('/').map_or(rest, |(directory, _)| directory);
            format!("{scheme}://{directory}/{location}")
        };
        text.parse()
    }

    /// The address of `relative` below this one, which is taken as a directory.
    #[must_use]
    pub fn join(&self, relative: &str) -> Self {
        let text = format!("{}/{}", self.text.trim_end_matches('/'), relative.trim_start_matches('/'));
        Self { scheme: self.scheme, text }
    }
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let bad = |why: &str| {
            Error::new(ErrorKind::Config, format!("bad address {text:?}: {why}"))
                .hint("give a path, or an http:, https:, ftp: or file: address")
        };
        if text.is_empty() || text.chars().any(|c| c.is_control() || c == ' ') && text.contains("://") {
            return Err(bad("it is empty, or has blanks or control characters"));
        }
        let scheme = match text.split_once(':') {
            Some(("http", rest)) if rest.starts_with("//") => Scheme::Http,
            Some(("https", rest)) if rest.starts_with("//") => Scheme::Https,
            Some(("ftp", rest)) if rest.starts_with("//") => Scheme::Ftp,
            Some(("file", rest)) => return local(&decoded(rest.strip_prefix("//").unwrap_or(rest))),
            Some((_, rest)) if rest.starts_with("//") => return Err(bad("nothing here can fetch that")),
            _ => return local(text),
        };
        let address = Self { scheme, text: text.to_owned() };
        address.uri().map(|_| address)
    }
}

/// RFC 8089: a file's address may hold `%XX`; a path may not, there a percent sign is one.
fn decoded(path: &str) -> String {
    percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned()
}

/// Whether the host of an address is this machine (RFC 3986, 3.2).
fn is_loopback(address: &str) -> bool {
    let authority = address.split_once("://").map_or("", |(_, rest)| rest);
    let authority = authority.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = match host.strip_prefix('[') {
        Some(six) => six.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn local(path: &str) -> Result<Address> {
    let absolute =
        std::path::absolute(path).map_err(|e| Error::from_io(&e, format!("cannot find {path:?}")))?;
    let absolute = Utf8PathBuf::from_path_buf(absolute)
        .map_err(|p| Error::new(ErrorKind::Config, format!("{} is not UTF-8", p.display())))?;
    Ok(Address { scheme: Scheme::File, text: absolute.into() })
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        text.parse().unwrap()
    }

    #[test]
    fn paths_and_addresses_are_told_apart() {
        assert_eq!(address("file:///a/b.tar").path(), Some("/a/b.tar".into()));
        assert_eq!(address("/a:b.tar").path(), Some("/a:b.tar".into()));
        assert_eq!(address("http://h/x").scheme(), Scheme::Http);
        assert!("gopher://h/x".parse::<Address>().is_err());
        assert!("".parse::<Address>().is_err());
    }

    #[test]
    fn a_password_is_kept_and_not_shown() {
        let secret = address("ftp://me:p%40ss@h:2121/x@y:z");
        assert_eq!(secret.shown(), "ftp://me:***@h:2121/x@y:z");
        assert_eq!(secret.to_string().parse::<Address>().unwrap(), secret);
        assert_eq!(address("http://h/a:b@c").shown(), "http://h/a:b@c");
    }

    #[test]
    fn redirects_lead_where_they_say() {
        let from = address("http://h:81/a/b.txz");
        for (location, to) in [
            ("https://x/y", "https://x/y"),
            ("//x/y", "http://x/y"),
            ("/y?z", "http://h:81/y?z"),
            ("c.txz", "http://h:81/a/c.txz"),
        ] {
            assert_eq!(from.redirected(location).unwrap().to_string(), to);
        }
    }

    #[test]
    fn one_origin_is_one_scheme_host_and_port() {
        let same = |a: &str, b: &str| address(a).origin() == address(b).origin();
        assert!(same("http://H/x", "http://me:pw@h:80/y") && same("https://h:443/", "https://h/"));
        for other in ["https://h/", "http://h:81/", "http://h.example/", "http://g/"] {
            assert!(!same("http://h/", other), "{other}");
        }
    }

    #[test]
    fn an_address_without_a_host_or_with_blanks_is_none() {
        for bad in ["http:///x", "http://h/a b", "ftp://", "http://h:port/x"] {
            assert!(bad.parse::<Address>().is_err(), "{bad}");
        }
        assert_eq!(address("file:///a%20b").path(), Some("/a b".into()));
        assert_eq!(address("/a%20b").path(), Some("/a%20b".into()));
    }

    #[test]
    fn a_name_is_joined_with_one_slash() {
        assert_eq!(address("ftp://h/pub/").join("/MANIFEST").to_string(), "ftp://h/pub/MANIFEST");
        assert_eq!(address("/srv/sets").join("base.txz").path(), Some("/srv/sets/base.txz".into()));
        assert_eq!(address("https://h/a/base.txz").file_name(), "base.txz");
    }

    #[test]
    fn only_this_machine_needs_no_encryption() {
        for (address, open) in [
            ("http://127.0.0.1:8080/pub", false),
            ("http://[::1]/pub", false),
            ("ftp://user@localhost/pub", false),
            ("https://mirror.example/", false),
            ("/srv/sets", false),
            ("http://mirror.example/", true),
            ("ftp://mirror.example/", true),
            ("http://localhost.example/", true),
            ("http://127.0.0.1@mirror.example/", true),
            ("http://mirror.example?@127.0.0.1/", true),
            ("http://[::2]/", true),
        ] {
            assert_eq!(super::Address::from_str(address).unwrap().is_open(), open, "{address}");
        }
    }
}
