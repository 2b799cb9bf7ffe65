//! Behaviour suites: what every back end of a kind must do, whoever wrote it. A back end's crate runs its suite
//! from a test target of its own with `harness = false`:
//!
//! ```no_run
//! # fn make() -> Box<dyn qchroot_api::SharedStorage> { unreachable!() }
//! # fn main() -> std::process::ExitCode {
//! qchroot_testkit::behavior::main(qchroot_testkit::behavior::storage(make))
//! # }
//! ```
//!
//! A source has two: [`source`] on the fake machine and [`source_on_machine`] on the real one. One that reads more
//! than files and the answers of few programs needs the second only.
//!
//! The suites know no back end by name; they ask it for its platforms, options and capabilities.

mod footprint;
mod isolation;
mod progress;
mod real;
mod source;
mod storage;
mod transaction;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use qchroot_api::toml::Value;
use qchroot_api::{Backend, ErrorKind, Kind, Observe, OptionKind, Options, Plan, Platform};

pub use isolation::isolation;
pub use real::{SourceOnMachine, source_on_machine};
pub use source::source;
pub use storage::storage;
pub use transaction::{succeed, take_back};

/// Runs the trials under the arguments that `cargo test` gives; on Linux in a mount namespace of their own.
#[must_use]
pub fn main(trials: Vec<Trial>) -> ExitCode {
    real::enter_namespace();
    // The machine forks, and the table of mounts is one for all.
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// One trial; it fails by panicking.
fn trial(name: impl Into<String>, run: impl FnOnce() + Send + 'static) -> Trial {
    Trial::test(name, move || {
        run();
        Ok(())
    })
}

/// What all three kinds must do.
fn backend(kind: Kind, make: impl Fn() -> Box<dyn Backend>) {
    let made = make();
    let info = made.info();
    assert_eq!(info, make().info(), "what it says of itself changes");
    assert_eq!(info.kind, kind);
    assert!(!info.name.is_empty() && info.name.bytes().all(|b| b.is_ascii_lowercase() || b"-.".contains(&b)));
    assert!(!info.platforms.is_empty(), "it works nowhere");
    let texts = info.options.iter().map(|option| &option.summary).chain([&info.summary]);
    texts.for_each(|text| assert!(!text.is_empty() && !text.contains('\n'), "{text:?} is not one line"));
    assert_eq!(made.check(&Options::new()), Ok(()), "it needs an option to be checked at all");
    refuses(&*made, "no_such_option", Value::Boolean(true));
    for option in &info.options {
        let wrong = match option.kind {
            OptionKind::Flag => Value::Integer(1),
            _ => Value::Boolean(true),
        };
        refuses(&*made, &option.key, wrong);
    }
}

fn refuses(backend: &dyn Backend, key: &str, value: Value) {
    let options = Options::from_iter([(key.to_owned(), value)]);
    let error = backend.check(&options).expect_err(&format!("it takes {options}"));
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    assert_eq!(error.fact("key"), Some(key), "{error} does not name the key");
}

/// Steps stand in journals, and plans cross the plug-in border.
fn round_trips(plan: &Plan) {
    let json = serde_json::to_string(plan).expect("a plan is JSON");
    assert_eq!(&serde_json::from_str::<Plan>(&json).expect("a plan can be read back"), plan);
    plan.iter().for_each(|step| assert!(!step.to_string().contains('\n'), "{step:?} is not one line"));
}

/// Compares a plan with the text in the back end's own `tests/snapshots`, one step a line.
fn matches_snapshot(platform: Platform, verb: &str, plan: &Plan) {
    let text: String = plan.iter().map(|step| format!("{step}\n")).collect();
    let package = std::env::var("CARGO_MANIFEST_DIR").expect("cargo runs the suite");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(format!("{package}/tests/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let name = format!("{}-{verb}", platform.to_string().to_lowercase());
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// The same view as a back end gets.
fn view(host: &crate::FakeHost) -> &dyn Observe {
    host
}
