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
//! Each back end is also examined behind the border, as a plug-in would be. What `qchroot plugin check` runs of a plug-in
//! is [`plugin`].
//!
//! The suites know no back end by name; they ask it for its platforms, options and capabilities.

mod description;
mod fake;
mod footprint;
#[cfg(feature = "harness")]
mod harness;
mod isolation;
#[cfg(feature = "harness")]
mod kept;
mod plugin;
mod progress;
mod real;
mod source;
mod storage;
mod subject;
mod transaction;
mod trial;

use qchroot_api::{Observe, Plan};

use description::description;
#[cfg(feature = "harness")]
pub use harness::{isolation, main, source, storage};
pub use plugin::{Examined, plugin};
pub use real::{SourceOnMachine, source_on_machine};
pub use transaction::{succeed, take_back};
pub use trial::{Scene, Trial};

/// Steps stand in journals, and plans cross the plug-in border.
fn round_trips(plan: &Plan) {
    let json = serde_json::to_string(plan).expect("a plan is JSON");
    assert_eq!(&serde_json::from_str::<Plan>(&json).expect("a plan can be read back"), plan);
    plan.iter().for_each(|step| assert!(!step.to_string().contains('\n'), "{step:?} is not one line"));
}

/// The same view as a back end gets.
fn view(host: &crate::FakeHost) -> &dyn Observe {
    host
}
