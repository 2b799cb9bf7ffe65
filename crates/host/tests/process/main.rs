//! Processes on the real kernel, as root: programs inside, init, services, guards. This program is also what
//! the tests start: a caller of `enter`, a holder of a guard, a supervisor.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr, reason = "a test program")]

mod cell;
mod enter;
mod guard;
mod init;
mod roles;
mod rules;
mod sandbox;
mod sandbox_life;
mod service;
mod service_end;
mod service_ready;
mod support;
mod terminal;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    if let Some(status) = qchroot_host::supervise_main().or_else(roles::play) {
        return ExitCode::from(u8::try_from(status).unwrap());
    }
    assert!(nix::unistd::geteuid().is_root(), "these tests start containers: run them as root");
    support::hide_mounts();
    let _busybox = support::copy_busybox();
    let tests = [
        enter::tests(),
        rules::tests(),
        terminal::tests(),
        init::tests(),
        service::tests(),
        service_ready::tests(),
        service_end::tests(),
        guard::tests(),
        sandbox::tests(),
        sandbox_life::tests(),
    ];
    let trials = tests.into_iter().flatten().map(|(name, test)| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}
