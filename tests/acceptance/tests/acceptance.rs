//! The acceptance tests as one of the workspace's tests.

use std::process::ExitCode;

fn main() -> ExitCode {
    acceptance::main()
}
