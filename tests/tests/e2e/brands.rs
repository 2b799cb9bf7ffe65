//! What a userland was made for is told by its own files, whatever the archive is called; one that this kernel
//! cannot run is kept and not entered.

use std::fs::{self, File};

use tar::{Builder, EntryType, Header};

use crate::userland;
use crate::world::World;

const FREEBSD: &[(&str, &str)] = &[
    ("bin/freebsd-version", "#!/bin/sh\nUSERLAND_VERSION=\"14.3-RELEASE-p2\"\n"),
    ("etc/rc.d/cron", "#!/bin/sh\n"),
    ("libexec/ld-elf.so.1", "the linker\n"),
    ("usr/libdata/ldscripts", "scripts\n"),
];

fn write(world: &World, files: &[(&str, &str)]) {
    let mut tar = Builder::new(File::create(world.archive()).unwrap());
    for (path, text) in files {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        header.set_mode(0o755);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(1_700_000_000);
        header.set_size(text.len() as u64);
        tar.append_data(&mut header, path, text.as_bytes()).unwrap();
    }
    tar.into_inner().unwrap();
}

fn described(world: &World) -> String {
    fs::read_to_string(world.lib("current/release.toml")).unwrap()
}

#[test]
fn a_freebsd_userland_is_recognised_split_as_one_and_not_entered() {
    let world = World::new();
    write(&world, FREEBSD);
    world.install("old-disk").ok();
    assert!(described(&world).contains("brand = \"freebsd\""), "{}", described(&world));
    for path in ["libexec/ld-elf.so.1", "usr/libdata/ldscripts", "bin/freebsd-version"] {
        assert!(world.lib("sharedfs").join(path).is_file(), "{path} is not shared");
    }
    world.run(["create", "web"]).ok();
    world.run(["config", "web", "cron"]).ok();
    let words =
        ["web has a FreeBSD userland, which this Linux kernel cannot run", "enter it on a FreeBSD host"];
    world.run(["start", "web"]).fails(69, &words);
    world.run(["console", "web"]).fails(125, &words);
    assert_eq!(world.run(["exec", "web", "true"]).status, 125);
    world.assert_quiet();
    world.run(["delete", "web"]).ok();
    world.assert_sound();
}

#[test]
fn programs_tell_more_than_texts_and_the_user_more_than_both() {
    let world = World::new();
    userland::write_with(&world.archive(), FREEBSD);
    world.install("mixed").ok();
    assert!(described(&world).contains("brand = \"linux\""), "busybox is Linux': {}", described(&world));
    world.run(["create", "web"]).ok();
    world.run(["exec", "web", "true"]).ok();

    let path = format!("path={}", world.archive().display());
    let said = ["-o", "version=said", "-o", "brand=freebsd"];
    let install = ["install", "--source", "tarball", "--any-release", "-o", &path];
    world.run(install.iter().chain(&said)).ok();
    assert!(described(&world).contains("brand = \"freebsd\""), "{}", described(&world));
}

#[test]
fn debian_on_freebsds_kernel_is_laid_out_as_a_linux_userland() {
    let world = World::new();
    let name = "NAME=\"Debian GNU/kFreeBSD\"\nID=debian\nVERSION_ID=\"7\"\n";
    write(&world, &[("etc/os-release", name), ("usr/games/rogue", "rogue\n"), ("bin/sh", "sh\n")]);
    world.install("wheezy").ok();
    assert!(described(&world).contains("brand = \"kfreebsd\""), "{}", described(&world));
    assert!(world.lib("sharedfs/usr/games/rogue").is_file());
    world.run(["create", "web"]).ok();
    world.run(["console", "web"]).fails(125, &["a GNU/kFreeBSD userland"]);
}

#[test]
fn what_says_nothing_is_what_its_source_says() {
    let world = World::new();
    write(&world, &[("srv/data", "data\n")]);
    world.install("data").ok();
    assert!(described(&world).contains("brand = \"linux\""), "{}", described(&world));
}
