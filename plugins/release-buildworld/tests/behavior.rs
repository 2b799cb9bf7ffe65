//! What every release source must do, on a machine in memory whose make installs two files.

use std::process::ExitCode;

use qchroot_api::{Output, ReleaseWish};
use qchroot_release_buildworld::Buildworld;
use qchroot_testkit::{FakeHost, behavior};

fn main() -> ExitCode {
    behavior::main(behavior::source(|| Box::new(Buildworld), prepare))
}

fn prepare(host: &FakeHost) -> ReleaseWish {
    host.plant_file("/usr/src/sys/conf/newvers.sh", "REVISION=\"14.1\"\nBRANCH=\"RELEASE\"\n", 0o644);
    host.plant_file("/usr/src/Makefile", "TGTS= installworld distribution\n", 0o644);
    for machine in ["amd64.amd64", "arm64.aarch64"] {
        host.plant_bytes(format!("/usr/obj/usr/src/{machine}/bin/sh/sh"), &program(), 0o555);
    }
    let machine = host.clone();
    host.on_run("fakemake", move |argv| make(&machine, argv));
    let make = ("make".to_owned(), "fakemake".into());
    ReleaseWish { options: [make].into_iter().collect(), ..ReleaseWish::default() }
}

fn make(machine: &FakeHost, argv: &[String]) -> Output {
    let root = argv.iter().find_map(|word| word.strip_prefix("DESTDIR=")).unwrap_or("/evil");
    for (goal, path) in [("installworld", "bin/sh"), ("distribution", "etc/group")] {
        if argv.iter().any(|word| word == goal) {
            machine.plant_file(format!("{root}/{path}"), "", 0o555);
        }
    }
    Output { status: 0, stdout: String::new(), stderr: String::new() }
}

/// A program for this machine that needs nothing; elf(5).
fn program() -> Vec<u8> {
    let mut elf = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0];
    elf.resize(64, 0);
    let number: u16 = if cfg!(target_arch = "aarch64") { 183 } else { 62 };
    elf[18..20].copy_from_slice(&number.to_le_bytes());
    elf
}
