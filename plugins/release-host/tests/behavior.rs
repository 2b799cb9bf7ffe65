//! What every source must do, of this one: on this machine with the few packages that nothing can do without, and
//! on a small Ubuntu and a small FreeBSD in memory.

use std::process::ExitCode;

use qchroot_api::{Observe, Platform, ReleaseWish, toml};
use qchroot_release_host::HostPackages;
use qchroot_testkit::{FakeHost, behavior};

mod bsd;
mod ubuntu;

fn main() -> ExitCode {
    let suite = behavior::source_on_machine(
        || Box::new(HostPackages),
        |_| ReleaseWish { options: toml::toml! { packages = ["tzdata"] }, ..ReleaseWish::default() },
    );
    let another = suite.another(|wish| drop(wish.options.insert("packages".into(), vec!["procps"].into())));
    let mut trials = another.trials();
    trials.extend(behavior::source(|| Box::new(HostPackages), prepare));
    behavior::main(trials)
}

fn prepare(host: &FakeHost) -> ReleaseWish {
    match (host as &dyn Observe).platform() {
        Ok(Platform::Freebsd) => bsd::plant(host),
        _ => ubuntu::plant(host),
    }
    ReleaseWish { any: true, ..ReleaseWish::default() }
}
