//! The suite for sources, with the fake source under examination.

use std::process::ExitCode;

use qchroot_api::ReleaseWish;
use qchroot_testkit::behavior;
use qchroot_testkit::fixture::FakeSource;

fn main() -> ExitCode {
    behavior::main(behavior::source(|| Box::new(FakeSource), |_| ReleaseWish::default()))
}
