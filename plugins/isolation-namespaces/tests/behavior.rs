//! What every isolation must do, of this one.

use std::process::ExitCode;

use qchroot_isolation_namespaces::Namespaces;
use qchroot_testkit::behavior;

fn main() -> ExitCode {
    behavior::main(behavior::isolation(|| Box::new(Namespaces)))
}
