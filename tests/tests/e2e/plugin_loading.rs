//! Which files are used as plug-ins: the superuser's own, made for this machine and this border, by their right names.
//! What is refused is named, and what the hint says mends it.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::plugins::built;
use crate::program::Ran;
use crate::world::World;

const STRANGER: u32 = 4242;

/// A system with the plug-in, and its file.
fn with_thing() -> (World, PathBuf) {
    let world = World::new();
    let file = world.put_plugin("acme.thing", &built("thing"));
    (world, file)
}

fn install(world: &World) -> Ran {
    world.run(["install", "--source", "acme.thing"])
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Asserts that the plug-in is refused because of `blamed`, and that it is used once the hint was followed.
#[track_caller]
fn refused_until_mended(world: &World, blamed: &Path) {
    let said = install(world).fails(77, &[blamed.to_str().unwrap(), "a plug-in runs as root"]);
    let hint = said.split('`').nth(1).unwrap_or_else(|| panic!("no command in {said}"));
    let mut words = hint.split(' ');
    assert!(Command::new(words.next().unwrap()).args(words).status().unwrap().success(), "{hint}");
    install(world).ok();
}

#[test]
fn what_others_may_write_to_is_no_plugin_until_it_is_mended() {
    let spoil: [fn(&Path); 8] = [
        |file| chown(file, Some(STRANGER), None).unwrap(),
        |file| mode(file, 0o664),
        |file| mode(file, 0o646),
        |file| chown(file.parent().unwrap(), Some(STRANGER), None).unwrap(),
        |file| mode(file.parent().unwrap(), 0o775),
        |file| mode(file.parent().unwrap(), 0o1777),
        |file| chown(file.ancestors().nth(2).unwrap(), Some(STRANGER), None).unwrap(),
        |file| mode(file.ancestors().nth(3).unwrap(), 0o757),
    ];
    for (number, spoil) in spoil.iter().enumerate() {
        let (world, file) = with_thing();
        spoil(&file);
        let blamed = file.ancestors().nth([0, 0, 0, 1, 1, 1, 2, 3][number]).unwrap();
        refused_until_mended(&world, blamed);
    }
}

#[test]
fn a_link_is_followed_only_where_all_that_it_leads_through_is_the_superusers() {
    let (world, file) = with_thing();
    let away = world.dir().join("away");
    fs::create_dir(&away).unwrap();
    let library = away.join("thing-0.3.1.so");
    fs::rename(&file, &library).unwrap();
    symlink("../../away/thing-0.3.1.so", &file).unwrap();
    install(&world).ok();
    for blamed in [&library, &away] {
        chown(blamed, Some(STRANGER), None).unwrap();
        refused_until_mended(&world, blamed);
    }
    mode(&away, 0o1777);
    refused_until_mended(&world, &away);
    std::os::unix::fs::lchown(&file, Some(STRANGER), None).unwrap();
    refused_until_mended(&world, &file);
}

#[test]
fn what_is_no_regular_file_is_not_opened() {
    let (world, file) = with_thing();
    fs::remove_file(&file).unwrap();
    assert!(Command::new("mkfifo").arg(&file).status().unwrap().success());
    install(&world).fails(76, &["acme.thing.so is no regular file"]);
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    install(&world).fails(76, &["acme.thing.so is no regular file"]);
    fs::remove_dir(&file).unwrap();
    symlink("acme.thing.so", &file).unwrap();
    install(&world).fails(76, &["too many links"]);
    fs::remove_file(&file).unwrap();
    symlink("gone.so", &file).unwrap();
    install(&world).fails(66, &["cannot look at", "gone.so: no such file"]);
}

/// The library with bytes at `offset` replaced.
fn patched(bytes: &[u8], offset: usize, with: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[offset..offset + with.len()].copy_from_slice(with);
    bytes
}

/// The library with the text `from`, which is there once, replaced by one that is as long.
#[track_caller]
fn reworded(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let found: Vec<usize> = bytes
        .windows(from.len())
        .enumerate()
        .filter(|(_, at)| *at == from.as_bytes())
        .map(|(n, _)| n)
        .collect();
    assert_eq!((found.len(), from.len()), (1, to.len()), "{from}");
    patched(bytes, found[0], to.as_bytes())
}

/// Asserts that a library of these bytes is refused with these words.
#[track_caller]
fn refused(bytes: &[u8], words: &[&str]) {
    let (world, file) = with_thing();
    fs::write(&file, bytes).unwrap();
    let said = install(&world).fails(76, words);
    assert!(said.lines().count() <= 2 && said.len() < 1000, "{said}");
    assert!(said.contains(file.to_str().unwrap()), "{said}");
}

#[test]
fn a_file_that_is_no_library_for_this_machine_is_told_what_it_is() {
    let good = fs::read(built("thing")).unwrap();
    refused(b"", &["is no shared library: it is not an ELF file"]);
    refused(b"#!/bin/sh\necho owned >&2\n", &["it is not an ELF file"]);
    refused(&good[..good.len() / 2], &["is damaged, or cut off"]);
    refused(&good[..20], &["is damaged, or cut off"]);
    // The fields of elf(5): e_ident[EI_OSABI], e_type, e_machine.
    refused(&patched(&good, 7, &[9]), &["is made for FreeBSD, and this is linux"]);
    refused(&patched(&good, 16, &[2]), &["is an ELF file, but no shared library"]);
    let machine = if cfg!(target_arch = "aarch64") { (62, "x86_64") } else { (183, "aarch64") };
    refused(&patched(&good, 18, &[machine.0]), &["is made for", machine.1, std::env::consts::ARCH]);
    refused(&patched(&good, 18, &[248]), &["is made for machine number 248 (64 bits, little-endian)"]);
}

#[test]
fn a_library_that_is_no_plugin_for_this_border_is_told_apart() {
    let good = fs::read(built("thing")).unwrap();
    let border = qchroot_border(&good);
    let other = |number: &str| {
        reworded(&good, &format!(r#"{{"border":"{border}""#), &format!(r#"{{"border":"{number}""#))
    };
    refused(&other("9.0.0"), &["built for border 9.0.0", &border, "hint: a newer qchroot takes it"]);
    refused(&other("1.9.9"), &["built for border 1.9.9", "hint: a newer qchroot takes it"]);
    refused(&other("0.9.0"), &["built for border 0.9.0", "hint: ask its author"]);
    refused(&other("x.y.z"), &["\"x.y.z\" is no version"]);
    refused(&reworded(&good, r#"{"border":""#, "no header: "), &["its header cannot be read"]);
    refused(
        &reworded(&good, r#""kind":"release-source""#, r#""kind":"shared-storage""#),
        &["is the storage acme.thing, and is not"],
    );
    refused(
        &reworded(&good, r#""name":"acme.thing""#, r#""name":"acme.other""#),
        &["holds the release source acme.other", "hint: call the file acme.other.so"],
    );
    refused(
        &reworded(&good, r#""name":"acme.thing""#, r#""name":"acme_thing""#),
        &["calls itself \"acme_thing\"", "have a dot"],
    );
    let libc = fs::read(format!("/lib/{}-linux-gnu/libm.so.6", std::env::consts::ARCH)).unwrap();
    refused(&libc, &["is no plug-in of qchroot's"]);
}

/// The version of the border that a library was built for.
fn qchroot_border(bytes: &[u8]) -> String {
    let before = br#"{"border":""#;
    let at = bytes.windows(before.len()).position(|window| window == before).unwrap() + before.len();
    let end = at + bytes[at..].iter().position(|&byte| byte == b'"').unwrap();
    String::from_utf8(bytes[at..end].to_vec()).unwrap()
}

#[test]
fn a_library_that_needs_what_is_not_there_is_refused_with_the_loaders_words() {
    let good = fs::read(built("thing")).unwrap();
    let words =
        ["cannot be loaded", "libgcc_z.so.1: cannot open shared object file", "hint: install the library"];
    refused(&reworded(&good, "libgcc_s.so.1\0", "libgcc_z.so.1\0"), &words);
}

#[test]
fn a_name_leads_to_no_file_elsewhere_and_to_none_of_another_kind() {
    let (world, file) = with_thing();
    fs::copy(&file, world.root.join("b.c.so")).unwrap();
    for name in ["../b.c", "./acme.thing", "acme.thing/../acme.thing", "Acme.thing"] {
        world.run(["install", "--source", name]).fails(78, &["there is no release source named"]);
    }
    let hint =
        format!("hint: a plug-in of this name would be {}", file.with_file_name("acme.none.so").display());
    world
        .run(["install", "--source", "acme.none"])
        .fails(78, &["there is no release source named \"acme.none\"", &hint]);
    install(&world).ok();
    world
        .run(["create", "web", "--storage", "acme.thing"])
        .fails(78, &["acme.thing is a release source, and no storage", "hint: `qchroot plugin list`"]);
    assert!(!world.file("web").exists());
}

#[test]
fn only_what_the_settings_allow_is_opened() {
    let (world, file) = with_thing();
    let settings = world.root.join("etc/qchroot.toml");
    fs::create_dir(settings.parent().unwrap()).unwrap();
    let allow =
        |list: &str| fs::write(&settings, format!("format = 1\n[plugins]\nallow = {list}\n")).unwrap();
    allow("[\"acme.other\"]");
    install(&world).fails(
        77,
        &["the plug-in acme.thing is not allowed", "hint: add \"acme.thing\" to the list `allow`"],
    );
    allow("[]");
    // Nothing of it is looked into.
    fs::write(&file, "text").unwrap();
    install(&world).fails(77, &["not allowed"]);
    fs::copy(built("thing"), &file).unwrap();
    allow("[\"acme.other\", \"acme.thing\"]");
    install(&world).ok();
    allow("\"acme.thing\"");
    install(&world).fails(78, &["qchroot.toml:3:9", "expected a sequence"]);
}
