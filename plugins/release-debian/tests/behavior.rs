//! What every release source must do, on a machine in memory whose mmdebstrap writes two files.

use std::process::ExitCode;

use qchroot_api::{Output, ReleaseWish};
use qchroot_release_debian::Debian;
use qchroot_testkit::{FakeHost, behavior};

fn main() -> ExitCode {
    behavior::main(behavior::source(|| Box::new(Debian), prepare))
}

fn prepare(host: &FakeHost) -> ReleaseWish {
    let release = "ID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n";
    host.plant_file("/etc/os-release", release, 0o644);
    host.plant_file("/etc/apt/sources.list", "deb http://deb.debian.org/debian bookworm main\n", 0o644);
    host.on_run("apt-config", |_| output());
    let machine = host.clone();
    host.on_run("mmdebstrap", move |argv| {
        let words = argv.iter().skip_while(|word| *word != "--").skip(2);
        for root in words.take(1) {
            machine.plant_file(format!("{root}/usr/bin/true"), "", 0o755);
            machine.plant_file(format!("{root}/etc/debian_version"), "12.0\n", 0o644);
        }
        output()
    });
    ReleaseWish::default()
}

fn output() -> Output {
    Output { status: 0, stdout: String::new(), stderr: String::new() }
}
