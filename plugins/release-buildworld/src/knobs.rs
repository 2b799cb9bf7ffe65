//! What is left out of a world: the knobs a user gives and those of a profile. It knows names, not objects.

use std::collections::BTreeMap;

use qchroot_api::{Error, ErrorKind, Result};

use crate::names::{Names, stem};

/// What a profile called `trimmed` leaves out wherever the tree can: nothing here that other parts need, and the
/// compiler with all that goes with it.
const TRIMMED: &[&str] = &[
    "ACPI",
    "ATM",
    "AUTHPF",
    "BIND",
    "BLUETOOTH",
    "BOOT",
    "CVS",
    "CXX",
    "FORTRAN",
    "GAMES",
    "GDB",
    "GPIB",
    "I4B",
    "INET6",
    "INFO",
    "IPFILTER",
    "LPR",
    "MAILWRAPPER",
    "MAN",
    "NETCAT",
    "NIS",
    "PF",
    "SENDMAIL",
    "SHARE",
    "SHAREDOCS",
    "TOOLCHAIN",
    "USB",
    "VINUM",
    // What came later and is as big, or took the place of one of these.
    "BHYVE",
    "BSDINSTALL",
    "DEBUG_FILES",
    "DICT",
    "EXAMPLES",
    "FREEBSD_UPDATE",
    "HTML",
    "HYPERV",
    "LIB32",
    "PROFILE",
    "RESCUE",
    "SVNLITE",
    "TESTS",
    "UNBOUND",
];

/// Knobs by name, as they go into the environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Knobs(pub(crate) BTreeMap<String, String>);

impl Knobs {
    /// Those given, each `NAME=VALUE` or `NAME`, and those of the profile that they do not contradict.
    pub(crate) fn new(given: &[String], profile: Option<&str>, names: &Names) -> Result<Self> {
        let mut all = BTreeMap::new();
        for text in given.iter().filter(|text| !text.trim().is_empty()) {
            let (name, value) = parse(text, names)?;
            all.insert(name, value);
        }
        let knobs = Self(all);
        match profile {
            None | Some("full") => {}
            Some("trimmed") => return knobs.trimmed(names),
            Some(other) => {
                return Err(config("profile", format!("source buildworld has no profile {other:?}"))
                    .hint("choose full or trimmed"));
            }
        }
        Ok(knobs)
    }

    fn trimmed(mut self, names: &Names) -> Result<Self> {
        let wanted = |stem: &&&str| !self.0.contains_key(&format!("WITH_{stem}"));
        let off: Vec<String> = TRIMMED.iter().filter(wanted).filter_map(|stem| names.without(stem)).collect();
        if off.is_empty() {
            let message = "the source tree tells no names of knobs, so that nothing of it can be left out";
            return Err(config("profile", message).hint("give knobs one by one, or use another profile"));
        }
        for name in off {
            self.0.entry(name).or_insert_with(|| "yes".into());
        }
        Ok(self)
    }

    /// Whether something is left out.
    pub(crate) fn leave_out(&self, stem: &str) -> bool {
        ["WITHOUT_", "NO_", "NO"].iter().any(|prefix| self.0.contains_key(&format!("{prefix}{stem}")))
    }
}

fn parse(text: &str, names: &Names) -> Result<(String, String)> {
    let (name, value) = text.trim().split_once('=').unwrap_or((text.trim(), "yes"));
    let Some((_, stem)) = stem(name) else {
        return Err(config("knobs", format!("{name:?} is no knob"))
            .hint("knobs are WITH_NAME and WITHOUT_NAME, in old trees NO_NAME; see src.conf(5)"));
    };
    if value.chars().any(char::is_control) {
        return Err(config("knobs", format!("the value of {name} has control characters in it")));
    }
    if ["no", "false", "off", "0"].contains(&value.to_ascii_lowercase().as_str()) {
        let message = format!("{name}={value} would do the same as {name}=yes: that it is there counts");
        return Err(config("knobs", message).hint(format!("leave {name} out")));
    }
    if !names.know(name) {
        let error = config("knobs", format!("the source tree has no knob {name}"));
        return Err(match names.without(stem) {
            Some(known) => error.hint(format!("it calls it {known}")),
            None => error.hint("see share/man/man5/src.conf.5 of the tree for those it has"),
        });
    }
    Ok((name.to_owned(), value.to_owned()))
}

fn config(key: &str, message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Config, message).with("key", key)
}
