//! The program `qchroot-acceptance`.

use std::process::ExitCode;

fn main() -> ExitCode {
    acceptance::main()
}
