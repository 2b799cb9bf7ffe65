//! What every source must do, of this one: with the few packages that nothing can do without.

use std::process::ExitCode;

use qchroot_api::{ReleaseWish, toml};
use qchroot_release_host::HostPackages;
use qchroot_testkit::behavior;

fn main() -> ExitCode {
    let suite = behavior::source_on_machine(
        || Box::new(HostPackages),
        |_| ReleaseWish { options: toml::toml! { packages = ["tzdata"] }, ..ReleaseWish::default() },
    );
    let another = suite.another(|wish| drop(wish.options.insert("packages".into(), vec!["procps"].into())));
    behavior::main(another.trials())
}
