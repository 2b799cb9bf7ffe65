//! What every source must do, of this one.

#![expect(clippy::unwrap_used, reason = "a test that cannot prepare has failed")]

use std::process::ExitCode;

use qchroot_api::{ReleaseWish, toml};
use qchroot_release_distset::Distset;
use qchroot_testkit::{FakeHost, behavior};
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

fn main() -> ExitCode {
    behavior::main(behavior::source(|| Box::new(Distset), prepare))
}

/// A release of two sets.
fn prepare(host: &FakeHost) -> ReleaseWish {
    let base = set(&["bin/sh", "etc/rc.conf", "usr/bin/true"]);
    let lib32 = set(&["usr/lib32/libc.so.7"]);
    let row = |name: &str, set: &[u8], entries: usize| {
        let digest: String = Sha256::digest(set).iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{name}.txz\t{digest}\t{entries}\t{name}\t\"All of {name}\"\ton\n")
    };
    let manifest = row("base", &base, 3) + &row("lib32", &lib32, 1);
    host.plant_file("/srv/sets/MANIFEST", &manifest, 0o644);
    host.plant_bytes("/srv/sets/base.txz", &base, 0o644);
    host.plant_bytes("/srv/sets/lib32.txz", &lib32, 0o644);
    ReleaseWish {
        release: Some("14.3-RELEASE".into()),
        options: toml::toml! { url = "/srv/sets" profile = "full" },
        ..ReleaseWish::default()
    }
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
