//! What every source must do, done with a program of this machine planted on a fake one.

#![expect(clippy::unwrap_used, reason = "a test that cannot prepare has failed")]

use std::fs;
use std::process::ExitCode;

use qchroot_api::{Output, ReleaseWish, toml};
use qchroot_release_minimal::Minimal;
use qchroot_testkit::{FakeHost, behavior};

fn main() -> ExitCode {
    behavior::main(behavior::source(|| Box::new(Minimal), wish))
}

/// A program, a script for it, a directory of settings. The suite looks at every byte many times: the smallest
/// library stands for the C library, and the loader is not looked into.
fn wish(host: &FakeHost) -> ReleaseWish {
    const SMALL: &str = "/lib/x86_64-linux-gnu/libBrokenLocale.so.1";
    host.plant_bytes("/bin/true", &fs::read("/bin/true").unwrap(), 0o755);
    host.plant_bytes("/lib/x86_64-linux-gnu/libc-2.so", &fs::read(SMALL).unwrap(), 0o755);
    host.plant_link("/lib/libc.so.6", "x86_64-linux-gnu/libc-2.so");
    host.plant_link("/lib64/ld-linux-x86-64.so.2", "../lib/ld.so");
    host.plant_file("/lib/ld.so", "the loader", 0o755);
    host.plant_file("/usr/bin/hello", "#!/bin/true\n", 0o755);
    host.on_run("pwd_mkdb", |_| Output { status: 0, stdout: String::new(), stderr: String::new() });
    host.plant_file("/etc/app/settings", "x = 1\n", 0o640);
    let options = toml::toml! { programs = ["/bin/true", "hello"] files = ["/etc/app"] mode = "link" };
    ReleaseWish { options, ..ReleaseWish::default() }
}
