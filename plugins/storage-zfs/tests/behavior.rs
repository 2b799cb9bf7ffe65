//! What every storage must do, of this one.

use std::process::ExitCode;

use qchroot_storage_zfs::Zfs;
use qchroot_testkit::behavior;

fn main() -> ExitCode {
    behavior::main(behavior::storage(|| Box::new(Zfs)))
}
