//! Programs of a FreeBSD host: ELF files as a linker makes them, for FreeBSD's loader, on a fake machine.

use std::fs;
use std::sync::{Arc, Mutex};

use qchroot_api::{ErrorKind, Output, Release, ReleaseSource, ReleaseWish, Result, toml};
use qchroot_engine::{Host, Workplace};
use qchroot_release_minimal::Minimal;
use qchroot_testkit::FakeHost;

use crate::support::compile;

const STAGING: &str = "/q/staging";
const HINTS: &str = "/var/run/ld-elf.so.hints";

/// `struct elfhints_hdr` of `sys/elf-hints.h`, with the directories of a host that has packages.
fn hints() -> Vec<u8> {
    let dirs = b"/lib:/usr/lib:/usr/local/lib\0";
    let length = u32::try_from(dirs.len() - 1).unwrap();
    let mut bytes: Vec<u8> =
        [0x746e_6845, 1, 128, length + 1, 0, length].iter().flat_map(|n: &u32| n.to_le_bytes()).collect();
    bytes.resize(128, 0);
    bytes.extend(dirs);
    bytes
}

/// A host with a program that needs libc, a library of a package, and one that another stands in for.
fn host() -> FakeHost {
    let dir = tempfile::tempdir().unwrap();
    let library = |name: &str| {
        let file = dir.path().join(name);
        compile("", &file, &["-shared", "-nostdlib", &format!("-Wl,-soname,{name}")]);
        fs::read(file).unwrap()
    };
    let host = FakeHost::freebsd();
    for (path, name) in [
        ("/lib/libc.so.7", "libc.so.7"),
        ("/usr/local/lib/libthing.so.1", "libthing.so.1"),
        ("/usr/local/lib/libold.so.1", "libold.so.1"),
    ] {
        host.plant_bytes(path, &library(name), 0o444);
    }
    host.plant_bytes("/usr/lib/libnew.so.2", &library("libnew.so.2"), 0o444);
    let program = dir.path().join("program");
    let needed = ["libc.so.7", "libthing.so.1", "libold.so.1"].map(|name| dir.path().join(name));
    let needed: Vec<&str> = needed.iter().map(|path| path.to_str().unwrap()).collect();
    let linker = ["-nostdlib", "-Wl,--no-as-needed,--dynamic-linker=/libexec/ld-elf.so.1"];
    compile("void _start(void) {}", &program, &[&linker[..], &needed].concat());
    host.plant_bytes("/usr/local/sbin/thing", &fs::read(program).unwrap(), 0o555);
    host.plant_file("/libexec/ld-elf.so.1", "rtld", 0o555);
    host.plant_file("/etc/libmap.conf", "# of this host\nincludedir /usr/local/etc/libmap.d\n", 0o644);
    host.plant_file(
        "/usr/local/etc/libmap.d/new.conf",
        "libold.so.1\tlibnew.so.2 # newer\n[other]\nlibc.so.7 x\n",
        0o644,
    );
    host.plant_bytes(HINTS, &hints(), 0o444);
    host.plant_dir(STAGING, 0o755);
    host
}

fn resolve(host: &FakeHost) -> Result<Release> {
    let options = toml::toml! { programs = ["/usr/local/sbin/thing"] };
    Minimal.resolve(&ReleaseWish { options, ..ReleaseWish::default() }, host)
}

#[test]
fn libraries_are_found_where_rtld_finds_them() {
    let host = host();
    let asked = Arc::new(Mutex::new(String::new()));
    let heard = Arc::clone(&asked);
    host.on_run("pwd_mkdb", move |argv| {
        *heard.lock().unwrap() = argv.join(" ");
        Output { status: 0, stdout: String::new(), stderr: String::new() }
    });
    let release = resolve(&host).unwrap();
    let mut show = |_: &qchroot_api::Progress| {};
    Minimal.fill(&release, &mut *host.work(&Workplace::beside(STAGING.into()), &mut show).unwrap()).unwrap();
    let all = host.files([STAGING]).to_string();
    let has = |path: &str| all.lines().any(|line| line.starts_with(&format!("{STAGING}/{path}: ")));
    for path in [
        "libexec/ld-elf.so.1",
        "lib/libc.so.7",
        "usr/local/lib/libthing.so.1",
        "usr/lib/libnew.so.2",
        "var/run/ld-elf.so.hints",
        "usr/local/etc/libmap.d/new.conf",
        "etc/master.passwd",
    ] {
        assert!(has(path), "{path} is missing");
    }
    assert!(!has("usr/local/lib/libold.so.1"), "another stands in for it");
    let etc = format!("{STAGING}/etc");
    assert_eq!(*asked.lock().unwrap(), format!("pwd_mkdb -i -p -d {etc} {etc}/master.passwd"));
}

#[test]
fn a_library_of_a_package_needs_the_hints() {
    let host = host();
    host.uproot(HINTS);
    let error = resolve(&host).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.message().contains("libthing.so.1"), "{error}");
    assert!(error.causes()[0].contains("/lib/casper, /lib, /usr/lib"), "{error:?}");
}
