//! What all three kinds must do: say who they are, and refuse options that are wrong.

use qchroot_api::toml::Value;
use qchroot_api::{Backend, ErrorKind, Info, Kind, OptionKind, Options};

use super::trial::{Scene, Trial};

/// A check by name: of a back end, the same made again, and the kind that it is to be.
type Check = (&'static str, fn(&dyn Backend, &dyn Backend, Kind));

/// The checks. The back end is made anew for each.
pub(crate) fn description(
    scene: Scene,
    kind: Kind,
    make: impl Fn() -> Box<dyn Backend> + Clone + Send + 'static,
) -> Vec<Trial> {
    let checks: [Check; 4] = [
        ("what it says of itself is in order and never changes", says_the_same),
        ("every option has a default, and one line on what it does", options_are_documented),
        ("no option is needed to be checked at all", |made, _, _| {
            assert_eq!(made.check(&Options::new()), Ok(()));
        }),
        ("an option that is unknown, or of another type, is refused by name", refuses_options),
    ];
    let trial = |(name, check): Check| {
        let make = make.clone();
        Trial::new(scene, name, move || check(&*make(), &*make(), kind))
    };
    checks.into_iter().map(trial).collect()
}

fn says_the_same(made: &dyn Backend, again: &dyn Backend, kind: Kind) {
    let info = made.info();
    assert_eq!(info, made.info(), "what it says of itself changes");
    assert_eq!(info, again.info(), "what it says of itself changes when it is made again");
    assert_eq!(info.kind, kind, "it is of another kind");
    let Info { name, summary, platforms, .. } = &info;
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b);
    assert!(!name.is_empty() && name.bytes().all(plain), "{name:?} is no name");
    assert!(is_line(summary), "the summary {summary:?} is not one line");
    assert!(!platforms.is_empty(), "it works on no platform");
}

fn options_are_documented(made: &dyn Backend, _: &dyn Backend, _: Kind) {
    let options = made.info().options;
    for (n, option) in options.iter().enumerate() {
        assert!(is_line(&option.summary), "{}: the summary {:?} is not one line", option.key, option.summary);
        assert!(is_line(&option.default), "{}: the default {:?} is not one line", option.key, option.default);
        assert!(options[..n].iter().all(|before| before.key != option.key), "{} is there twice", option.key);
    }
}

fn is_line(text: &str) -> bool {
    !text.is_empty() && !text.contains('\n')
}

fn refuses_options(made: &dyn Backend, _: &dyn Backend, _: Kind) {
    refuses(made, "no_such_option", Value::Boolean(true));
    for option in &made.info().options {
        let wrong = match option.kind {
            OptionKind::Flag => Value::Integer(1),
            _ => Value::Boolean(true),
        };
        refuses(made, &option.key, wrong);
    }
}

fn refuses(backend: &dyn Backend, key: &str, value: Value) {
    let options = Options::from_iter([(key.to_owned(), value)]);
    let error = backend.check(&options).expect_err(&format!("it takes {options}"));
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    assert_eq!(error.fact("key"), Some(key), "{error} does not name the key");
    assert!(!error.message().is_empty(), "the error has no message");
}
