//! What every source must do, of this one.

#![expect(clippy::unwrap_used, reason = "a test that cannot prepare has failed")]

use std::fs;
use std::process::ExitCode;

use qchroot_api::camino::Utf8Path;
use qchroot_api::{ReleaseSource, ReleaseWish, toml};
use qchroot_release_distset::Distset;
use qchroot_testkit::{FakeHost, behavior};
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

fn main() -> ExitCode {
    let real = behavior::source_on_machine(make, on_machine)
        .another(|wish| drop(wish.options.insert("profile".into(), "minimal".into())))
        .unchecked(unchecked)
        .damaged(damaged, "base.txz");
    let mut trials = behavior::source(make, on_fake);
    trials.extend(real.trials());
    behavior::main(trials)
}

fn make() -> Box<dyn ReleaseSource> {
    Box::new(Distset)
}

/// The files of a release of two sets.
fn files() -> [(&'static str, Vec<u8>); 3] {
    let base = set(&["bin/sh", "etc/rc.conf", "usr/bin/true"]);
    let lib32 = set(&["usr/lib32/libc.so.7"]);
    let row = |name: &str, set: &[u8], entries: usize| {
        let digest: String = Sha256::digest(set).iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{name}.txz\t{digest}\t{entries}\t{name}\t\"All of {name}\"\ton\n")
    };
    let manifest = row("base", &base, 3) + &row("lib32", &lib32, 1);
    [("MANIFEST", manifest.into()), ("base.txz", base), ("lib32.txz", lib32)]
}

fn wish(dir: &Utf8Path) -> ReleaseWish {
    let options = [("url", dir.as_str()), ("profile", "full")];
    let options = options.map(|(key, value)| (key.to_owned(), value.into()));
    ReleaseWish { release: Some("14.3-RELEASE".into()), any: false, options: toml::Table::from_iter(options) }
}

fn on_fake(host: &FakeHost) -> ReleaseWish {
    for (name, content) in files() {
        host.plant_bytes(format!("/srv/sets/{name}"), &content, 0o644);
    }
    wish("/srv/sets".into())
}

fn on_machine(dir: &Utf8Path) -> ReleaseWish {
    for (name, content) in files() {
        fs::write(dir.join(name), content).unwrap();
    }
    wish(dir)
}

/// A snapshot.
fn unchecked(dir: &Utf8Path) -> ReleaseWish {
    ReleaseWish { release: Some("15.0-CURRENT".into()), ..on_machine(dir) }
}

fn damaged(dir: &Utf8Path) -> ReleaseWish {
    let wish = on_machine(dir);
    let mut bytes = fs::read(dir.join("base.txz")).unwrap();
    bytes[600] ^= 1;
    fs::write(dir.join("base.txz"), bytes).unwrap();
    wish
}

fn set(files: &[&str]) -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    for file in files {
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(1_700_000_000);
        header.set_mode(0o555);
        header.set_size(file.len() as u64);
        tar.append_data(&mut header, file, file.as_bytes()).unwrap();
    }
    tar.into_inner().unwrap()
}
