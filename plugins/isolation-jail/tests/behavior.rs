//! What every isolation must do, of this one.

use std::process::ExitCode;

use qchroot_isolation_jail::Jail;
use qchroot_testkit::behavior;

fn main() -> ExitCode {
    behavior::main(behavior::isolation(|| Box::new(Jail)))
}
