//! Addresses that something can be fetched from. It knows how they are written, not how anything is fetched.

use std::fmt;
use std::str::FromStr;

use qchroot_api::camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Error, ErrorKind, Result};

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
            Some(("file", rest)) => return local(rest.strip_prefix("//").unwrap_or(rest)),
            Some((_, rest)) if rest.starts_with("//") => return Err(bad("nothing here can fetch that")),
            _ => return local(text),
        };
        Ok(Self { scheme, text: text.to_owned() })
    }
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
    fn a_name_is_joined_with_one_slash() {
        assert_eq!(address("ftp://h/pub/").join("/MANIFEST").to_string(), "ftp://h/pub/MANIFEST");
        assert_eq!(address("/srv/sets").join("base.txz").path(), Some("/srv/sets/base.txz".into()));
        assert_eq!(address("https://h/a/base.txz").file_name(), "base.txz");
    }
}
