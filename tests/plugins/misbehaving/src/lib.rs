//! Back ends that do what none may. A feature chooses which one this library is, and the option `do` what it does.

#[cfg(feature = "garbage")]
mod garbage;
#[cfg(feature = "isolation")]
mod isolation;
#[cfg(feature = "layout")]
pub mod layout;
#[cfg(any(
    feature = "source",
    feature = "constructor",
    feature = "info",
    feature = "other-name",
    feature = "other-kind",
    feature = "missing-symbol"
))]
mod source;
#[cfg(feature = "storage")]
mod storage;

#[cfg(not(any(feature = "garbage", feature = "layout")))]
mod bad {
    use std::collections::BTreeSet;

    use qchroot_plugin::{Capability, Info, Kind, OptionKind, OptionSpec, Options, Platform};

    /// What is said of a back end with the option `do`, and `at` for what that needs.
    pub fn info(name: &str, kind: Kind, capabilities: &[Capability]) -> Info {
        let option = |key: &str, kind, what: &str| OptionSpec::new(key, kind, "", what);
        Info {
            name: name.into(),
            kind,
            summary: "does what none may".into(),
            platforms: vec![Platform::Linux],
            capabilities: capabilities.iter().copied().collect::<BTreeSet<_>>(),
            options: vec![
                option("do", OptionKind::Text, "what, and in which call"),
                option("at", OptionKind::Text, "a path for it"),
                option("size", OptionKind::Size, "a limit that nobody keeps"),
            ],
            programs: vec!["true".into()],
        }
    }

    pub fn wish<'a>(options: &'a Options, key: &str) -> &'a str {
        options.get(key).and_then(|value| value.as_str()).unwrap_or_default()
    }

    /// Panics where `do` says `panic CALL`.
    pub fn may_panic(options: &Options, call: &str) {
        assert!(wish(options, "do") != format!("panic {call}"), "deliberately, in {call}");
    }
}
