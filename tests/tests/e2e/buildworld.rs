//! Worlds built from a source tree: the small one that the source's own tests build, with Debian's bmake.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program::Ran;
use crate::world::World;

/// A copy of the source tree beside the world's root, built.
fn source(world: &World) -> PathBuf {
    let src = world.dir().join("src");
    let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/release-buildworld/tests/world");
    host("cp", &["-R", tree.to_str().unwrap(), src.to_str().unwrap()], world.dir());
    fs::copy("/bin/busybox", src.join("busybox")).unwrap();
    build(&src, &[]);
    src
}

fn objects(src: &Path) -> PathBuf {
    src.with_file_name("obj")
}

fn build(src: &Path, knobs: &[&str]) {
    let prefix = format!("MAKEOBJDIRPREFIX={}", objects(src).display());
    let args = [&[prefix.as_str()], knobs, &["bmake", "buildworld"]].concat();
    host("env", &args, src);
}

fn host(program: &str, args: &[&str], dir: &Path) {
    let output = Command::new(program).args(args).current_dir(dir).env_remove("MAKEFLAGS").output().unwrap();
    assert!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn install(world: &World, src: &Path, more: &[&str]) -> Ran {
    let (src, objdir) = (format!("src={}", src.display()), format!("objdir={}", objects(src).display()));
    let args = ["install", "--source", "buildworld", "-o", &src, "-o", &objdir];
    world.run(args.iter().chain(more))
}

fn sh(world: &World, name: &str, script: &str) -> Ran {
    world.run(["exec", name, "--", "sh", "-c", script])
}

#[test]
fn a_container_runs_a_program_of_a_world_that_was_built_here() {
    let world = World::new();
    let src = source(&world);
    fs::write(src.join("hostile.conf"), "WITHOUT_SENDMAIL=\n").unwrap();
    let said = install(&world, &src, &["-o", "knobs=WITHOUT_GAMES=yes"]).ok();
    assert!(said.starts_with("14.1-RELEASE-p5-") && said.ends_with(" is installed\n"), "{said}");
    for storage in ["overlay", "nullfs"] {
        world.run(["create", storage, "--storage", storage]).ok();
        assert_eq!(sh(&world, storage, "id -un; echo $((6 * 7))").ok(), "root\n42\n");
        assert_eq!(sh(&world, storage, "test -e /usr/bin/fortune || echo none").ok(), "none\n");
        sh(&world, storage, "test -x /usr/sbin/sendmail").ok();
    }
    let before = world.lasting();
    install(&world, &src, &["-o", "knobs=WITHOUT_GAMES=yes"]).ok();
    before.assert_same(&world.lasting(), "the second install");
    let log = fs::read_to_string(world.root.join("log/install.log")).unwrap();
    assert!(log.contains("installworld") && log.contains(": status 0"), "{log}");
    world.assert_sound();
}

#[test]
fn every_refusal_leaves_what_is_installed_as_it_is() {
    let world = World::new();
    let src = source(&world);
    install(&world, &src, &[]).ok();
    let before = world.lasting();
    let knobs = |knobs: &str| install(&world, &src, &["-o", &format!("knobs={knobs}")]);
    knobs("WITHOUT_NIS=yes").fails(65, &["usr/bin/ypcat", "libypclnt.so.4", "hint: "]);
    knobs("WITHOUT_GAMSE=yes").fails(78, &["WITHOUT_GAMSE", "hint: "]);
    fs::write(src.join("etc/Makefile"), "distribution:\n\t@echo the last words; exit 7\n").unwrap();
    knobs("WITHOUT_MAN=yes").fails(71, &["make distribution", "the last words", "log/install.log"]);
    build(&src, &["WITHOUT_GAMES=yes"]);
    fs::remove_dir_all(objects(&src)).unwrap();
    build(&src, &["WITHOUT_GAMES=yes"]);
    install(&world, &src, &[]).fails(65, &["was built without GAMES", "hint: "]);
    fs::remove_dir_all(objects(&src)).unwrap();
    install(&world, &src, &[]).fails(66, &["no world is built", "hint: "]);
    before.assert_same(&world.lasting(), "the refused installs");
    world.assert_sound();
}

/// installworld makes the shell, libraries and `/var/empty` immutable on FreeBSD.
#[test]
fn immutable_files_stop_neither_an_install_nor_its_end() {
    let world = World::new();
    let src = source(&world);
    let etc = src.join("etc/Makefile");
    let plain = fs::read_to_string(&etc).unwrap();
    let flags = "\tinstall -d ${DESTDIR}/var/empty\n\tchattr +i ${DESTDIR}/sbin/init ${DESTDIR}/var/empty\n";
    fs::write(&etc, format!("{plain}{flags}\tfalse\n")).unwrap();
    install(&world, &src, &[]).fails(71, &["make distribution"]);
    assert!(!world.lib("current").exists());
    world.assert_sound();
    fs::write(&etc, format!("{plain}{flags}")).unwrap();
    install(&world, &src, &[]).ok();
    world.run(["create", "web", "--storage", "nullfs"]).ok();
    assert_eq!(world.sh("echo in").ok(), "in\n");
    world.run(["delete", "web"]).ok();
    assert!(!world.lib("containers/web").exists());
    world.assert_sound();
    // What is flagged must not outlive the test.
    host("chattr", &["-i", "sharedfs/sbin/init", "template/var/empty"], &world.lib("current"));
}
