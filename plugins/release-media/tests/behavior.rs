//! What every source must do, of this one: with a directory of sets, and with an image that is not mounted.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that cannot prepare has failed; images are made by a program"
)]

use std::fs;
use std::process::{Command, ExitCode};

use qchroot_api::{ReleaseWish, toml};
use qchroot_release_media::Media;
use qchroot_testkit::{FakeHost, behavior};
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

fn main() -> ExitCode {
    let mut trials = behavior::source(|| Box::new(Media), sets);
    trials.extend(behavior::source(|| Box::new(Media), image));
    trials.extend(behavior::source(|| Box::new(Media), tree));
    behavior::main(trials)
}

fn sets(host: &FakeHost) -> ReleaseWish {
    let mut tar = Builder::new(Vec::new());
    for file in ["bin/sh", "etc/rc.conf", "usr/bin/true"] {
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(1_700_000_000);
        header.set_mode(0o555);
        header.set_size(file.len() as u64);
        tar.append_data(&mut header, file, file.as_bytes()).unwrap();
    }
    let base = tar.into_inner().unwrap();
    let digest: String = Sha256::digest(&base).iter().map(|byte| format!("{byte:02x}")).collect();
    let manifest = format!("base.txz\t{digest}\t3\tbase\t\"Base system\"\ton\n");
    host.plant_file("/cdrom/usr/freebsd-dist/MANIFEST", &manifest, 0o644);
    host.plant_bytes("/cdrom/usr/freebsd-dist/base.txz", &base, 0o644);
    host.plant_file("/cdrom/bin/freebsd-version", "USERLAND_VERSION=\"14.3-RELEASE\"\n", 0o755);
    ReleaseWish { options: toml::toml! { path = "/cdrom" }, any: true, ..ReleaseWish::default() }
}

fn image(host: &FakeHost) -> ReleaseWish {
    let dir = tempfile::tempdir().unwrap();
    let (tree, iso) = (dir.path().join("tree"), dir.path().join("cd.iso"));
    for (path, text) in [("bin/sh", "shell"), ("etc/passwd", "root"), ("usr/bin/true", "true")] {
        fs::create_dir_all(tree.join(path).parent().unwrap()).unwrap();
        fs::write(tree.join(path), text).unwrap();
    }
    let mut make = Command::new("xorriso");
    make.args(["-as", "mkisofs", "-quiet", "-R", "--set_all_file_dates", "2024010100000000"]);
    make.args(["--modification-date=2024010100000000", "-o"]).arg(&iso).arg(&tree);
    assert!(make.output().unwrap().status.success());
    host.plant_bytes("/srv/cd.iso", &fs::read(&iso).unwrap(), 0o644);
    ReleaseWish { options: toml::toml! { path = "/srv/cd.iso" }, any: true, ..ReleaseWish::default() }
}

fn tree(host: &FakeHost) -> ReleaseWish {
    host.plant_file("/mnt/bin/sh", "shell", 0o755);
    host.plant_file("/mnt/etc/os-release", "ID=tiny\nVERSION_ID=1\n", 0o644);
    host.plant_link("/mnt/lib", "usr/lib");
    ReleaseWish { options: toml::toml! { path = "/mnt" }, any: true, ..ReleaseWish::default() }
}
