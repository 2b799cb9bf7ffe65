//! What a plug-in's file says before anything of it runs: a constant under a name that an ELF file lists, and which
//! versions of the border fit each other. It opens no file.

use qchroot_api::{Error, ErrorKind, Kind, Result};
use serde::{Deserialize, Serialize};

/// The name of the constant: an exported symbol, whose bytes are [`Header`] as JSON.
pub const HEADER_SYMBOL: &str = "QCHROOT_PLUGIN";

/// The name under which a library offers its root module, as abi_stable's `LibHeader`.
pub const LIBRARY_SYMBOL: &str = "QCHROOT_LIBRARY";

/// The version of the border, `MAJOR.MINOR.0`. The major number changes when plug-ins must be built again; the minor one
/// when something was added that older programs do not know. `docs/plugin-compatibility.md` has the rules; it is the
/// version of this package, too, because abi_stable compares that.
#[macro_export]
macro_rules! border {
    () => {
        "1.1.0"
    };
}

/// The same.
pub const BORDER_TEXT: &str = border!();

/// The constant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The version of the border that the plug-in was built for.
    pub border: String,
    /// The back end's name.
    pub name: String,
    /// The back end's kind.
    pub kind: Kind,
    /// The plug-in's own version.
    pub version: String,
}

/// What every border's header has.
#[derive(Deserialize)]
struct AnyHeader {
    border: String,
}

impl Header {
    /// The header from its bytes.
    ///
    /// # Errors
    /// Plug-in, for what is no header, and for one whose border does not fit the one of this program.
    pub fn parse(text: &[u8]) -> Result<Self> {
        // The border first: a header of a later one may have kinds that are not known here.
        let any: AnyHeader = serde_json::from_slice(text).map_err(unreadable)?;
        refuse_other_border(&any.border)?;
        serde_json::from_slice(text).map_err(unreadable)
    }
}

/// Whether a plug-in can have this name: small letters, digits, `-`, `_`, and at least one dot between others, so that it is
/// a file's name and never one of qchroot's own back ends.
#[must_use]
pub fn is_plugin_name(name: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('-')
            && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c))
    };
    name.len() <= 64 && name.contains('.') && name.split('.').all(plain)
}

fn refuse_other_border(border: &str) -> Result<()> {
    let ours = numbers(BORDER_TEXT);
    let message = format!("it was built for border {border} of plug-ins, and this program has {BORDER_TEXT}");
    let error = Error::new(ErrorKind::Plugin, message).with("border", border);
    match (numbers(border), ours) {
        (Some((major, minor)), Some(ours)) if major == ours.0 && minor <= ours.1 => Ok(()),
        (Some(theirs), Some(ours)) if theirs > ours => Err(error.hint("a newer qchroot takes it")),
        (Some(_), _) => Err(error.hint("ask its author for one that is built for this border")),
        (None, _) => Err(Error::new(ErrorKind::Plugin, format!("its border {border:?} is no version"))),
    }
}

/// The major and the minor number.
fn numbers(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.');
    let mut number = || parts.next()?.parse().ok();
    Some((number()?, number()?))
}

fn unreadable(error: serde_json::Error) -> Error {
    Error::new(ErrorKind::Plugin, "its header cannot be read").cause(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(border: &str, kind: &str) -> Result<Header> {
        let text =
            format!(r#"{{"border":"{border}","name":"acme.x","kind":"{kind}","version":"1","more":[]}}"#);
        Header::parse(text.as_bytes())
    }

    #[test]
    fn the_border_decides_before_anything_else_is_understood() {
        assert_eq!(header("1.0.0", "isolation").unwrap().kind, Kind::Isolation);
        let newer = header("1.7.0", "teleporter").unwrap_err();
        assert_eq!(newer.kind(), ErrorKind::Plugin);
        assert!(newer.message().contains("built for border 1.7.0"), "{newer}");
        assert_eq!(newer.hint_text(), Some("a newer qchroot takes it"));
        assert_eq!(header("2.0.0", "isolation").unwrap_err().hint_text(), Some("a newer qchroot takes it"));
        let older = header("0.9.0", "isolation").unwrap_err();
        assert!(older.hint_text().unwrap().contains("author"), "{older}");
        assert!(header("one", "isolation").unwrap_err().message().contains("\"one\" is no version"));
    }

    #[test]
    fn what_is_no_header_is_told() {
        for text in ["", "{}", "\u{0}\u{0}", r#"{"border":"1.0.0"}"#, r#"{"border":"1.0.0","name":1}"#] {
            let error = Header::parse(text.as_bytes()).unwrap_err();
            assert_eq!(error.message(), "its header cannot be read", "{text}");
        }
    }

    #[test]
    fn names_of_plugins_are_names_of_files_and_have_a_dot() {
        for good in ["acme.thing", "a.b", "de.example.oci_2", "acme.thing-2"] {
            assert!(is_plugin_name(good), "{good}");
        }
        let long = format!("a.{}", "b".repeat(63));
        for bad in
            ["overlay", "", ".", "a.", ".a", "a..b", "../a.b", "a/b.c", "A.b", "a.b\n", "a.-b", "a.ü", &long]
        {
            assert!(!is_plugin_name(bad), "{bad}");
        }
    }
}
