//! What every source must do, of this one.

#![expect(clippy::expect_used, reason = "a test that cannot prepare has failed")]

use std::fs;
use std::process::ExitCode;

use qchroot_api::camino::Utf8Path;
use qchroot_api::{ReleaseSource, ReleaseWish, toml};
use qchroot_release_tarball::Tarball;
use qchroot_testkit::{FakeHost, behavior};

fn main() -> ExitCode {
    let real = behavior::source_on_machine(make, on_machine)
        .another(|wish| drop(wish.options.insert("path".into(), other(&wish.options).into())))
        .unchecked(|dir| ReleaseWish { any: false, ..on_machine(dir) })
        .damaged(damaged, "usr/bin/tool");
    let mut trials = behavior::source(make, on_fake);
    trials.extend(real.trials());
    behavior::main(trials)
}

fn make() -> Box<dyn ReleaseSource> {
    Box::new(Tarball)
}

/// A tiny userland.
fn archive(tool: &str) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, content) in [("usr/bin/tool", tool), ("etc/motd", "hello\n")] {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o755);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(1_700_000_000);
        tar.append_data(&mut header, name, content.as_bytes()).expect("an entry fits");
    }
    tar.into_inner().expect("an archive in memory")
}

fn wish(path: &Utf8Path) -> ReleaseWish {
    let options = toml::Table::from_iter([("path".to_owned(), path.as_str().into())]);
    ReleaseWish { release: None, any: true, options }
}

fn on_fake(host: &FakeHost) -> ReleaseWish {
    host.plant_bytes("/srv/tiny-1.0.tar", &archive("#!/bin/sh\n"), 0o644);
    wish("/srv/tiny-1.0.tar".into())
}

fn on_machine(dir: &Utf8Path) -> ReleaseWish {
    fs::write(dir.join("tiny-1.0.tar"), archive("#!/bin/sh\n")).expect("an archive");
    fs::write(dir.join("other.tar"), archive("#!/bin/ksh\n")).expect("another archive");
    wish(&dir.join("tiny-1.0.tar"))
}

fn other(options: &toml::Table) -> String {
    options["path"].as_str().unwrap_or_default().replace("tiny-1.0", "other")
}

fn damaged(dir: &Utf8Path) -> ReleaseWish {
    let wish = on_machine(dir);
    let whole = archive("#!/bin/sh\n");
    fs::write(dir.join("tiny-1.0.tar"), &whole[..600]).expect("a part of an archive");
    wish
}
