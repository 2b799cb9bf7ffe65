//! What every source must do, of this one, with a pkg(8) that is none.

#![expect(clippy::unwrap_used, reason = "a test that cannot prepare has failed")]
#![allow(dead_code, reason = "not every test needs all of it")]

use std::process::ExitCode;

use qchroot_release_pkgbase::Pkgbase;
use qchroot_testkit::behavior;

mod pkg;

fn main() -> ExitCode {
    behavior::main(behavior::source(
        || Box::new(Pkgbase),
        |host| {
            pkg::plant(host);
            pkg::wish()
        },
    ))
}
