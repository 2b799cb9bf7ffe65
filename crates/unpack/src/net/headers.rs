//! Header fields that a caller adds to requests. It knows which of them are the program's own, and shows none of their
//! values: they may be secrets.

use std::fmt;

use qchroot_api::{Error, ErrorKind, Result};
use ureq::http::request::Builder;
use ureq::http::{HeaderName, HeaderValue};

/// What the program says itself: what part it wants, how, and through whom.
const OWN: &[&str] = &[
    "accept-encoding",
    "connection",
    "content-length",
    "host",
    "if-range",
    "proxy-authorization",
    "range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

/// Header fields for one origin (RFC 6454 4): names and values.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(HeaderName, HeaderValue)>);

impl fmt::Debug for Headers {
    /// Names only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl TryFrom<&[(String, String)]> for Headers {
    type Error = Error;

    /// Configuration, with the name, for a field that HTTP cannot carry (RFC 9110 5) or that is the program's own.
    fn try_from(fields: &[(String, String)]) -> Result<Self> {
        fields.iter().map(|(name, value)| field(name, value)).collect::<Result<_>>().map(Self)
    }
}

impl Headers {
    pub(super) fn has(&self, name: &HeaderName) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    pub(super) fn add_to(&self, request: Builder) -> Builder {
        self.0.iter().fold(request, |request, (name, value)| request.header(name, value))
    }
}

fn field(name: &str, value: &str) -> Result<(HeaderName, HeaderValue)> {
    let bad = |why: &str| {
        Error::new(ErrorKind::Config, format!("the header field {name:?} cannot be sent")).cause(why)
    };
    let key: HeaderName = name.parse().map_err(|_| bad("it is no name of a field"))?;
    if OWN.contains(&key.as_str()) {
        return Err(bad("qchroot sends its own"));
    }
    let mut value: HeaderValue = value.parse().map_err(|_| bad("its value has control characters"))?;
    value.set_sensitive(true);
    Ok((key, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &str, value: &str) -> Result<Headers> {
        Headers::try_from(&[(name.to_owned(), value.to_owned())][..])
    }

    #[test]
    fn what_cannot_be_sent_is_refused_by_name_alone() {
        for (name, value) in
            [("X-A", "s3cret\r\nHost: x"), ("b c", "s3cret"), ("Range", "s3cret"), ("", "s3cret")]
        {
            let error = headers(name, value).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
        }
    }

    #[test]
    fn a_value_is_never_shown() {
        let shown = format!("{:?}", headers("Authorization", "Bearer s3cret").unwrap());
        assert!(shown.contains("authorization") && !shown.contains("s3cret"), "{shown}");
    }
}
