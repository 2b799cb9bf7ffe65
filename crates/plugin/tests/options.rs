//! A struct of options: what is declared of it, and what is said of values that do not fit.

use std::collections::BTreeMap;
use std::path::PathBuf;

use qchroot_plugin::toml::{Table, toml};
use qchroot_plugin::{ErrorKind, HostPath, Info, Kind, OptionKind, Size, check, options_of, read};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Everything that a field may be.
#[derive(Debug, Deserialize, JsonSchema)]
#[expect(dead_code, reason = "not every field is read again")]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Settings {
    /// Where the image
    /// lies.
    ///
    /// Only for those who read the source.
    image_path: String,
    /// what to do with it
    #[serde(default)]
    mode: Mode,
    /// what to do otherwise
    or_else: Option<Mode>,
    /// most bytes
    #[serde(default = "limit")]
    limit: Size,
    /// least bytes
    least: Option<Size>,
    /// how often
    #[serde(default)]
    tries: u8,
    /// whether at all
    #[serde(default)]
    quick: bool,
    /// which parts
    #[serde(default = "parts")]
    parts: Vec<String>,
    /// ways
    #[serde(default)]
    ways: Vec<Mode>,
    /// the cache
    cache: Option<HostPath>,
    /// a key
    #[serde(rename = "key-file")]
    key: Option<PathBuf>,
}

#[derive(Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Mode {
    /// As it is.
    #[default]
    Copy,
    /// Once for all.
    HardLink,
}

fn limit() -> Size {
    Size::of_mib(64)
}

fn parts() -> Vec<String> {
    vec!["base".into(), "kernel".into()]
}

#[test]
fn the_schema_is_what_the_struct_says() {
    let options = options_of::<Settings>().unwrap();
    let of = |key: &str| {
        let option = options.iter().find(|option| option.key == key).unwrap();
        (option.kind, option.default.as_str(), option.summary.as_str())
    };
    assert_eq!(options.len(), 11);
    assert_eq!(of("image-path"), (OptionKind::Text, "none, must be given", "Where the image lies"));
    assert_eq!(of("mode"), (OptionKind::Text, "copy", "what to do with it: copy or hard-link"));
    assert_eq!(of("or-else"), (OptionKind::Text, "none", "what to do otherwise: copy or hard-link"));
    assert_eq!(of("limit"), (OptionKind::Size, "64M", "most bytes"));
    assert_eq!(of("least"), (OptionKind::Size, "none", "least bytes"));
    assert_eq!(of("tries"), (OptionKind::Number, "0", "how often"));
    assert_eq!(of("quick"), (OptionKind::Flag, "false", "whether at all"));
    assert_eq!(of("parts"), (OptionKind::List, "base,kernel", "which parts"));
    assert_eq!(of("ways"), (OptionKind::List, "none", "ways: copy or hard-link"));
    assert_eq!(of("cache"), (OptionKind::Text, "none", "the cache"));
    assert_eq!(of("key-file"), (OptionKind::Text, "none", "a key"));
}

#[test]
fn values_are_read_as_they_stand_in_toml() {
    let given = toml! { image-path = "/a" mode = "hard-link" limit = 4096 ways = ["copy"] cache = "/c" };
    let settings: Settings = read(&given).unwrap();
    assert_eq!((settings.image_path.as_str(), settings.mode), ("/a", Mode::HardLink));
    assert_eq!((settings.limit.bytes(), settings.ways), (4096, vec![Mode::Copy]));
    assert_eq!((settings.cache.unwrap().as_str(), settings.parts.len()), ("/c", 2));
}

#[test]
fn what_does_not_fit_is_named_with_its_key() {
    let wrong = |key: &str, given: Table, words: &str| {
        let given = toml! { image-path = "/a" }.into_iter().chain(given).collect();
        let error = read::<Settings>(&given).unwrap_err();
        assert_eq!((error.kind(), error.fact("key")), (ErrorKind::Config, Some(key)), "{error}");
        assert!(error.message().contains(words), "{error}");
    };
    wrong("mode", toml! { mode = "cpoy" }, "unknown variant `cpoy`, expected `copy` or `hard-link`");
    wrong("tries", toml! { tries = 256 }, "`256`, expected u8");
    wrong("limit", toml! { limit = "1.5G" }, "expected a size such as 512M");
    wrong("limit", toml! { limit = (-1) }, "expected a size such as 512M");
    wrong("ways", toml! { quick = true tries = 1 ways = ["copy", "move"] }, "unknown variant `move`");
    wrong("cache", toml! { cache = "var" }, "expected an absolute path");
    wrong("imgae", toml! { imgae = "/a" }, "unknown field `imgae`");
}

#[test]
fn what_must_be_given_may_be_missing_until_it_is_read() {
    let error = read::<Settings>(&toml! { tries = 1 }).unwrap_err();
    assert_eq!((error.fact("key"), error.message()), (Some("image-path"), "option image-path must be given"));
    let options = options_of::<Settings>().unwrap();
    let info = Info { options, ..Info::new(Kind::ReleaseSource, "acme.thing", "a thing") };
    check::<Settings>(&info, &Table::new()).unwrap();
    check::<Settings>(&info, &toml! { tries = 1 }).unwrap();
    let error = check::<Settings>(&info, &toml! { mode = "cpoy" }).unwrap_err();
    assert_eq!(error.fact("key"), Some("mode"), "{error}");
    let error = check::<Settings>(&info, &toml! { imgae-path = "/a" }).unwrap_err();
    assert_eq!(error.hint_text(), Some("did you mean image-path?"), "{error}");
}

macro_rules! refused {
    ($($type:ty => $words:literal),*) => { $({
        #[derive(Deserialize, JsonSchema)]
        #[expect(dead_code, reason = "only its schema is of interest")]
        struct Odd {
            /// one
            odd: $type,
        }
        let error = options_of::<Odd>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Plugin);
        assert_eq!(error.message(), concat!("field odd of Odd ", $words));
    })* };
}

#[test]
fn types_without_a_place_among_options_are_refused_by_name() {
    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only its schema is of interest")]
    struct Inner {
        a: u8,
    }
    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only its schema is of interest")]
    enum Tagged {
        Plain,
        Full(u8),
    }
    refused! {
        BTreeMap<String, String> => "has a type that is no option: a table",
        f64 => "has a type that is no option: a number with a fraction",
        Vec<u16> => "has a type that is no option: a list of integer",
        Inner => "has a type that is no option: Inner",
        Tagged => "has a type that is no option: Tagged"
    }
    assert!(options_of::<Tagged>().is_err());
}

#[test]
fn a_default_that_cannot_be_shown_is_refused() {
    #[derive(Default, Deserialize, JsonSchema)]
    enum Silent {
        #[default]
        A,
        B,
    }
    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only its schema is of interest")]
    struct Odd {
        /// one
        #[serde(default)]
        odd: Silent,
    }
    let _ = Silent::B;
    let error = options_of::<Odd>().unwrap_err();
    assert_eq!(error.message(), "field odd of Odd has a default that cannot be shown");
    assert_eq!(error.hint_text(), Some("derive Serialize for its type"));
}

#[test]
fn a_struct_without_fields_takes_no_options() {
    #[derive(Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct None {}
    assert_eq!(options_of::<None>().unwrap(), vec![]);
    read::<None>(&Table::new()).unwrap();
}
