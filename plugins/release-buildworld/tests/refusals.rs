//! What is found before anything is installed, and what is found before it is used.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot prepare has failed")]

mod support;

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, SystemTime};

use qchroot_api::{Error, ErrorKind, Release, ReleaseSource, Result, toml};
use qchroot_host::Machine;
use qchroot_release_buildworld::Buildworld;
use support::World;

#[track_caller]
fn refused(result: Result<Release>, kind: ErrorKind, words: &[&str]) {
    says(&result.unwrap_err(), kind, words);
}

#[track_caller]
fn says(error: &Error, kind: ErrorKind, words: &[&str]) {
    let text = format!("{error} {}", error.hint_text().unwrap_or(""));
    assert!(error.kind() == kind && words.iter().all(|word| text.contains(word)), "{kind:?} {text}");
}

#[test]
fn what_is_no_source_tree_is_named() {
    let world = World::of("world");
    let nowhere = world.src.with_file_name("nowhere");
    let with = |key: &str, value: &str| toml::Table::from_iter([(key.to_owned(), value.into())]);
    refused(
        world.resolve(with("src", nowhere.as_str())),
        ErrorKind::NotFound,
        &[nowhere.as_str(), "newvers.sh"],
    );
    world.write("sys/conf/newvers.sh", "REVISION=$(rm -rf /)\nBRANCH=RELEASE\n");
    refused(world.resolve(toml::Table::new()), ErrorKind::BadData, &["newvers.sh", "REVISION"]);
}

#[test]
fn a_world_that_is_not_built_or_not_here_is_named() {
    let world = World::of("world");
    let (src, obj) = (world.src.as_str(), world.obj.as_str());
    refused(world.resolve(toml::Table::new()), ErrorKind::NotFound, &[src, obj, "bin/sh/sh", "buildworld"]);
    world.build(&[]);
    world.resolve(toml::Table::new()).unwrap();
    refused(world.resolve(toml::toml! { objdir = "/nowhere" }), ErrorKind::NotFound, &["/nowhere"]);
    refused(
        world.resolve(toml::toml! { target = "riscv64" }),
        ErrorKind::NotFound,
        &["riscv64", "there is one for"],
    );
    refused(world.resolve(toml::toml! { target = "vax" }), ErrorKind::Config, &["vax"]);
}

#[test]
fn an_unfinished_world_is_named() {
    let world = World::built();
    fs::remove_file(world.objects().join("usr.sbin/vipw/vipw")).unwrap();
    refused(world.resolve(toml::Table::new()), ErrorKind::BadData, &["not complete", "usr.sbin/vipw/vipw"]);
}

#[test]
fn objects_for_another_machine_are_named() {
    let world = World::built();
    let objects = world.objects();
    let other = objects.with_file_name("riscv.riscv64");
    fs::rename(&objects, &other).unwrap();
    refused(
        world.resolve(toml::toml! { target = "riscv64" }),
        ErrorKind::BadData,
        &[other.as_str(), "riscv64", "for a"],
    );
    fs::rename(&other, &objects).unwrap();
    fs::remove_file(objects.join("bin/sh/sh")).unwrap();
    fs::write(objects.join("bin/sh/sh"), "#!/bin/sh\n").unwrap();
    refused(world.resolve(toml::Table::new()), ErrorKind::BadData, &["bin/sh/sh", "no program"]);
}

#[test]
fn objects_of_another_version_than_the_tree_are_named() {
    let world = World::built();
    program_of(&world, 1_401_000);
    world.resolve(toml::Table::new()).unwrap();
    program_of(&world, 1_302_000);
    refused(
        world.resolve(toml::Table::new()),
        ErrorKind::BadData,
        &["1302000", "1401000", "make buildworld"],
    );
}

/// Puts a program in the shell's place that says it was made on a FreeBSD of this version.
fn program_of(world: &World, version: u32) {
    let at = world.objects().join("bin/sh/sh");
    fs::remove_file(&at).unwrap();
    let note = format!(
        ".section .note.tag,\"a\",%note\n.balign 4\n.long 8,4,1\n.ascii \"FreeBSD\\0\"\n.long {version}\n\
         .text\n.globl _start\n_start: nop\n"
    );
    let text = world.src.with_file_name("note.s");
    fs::write(&text, note).unwrap();
    #[expect(clippy::disallowed_methods, reason = "to have a real program")]
    let mut gcc = std::process::Command::new("gcc");
    let output = gcc.args(["-nostdlib", "-static", "-o", at.as_str(), text.as_str()]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_tree_that_went_on_after_the_build_is_named() {
    let world = World::built();
    let newvers = File::options().write(true).open(world.src.join("sys/conf/newvers.sh")).unwrap();
    newvers.set_modified(SystemTime::now() + Duration::from_secs(60)).unwrap();
    refused(
        world.resolve(toml::Table::new()),
        ErrorKind::BadData,
        &["after its world was built", "--any-release"],
    );
    let mut wish = world.wish(toml::Table::new());
    wish.any = true;
    Buildworld.resolve(&wish, &Machine::new()).unwrap();
}

#[test]
fn fewer_knobs_than_the_build_had_are_found_before_the_install() {
    let world = World::of("world");
    world.build(&[("WITHOUT_GAMES", "yes")]);
    refused(
        world.resolve(toml::Table::new()),
        ErrorKind::BadData,
        &["without GAMES", "WITHOUT_GAMES", "fortune"],
    );
    world.fill(&world.resolve(toml::toml! { knobs = ["WITHOUT_GAMES"] }).unwrap()).unwrap();
}

#[test]
fn more_knobs_than_the_build_can_bear_are_found_before_the_userland_is_used() {
    let world = World::built();
    let release = world.resolve(toml::toml! { knobs = ["WITHOUT_NIS"] }).unwrap();
    let error = world.fill(&release).unwrap_err();
    says(&error, ErrorKind::BadData, &["/usr/bin/ypcat", "libypclnt.so.4", "knob"]);
}

#[test]
fn knobs_that_would_not_do_what_they_say_are_refused() {
    let world = World::built();
    let knobs = |knob: &str| world.resolve(toml::Table::from_iter([("knobs".to_owned(), vec![knob].into())]));
    refused(knobs("WITHOUT_GAMSE"), ErrorKind::Config, &["WITHOUT_GAMSE", "src.conf"]);
    refused(knobs("NO_GAMES"), ErrorKind::Config, &["NO_GAMES", "WITHOUT_GAMES"]);
    refused(knobs("WITHOUT_GAMES=no"), ErrorKind::Config, &["WITHOUT_GAMES=no", "leave WITHOUT_GAMES out"]);
    for bad in ["DESTDIR=/", "PATH=/evil", "LD_PRELOAD=x", "-n", "__MAKE_CONF=/x", "WITHOUT_GAMES=a\nPATH=b"]
    {
        assert_eq!(knobs(bad).unwrap_err().fact("key"), Some("knobs"), "{bad}");
    }
    refused(world.resolve(toml::toml! { profile = "tiny" }), ErrorKind::Config, &["tiny", "trimmed"]);
    refused(world.resolve(toml::toml! { make = "no-such-make" }), ErrorKind::Unavailable, &["no-such-make"]);
}

#[test]
fn a_tree_that_anybody_can_write_to_is_not_run_as_root() {
    let world = World::built();
    fs::set_permissions(&world.src, fs::Permissions::from_mode(0o777)).unwrap();
    refused(world.resolve(toml::Table::new()), ErrorKind::Permission, &[world.src.as_str(), "chmod"]);
}
