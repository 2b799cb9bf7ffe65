//! What is refused, and that names mean nothing but themselves.

use std::fs;
use std::os::unix::fs::symlink;

use qchroot_api::{ErrorKind, toml};

use crate::support::{Lab, fill, inside, paths, resolve};

#[track_caller]
fn refused(options: toml::Table, kind: ErrorKind, parts: &[&str]) {
    let error = resolve(options).unwrap_err();
    let said = format!("{error} {:?} {:?}", error.causes(), error.hint_text());
    assert_eq!(error.kind(), kind, "{said}");
    for part in parts {
        assert!(said.contains(part), "{part}: {said}");
    }
}

fn programs(path: &str) -> toml::Table {
    toml::toml! { programs = [path] }
}

#[test]
fn options_that_make_no_sense() {
    refused(toml::Table::new(), ErrorKind::Config, &["needs the option programs"]);
    refused(toml::toml! { programs = ["ls"] mode = "move" }, ErrorKind::Config, &["minimal", "move"]);
    refused(programs("bin/ls"), ErrorKind::Config, &["\"bin/ls\" is neither a name nor an absolute path"]);
    refused(programs("no-such-program"), ErrorKind::NotFound, &["no-such-program", "install it"]);
    refused(programs("/etc/passwd"), ErrorKind::BadData, &["/etc/passwd", "is no program", "files"]);
    refused(programs("/usr"), ErrorKind::BadData, &["is no program"]);
    for top in ["/", "/dev", "/proc/", "/proc/../sys"] {
        refused(
            toml::toml! { programs = ["ls"] files = [top] },
            ErrorKind::Config,
            &["cannot be taken along"],
        );
    }
    refused(toml::toml! { programs = ["ls"] files = ["etc"] }, ErrorKind::Config, &["not an absolute path"]);
    refused(toml::toml! { programs = ["ls"] files = ["/no/such"] }, ErrorKind::NotFound, &["/no/such"]);
    refused(
        toml::toml! { programs = ["ls"] files = ["/dev/null"] },
        ErrorKind::BadData,
        &["/dev/null is neither"],
    );
}

#[test]
fn programs_that_are_none() {
    let lab = Lab::new();
    let path = |name: &str| lab.host.join(name).to_str().unwrap().to_owned();
    let cases: [(&str, &[u8], ErrorKind, &str); 7] = [
        ("plain", b"echo hello\n", ErrorKind::BadData, "is no program"),
        ("gone", b"#!/no/such/interpreter\n", ErrorKind::NotFound, "which the script"),
        ("env", b"#!/usr/bin/env no-such-language\n", ErrorKind::NotFound, "no-such-language"),
        ("relative", b"#!sh\n", ErrorKind::BadData, "no absolute path"),
        ("endless", b"#!/x", ErrorKind::BadData, "longer than the kernel reads"),
        ("cut", b"\x7fELF", ErrorKind::BadData, "damaged"),
        ("half", &fs::read("/bin/ls").unwrap()[..4000], ErrorKind::BadData, "damaged"),
    ];
    for (name, content, kind, said) in cases {
        lab.program(name, content);
        refused(programs(&path(name)), kind, &[name, said]);
    }
    let own = format!("#!{}\n", path("loop"));
    lab.script("loop", &own);
    lab.script("starts", &format!("#!{}\n", path("again")));
    lab.script("again", &format!("#!{}\n", path("more")));
    lab.script("more", &format!("#!{}\n", path("yet")));
    lab.script("yet", &format!("#!{}\n", path("still")));
    lab.script("still", "#!/bin/sh\n");
    refused(programs(&path("starts")), ErrorKind::BadData, &["without end"]);
    symlink("circle", lab.host.join("circle")).unwrap();
    refused(programs(&path("circle")), ErrorKind::NotFound, &["circle"]);
}

#[test]
fn damaged_programs_never_break_the_reader() {
    let lab = Lab::new();
    let whole = fs::read("/bin/true").unwrap();
    let path = lab.host.join("bent").to_str().unwrap().to_owned();
    for at in (0..900).step_by(7) {
        for byte in [0xff, 0x00] {
            let mut bent = whole.clone();
            bent[at] = byte;
            lab.program("bent", &bent);
            // Whatever it says: an answer, soon.
            let _ = resolve(programs(&path));
        }
    }
}

#[test]
fn names_are_only_names() {
    let lab = Lab::new();
    let names = ["a b", "new\nline", "-rf", "$(id)", "\u{1b}[31mred", "..x", "ünï", "\"quoted\""];
    fs::create_dir_all(lab.host.join("data/deep")).unwrap();
    for name in names {
        fs::write(lab.host.join("data/deep").join(name), name).unwrap();
    }
    symlink("deep/a b", lab.host.join("data/link")).unwrap();
    symlink("nowhere", lab.host.join("data/dangling")).unwrap();
    symlink("..", lab.host.join("data/deep/up")).unwrap();
    fs::create_dir(lab.host.join("beside")).unwrap();
    fs::write(lab.host.join("beside/secret"), "x").unwrap();
    let data = lab.host.join("data").to_str().unwrap().to_owned();
    let link = format!("{data}/link");
    let release = resolve(toml::toml! { programs = ["cat"] files = [data] }).unwrap();
    fill(&release, &lab.root).unwrap();
    let below = lab.host.strip_prefix("/").unwrap();
    for name in names {
        let path = lab.root.join(below).join("data/deep").join(name);
        assert_eq!(fs::read_to_string(path).unwrap(), name);
    }
    assert_eq!(inside(&lab.root, &["cat", &link]), "a b");
    assert!(fs::read_link(lab.root.join(below).join("data/dangling")).is_ok());
    assert!(!paths(&lab.root).iter().any(|path| path.contains("secret")));
}

#[test]
fn the_same_host_gives_the_same_digest_and_another_another() {
    let lab = Lab::new();
    let file = lab.host.join("file");
    fs::write(&file, "one").unwrap();
    let path = file.to_str().unwrap().to_owned();
    let of = |mode: &str| {
        let (path, mode) = (path.clone(), mode.to_owned());
        resolve(toml::toml! { programs = ["true"] files = [path] mode = mode }).unwrap()
    };
    let first = of("copy");
    assert_eq!(first.digest, of("copy").digest);
    assert_ne!(first.digest, of("reflink").digest);
    fs::write(&file, "two").unwrap();
    assert_ne!(first.digest, of("copy").digest);

    let error = fill(&first, &lab.root).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadData);
    assert!(error.message().contains("changed while they were taken"), "{error}");
}
