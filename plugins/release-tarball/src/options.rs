//! The options as the user gave them, made sense of. It reads nothing.

use qchroot_api::{Brand, Error, ErrorKind, OptionKind, OptionSpec, Options, Result};
use qchroot_unpack::Address;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    path: Option<String>,
    #[serde(default)]
    mirrors: Vec<String>,
    sha256: Option<String>,
    signature: Option<String>,
    key: Option<String>,
    version: Option<String>,
    brand: Option<Brand>,
}

/// What is wanted.
#[derive(Debug)]
pub(crate) struct Asked {
    /// Where the archive is to be had; at least one.
    pub(crate) mirrors: Vec<Address>,
    /// Its digest, lower-case hex.
    pub(crate) sha256: Option<String>,
    /// The public key, or the path of its file.
    pub(crate) key: Option<String>,
    /// Where its signature may be, in the order to look.
    pub(crate) signatures: Vec<Address>,
    /// What to call the release.
    pub(crate) version: Option<String>,
    /// What it is made for.
    pub(crate) brand: Option<Brand>,
}

/// The schema.
pub(crate) fn specs() -> Vec<OptionSpec> {
    let text = |key, default, summary| OptionSpec::new(key, OptionKind::Text, default, summary);
    vec![
        text(
            "path",
            "none, must be given",
            "the archive: a path, or an http:, https:, ftp: or file: address",
        ),
        OptionSpec::new("mirrors", OptionKind::List, "none", "further addresses of the same archive"),
        text("sha256", "none", "digest that the archive must have, 64 hexadecimal digits"),
        text(
            "key",
            "none",
            "public key of signify or minisign, or its file: the archive must be signed with it",
        ),
        text(
            "signature",
            "the archive's, with .minisig or .sig",
            "the detached signature: a path or an address",
        ),
        text("version", "the file's name without its suffixes", "what to call the release"),
        text("brand", "the host's", "what the userland is made for: linux or freebsd"),
    ]
}

impl Asked {
    /// From a table that fits the schema.
    ///
    /// # Errors
    /// Configuration, with the fact `key`.
    pub(crate) fn from(options: &Options) -> Result<Self> {
        let given: Given = options.clone().try_into().map_err(|error: qchroot_api::toml::de::Error| {
            Error::new(ErrorKind::Config, "bad options of source tarball").cause(error.message())
        })?;
        let Some(path) = given.path.filter(|path| !path.is_empty()) else {
            return Err(config("path", "source tarball needs the option path").hint("add -o path=FILE"));
        };
        let mirrors = [path]
            .iter()
            .chain(&given.mirrors)
            .map(|text| address(text, "path"))
            .collect::<Result<Vec<_>>>()?;
        if given.signature.is_some() && given.key.is_none() {
            return Err(config("key", "a signature is of no use without a key").hint("add -o key=FILE"));
        }
        let signatures = match &given.signature {
            Some(text) => vec![address(text, "signature")?],
            None => mirrors.iter().flat_map(beside).collect(),
        };
        Ok(Self {
            signatures,
            mirrors,
            sha256: given.sha256.as_deref().map(digest).transpose()?,
            key: given.key,
            version: given.version,
            brand: given.brand,
        })
    }
}

fn address(text: &str, key: &str) -> Result<Address> {
    text.parse().map_err(|error: Error| error.with("key", key))
}

/// Where the two programs put a signature when they are not told.
fn beside(archive: &Address) -> [Address; 2] {
    [".minisig", ".sig"].map(|suffix| archive.with_suffix(suffix))
}

fn digest(text: &str) -> Result<String> {
    let digest = text.to_ascii_lowercase();
    if digest.len() != 64 || !digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(config("sha256", format!("{text:?} is no SHA-256: it has not 64 hexadecimal digits")));
    }
    Ok(digest)
}

fn config(key: &str, message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Config, message).with("key", key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use qchroot_api::toml;

    #[test]
    fn archives_may_lie_anywhere() {
        let asked = |path: &str| Asked::from(&toml::Table::from_iter([("path".to_owned(), path.into())]));
        assert_eq!(asked("file:///a/b.tar").unwrap().mirrors[0].path(), Some("/a/b.tar".into()));
        assert_eq!(asked("/a:b.tar").unwrap().mirrors[0].path(), Some("/a:b.tar".into()));
        assert_eq!(asked("https://x/y").unwrap().mirrors[0].path(), None);
        assert_eq!(asked("").unwrap_err().fact("key"), Some("path"));
        assert_eq!(asked("gopher://x/y").unwrap_err().fact("key"), Some("path"));
    }

    #[test]
    fn signatures_are_looked_for_beside_the_archive() {
        let options = toml::toml! { path = "/a.txz" mirrors = ["http://h/a.txz"] key = "k" };
        let names: Vec<String> =
            Asked::from(&options).unwrap().signatures.iter().map(Address::to_string).collect();
        assert_eq!(names, ["/a.txz.minisig", "/a.txz.sig", "http://h/a.txz.minisig", "http://h/a.txz.sig"]);
        let options = toml::toml! { path = "/a.txz" signature = "ftp://h/s" key = "k" };
        assert_eq!(Asked::from(&options).unwrap().signatures[0].to_string(), "ftp://h/s");
        let error = Asked::from(&toml::toml! { path = "/a.txz" signature = "/s" }).unwrap_err();
        assert_eq!(error.fact("key"), Some("key"));
    }
}
