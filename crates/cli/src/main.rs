//! The entry point of `qchroot`, and of the helper processes that it starts from itself.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    qchroot_host::plugin_main();
    match qchroot_host::supervise_main() {
        Some(status) => ExitCode::from(u8::try_from(status).unwrap_or(70)),
        None => qchroot::main(),
    }
}
